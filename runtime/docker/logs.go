package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"sage/runtime"
)

// logBytes is how much of a container's output Logs gives at most.
const logBytes = 64 << 10

// Logs implements runtime.Runtime.
func (r *Runtime) Logs(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	var last tail
	err := r.copyLogs(ctx, "logs", id, lines, false, &last)
	return last.bytes(), err
}

// FollowLogs implements runtime.Runtime.
func (r *Runtime) FollowLogs(ctx context.Context, id runtime.ID, lines int, w io.Writer) error {
	return r.copyLogs(ctx, "followlogs", id, lines, true, w)
}

// copyLogs writes both outputs of a container to w.
func (r *Runtime) copyLogs(ctx context.Context, op string, id runtime.ID, lines int, follow bool, w io.Writer) error {
	e, err := r.current(ctx)
	if err != nil {
		return fault(ctx, op, string(id), err)
	}
	if !validID(id) {
		return failure(op, string(id), runtime.ErrNotFound, nil)
	}
	// A line has at least its end, so more lines than bytes are never asked for.
	lines = min(max(lines, 0), logBytes)
	stream, err := e.api.ContainerLogs(ctx, string(id), container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines), Follow: follow,
	})
	if err != nil {
		err = fault(ctx, op, string(id), err)
		// The engine says conflict of one that is being removed.
		var of *runtime.Error
		if errors.As(err, &of) && of.Kind == runtime.ErrConflict {
			of.Kind = runtime.ErrNotFound
		}
		return err
	}
	defer stream.Close()
	// Both streams come in one, each piece behind a header (Engine API,
	// "Attach to a container", stream format).
	_, err = stdcopy.StdCopy(w, w, stream)
	return fault(ctx, op, string(id), err)
}

// tail keeps the end of what is written to it.
type tail struct {
	kept []byte
}

// Write implements io.Writer; it does not fail.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*logBytes {
		t.kept = append(t.kept[:0], t.kept[len(t.kept)-logBytes-1:]...)
	}
	return len(p), nil
}

// bytes are the last whole lines that fit; of one line that does not fit, its
// end.
func (t *tail) bytes() []byte {
	if len(t.kept) <= logBytes {
		return t.kept
	}
	over := t.kept[len(t.kept)-logBytes-1:]
	if _, whole, found := bytes.Cut(over, []byte{'\n'}); found && len(whole) > 0 {
		return whole
	}
	return over[1:]
}
