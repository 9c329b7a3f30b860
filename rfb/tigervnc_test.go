package rfb_test

import (
	"bytes"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
)

// TestEncodingsGiveTheSamePixels captures what a real server shows in each encoding.
func TestEncodingsGiveTheSamePixels(t *testing.T) {
	server := rfbtest.Start(t, "")
	server.Paint(t, 640, 480)
	var want []byte
	for _, e := range []rfb.Encoding{rfb.EncodingRaw, rfb.EncodingTight, rfb.EncodingZRLE} {
		conn := &counted{Conn: server.Dial(t)}
		c, err := rfb.NewClient(t.Context(), conn, rfb.Options{Shared: true, Encodings: []rfb.Encoding{e, rfb.EncodingRaw}})
		if err != nil {
			t.Fatal(err)
		}
		m, err := c.Capture(t.Context())
		if err != nil {
			t.Fatalf("%v: %v", e, err)
		}
		first := conn.n
		again, err := c.Capture(t.Context()) // The compressed streams go on.
		if err != nil {
			t.Fatalf("%v, once more: %v", e, err)
		}
		_ = c.Close()
		if want == nil {
			want = m.Pix
			counts := map[[4]byte]int{}
			for p := want; len(p) > 0; p = p[4:] {
				counts[[4]byte(p)]++
			}
			if len(counts) < 10_000 {
				t.Fatalf("the server shows %d colours; the picture is not there", len(counts))
			}
		}
		if !bytes.Equal(m.Pix, want) || !bytes.Equal(again.Pix, want) {
			t.Errorf("%v gives other pixels", e)
		}
		if e != rfb.EncodingRaw && first > len(want)/2 {
			t.Errorf("%v took %d bytes for %d bytes of pixels", e, first, len(want))
		}
		if err := png.Encode(io.Discard, m); err != nil {
			t.Error(err)
		}
		t.Logf("%v: %d bytes for %d bytes of pixels", e, first, len(want))
	}
}

func TestPasswordOfARealServer(t *testing.T) {
	server := rfbtest.Start(t, "sesame42")
	for _, version := range []string{"RFB 003.003\n", "RFB 003.007\n", "RFB 003.008\n"} {
		for password, right := range map[string]bool{"sesame42": true, "sesame43": false} {
			conn := &older{Conn: server.Dial(t), greeting: version}
			c, err := rfb.NewClient(t.Context(), conn, rfb.Options{Shared: true, Password: password})
			var pe *rfb.PasswordError
			if right && err != nil || !right && !errors.As(err, &pe) {
				t.Errorf("%s, %s: error %v", strings.TrimSpace(version), password, err)
			}
			if err == nil {
				if got := c.Version().String(); got != version[6:7]+"."+version[10:11] {
					t.Errorf("version %s", got)
				}
				_ = c.Close()
			}
		}
	}
	_, err := rfb.NewClient(t.Context(), server.Dial(t), rfb.Options{Shared: true})
	var se *rfb.SecurityError
	if !errors.As(err, &se) {
		t.Errorf("without a password: error %v", err)
	}
}
