package rfb_test

import (
	"bytes"
	"testing"

	"sage/rfb"
	"sage/rfb/rfbtest"
)

// TestRecordedSessions finds in what real clients and a real server said the same messages however it is cut, up to the
// last byte.
func TestRecordedSessions(t *testing.T) {
	for _, r := range rfbtest.Recordings(t, "testdata") {
		t.Run(r.Name, func(t *testing.T) {
			clients := map[rfb.ClientMessageType]int{}
			whole, left, err := scan(t, new(rfb.ClientScanner), r.Client, len(r.Client))
			if err != nil || len(left) > 0 {
				t.Fatalf("%d bytes left, error %v", len(left), err)
			}
			for _, m := range whole {
				clients[m.kind]++
			}
			for _, kind := range []rfb.ClientMessageType{
				rfb.MsgSetEncodings, rfb.MsgFramebufferUpdateRequest, rfb.MsgPointerEvent, rfb.MsgQEMU,
				rfb.MsgClientCutText, rfb.MsgSetDesktopSize, rfb.MsgClientFence, rfb.MsgEnableContinuousUpdates,
			} {
				if clients[kind] == 0 {
					t.Errorf("no %v", kind)
				}
			}
			servers := map[rfb.ServerMessageType]int{}
			said := walk(t, follower(t), r.Server, len(r.Server))
			for _, m := range said {
				servers[m.kind]++
			}
			for _, kind := range []rfb.ServerMessageType{
				rfb.MsgFramebufferUpdate, rfb.MsgServerCutText, rfb.MsgServerFence, rfb.MsgEndOfContinuousUpdates,
			} {
				if servers[kind] == 0 {
					t.Errorf("no message of type %d", kind)
				}
			}
			t.Logf("the client said %v, the server %v", clients, servers)
			for _, size := range []int{1, 7, 1000} {
				cut, left, err := scan(t, new(rfb.ClientScanner), r.Client, size)
				if err != nil || len(left) > 0 || len(cut) != len(whole) {
					t.Errorf("in pieces of %d: %d messages of the client, want %d; error %v", size, len(cut), len(whole), err)
				}
				for i := range min(len(cut), len(whole)) {
					if !bytes.Equal(cut[i].bytes, whole[i].bytes) {
						t.Errorf("in pieces of %d: message %d of the client differs", size, i)
					}
				}
				pieces := walk(t, follower(t), r.Server, size)
				if len(pieces) != len(said) {
					t.Errorf("in pieces of %d: %d messages of the server, want %d", size, len(pieces), len(said))
				}
				for i := range min(len(pieces), len(said)) {
					if !bytes.Equal(pieces[i].bytes, said[i].bytes) {
						t.Errorf("in pieces of %d: message %d of the server differs", size, i)
					}
				}
			}
		})
	}
}
