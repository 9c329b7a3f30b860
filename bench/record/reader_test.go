//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"sage/bench/internal/recording"
)

// TestReader finds the messages of the recording again, however their bytes come in, and none in half of one.
func TestReader(t *testing.T) {
	file, err := os.Open("../stream/testdata/working.rfb.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	messages := rec.Of(false)
	var all []byte
	updates := 0
	for _, m := range messages {
		all = append(all, m.Bytes...)
		if m.Update() {
			updates++
		}
	}
	if updates < 100 {
		t.Errorf("%d updates are no half a minute of work", updates)
	}
	in := newReader(bytes.NewReader(all))
	for i, m := range messages {
		got, err := in.read()
		if err != nil || !bytes.Equal(got, m.Bytes) {
			t.Fatalf("message %d: %d bytes instead of %d: %v", i, len(got), len(m.Bytes), err)
		}
	}
	if _, err := in.read(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last message: %v", err)
	}
	if _, err := newReader(bytes.NewReader(all[:len(messages[0].Bytes)-1])).read(); err == nil {
		t.Error("half a message was read as one")
	}
}
