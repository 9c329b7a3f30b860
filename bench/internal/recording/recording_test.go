package recording_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"sage/bench/internal/recording"
)

// TestWriteRead checks that what was written is read again, and that a part of it is no recording.
func TestWriteRead(t *testing.T) {
	want := &recording.Recording{Width: 1280, Height: 800, Format: [16]byte{32, 24, 0, 1}, Messages: []recording.Message{
		{At: 5 * time.Microsecond, FromViewer: true, Bytes: []byte{3, 0}},
		{At: 5 * time.Microsecond, Bytes: []byte{0, 0, 0, 0}},
		{At: 2 * time.Second, Bytes: bytes.Repeat([]byte{248}, 1000)},
	}}
	var file bytes.Buffer
	if err := want.Write(&file); err != nil {
		t.Fatal(err)
	}
	whole := file.Bytes()
	got, err := recording.Read(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := len(got.Of(false)); n != 2 || !got.Of(false)[0].Update() || got.Of(false)[1].Update() || got.Of(true)[0].Update() {
		t.Errorf("%d messages of the server, or the wrong ones are updates", n)
	}
	for cut := range whole {
		if _, err := recording.Read(bytes.NewReader(whole[:cut])); err == nil {
			t.Fatalf("the first %d of %d bytes are read as a recording", cut, len(whole))
		}
	}
}
