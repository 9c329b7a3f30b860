package podman

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sage/runtime"
)

// TestEventsGoOn: an engine that ends its stream is asked for what comes behind the last event, until a stream tells
// nothing.
func TestEventsGoOn(t *testing.T) {
	const event = `{"Type":"container","Action":%q,"Actor":{"ID":"c1","Attributes":{"name":"sage-1"}},"timeNano":%d}`
	var asked []string
	rt := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasSuffix(req.URL.Path, "/events") {
			http.NotFound(w, req)
			return
		}
		asked = append(asked, req.URL.Query().Get("since"))
		switch len(asked) {
		case 1:
			fmt.Fprintf(w, event+event, "start", 1_000_000_000, "died", 2_500_000_001)
		case 2:
			fmt.Fprintf(w, event, "remove", 3_000_000_000)
		}
	})
	var heard []runtime.EventKind
	err := rt.Events(t.Context(), runtime.Selector{NamePrefix: "sage-"}, func(e runtime.Event) { heard = append(heard, e.Kind) })
	if !errors.Is(err, runtime.ErrUnavailable) {
		t.Errorf("at the end: %v", err)
	}
	if got, want := fmt.Sprint(heard), "[listening started exited removed]"; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(asked), "[5s 1970-01-01T00:00:02.500000001Z 1970-01-01T00:00:03Z]"; got != want {
		t.Errorf("asked for events since %s, want %s", got, want)
	}
}

// TestEventsLeft: nobody asks on behalf of a caller who has left.
func TestEventsLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	rt := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `{"Type":"container","Action":"start","Actor":{"ID":"c1","Attributes":{"name":"sage-1"}},"timeNano":1}`)
	})
	err := rt.Events(ctx, runtime.Selector{NamePrefix: "sage-"}, func(e runtime.Event) {
		if e.Kind == runtime.EventStarted {
			cancel()
		}
	})
	if !errors.Is(err, runtime.ErrCanceled) || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}
