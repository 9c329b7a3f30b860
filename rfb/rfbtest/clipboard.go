package rfbtest

import (
	"encoding/binary"
	"testing"
	"time"
)

// Copy makes text the desktop's clipboard, as an X client that owns it until the test ends. The returned function copies
// the same text once more.
func (s *Server) Copy(t testing.TB, text string) (again func()) {
	t.Helper()
	x := s.connect(t)
	clipboard, utf8, targets := x.atom("CLIPBOARD"), x.atom("UTF8_STRING"), x.atom("TARGETS")
	again = func() { x.request(22, 0, x.window, clipboard, uint32(0)) } // SetSelectionOwner.
	again()
	x.sync()
	_ = x.conn.SetDeadline(time.Time{})
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = x.conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		le := binary.LittleEndian
		for {
			// SelectionRequest: time, owner, requestor, selection, target, property.
			e, err := x.event(30)
			if err != nil {
				return
			}
			requestor, target, property := le.Uint32(e[12:]), le.Uint32(e[20:]), le.Uint32(e[24:])
			// ChangeProperty.
			switch target {
			case targets:
				x.request(18, 0, requestor, property, uint32(4), uint32(32), uint32(2), targets, utf8)
			case utf8:
				x.request(18, 0, requestor, property, utf8, uint32(8), uint32(len(text)), []byte(text))
			default:
				property = 0
			}
			// SendEvent with a SelectionNotify.
			x.request(25, 0, requestor, uint32(0), uint32(31), e[4:8], requestor, clipboard, target, property, make([]byte, 8))
		}
	}()
	return again
}

// Paste gives the desktop's clipboard, as an X client that asks its owner for it; nothing when nobody owns it.
func (s *Server) Paste(t testing.TB) string {
	t.Helper()
	x := s.connect(t)
	defer x.conn.Close()
	clipboard, utf8, property := x.atom("CLIPBOARD"), x.atom("UTF8_STRING"), x.atom("TEST")
	x.request(24, 0, x.window, clipboard, utf8, property, uint32(0)) // ConvertSelection.
	e, err := x.event(31)                                            // SelectionNotify: time, requestor, selection, target, property.
	if err != nil {
		t.Error(err)
		return ""
	}
	if binary.LittleEndian.Uint32(e[20:]) == 0 {
		return ""
	}
	x.request(20, 0, x.window, property, uint32(0), uint32(0), uint32(1<<16)) // GetProperty.
	b := x.reply()
	return string(b[32:][:binary.LittleEndian.Uint32(b[16:])])
}
