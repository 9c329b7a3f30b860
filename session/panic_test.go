package session

import (
	"context"
	"image"
	"strings"
	"testing"

	"sage/runtime"
)

// TestPanicIsAnError: what goes wrong while a container or a picture is looked at does
// not end the process, which serves everybody else.
func TestPanicIsAnError(t *testing.T) {
	_, opened := labelled()
	broken := &Manager{} // Without an engine and a key every look panics.
	d := &desktop{uid: "alice", identity: identity{endpoints: opened.endpoints}}
	err := broken.withScreen(context.Background(), nil, d, func(image.Image) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "picture of alice") {
		t.Errorf("picture: %v", err)
	}
	r := &round{m: broken}
	if _, err := r.meet(context.Background(), runtime.Container{Name: "tool"}); err == nil || !strings.Contains(err.Error(), "container tool") {
		t.Errorf("container: %v", err)
	}
}
