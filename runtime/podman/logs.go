package podman

import (
	"context"
	"io"
	"strconv"
	"sync"

	"github.com/containers/podman/v5/pkg/bindings/containers"

	"sage/runtime"
)

// maxLogBytes bounds what Logs gives.
const maxLogBytes = 64 << 10

// Logs implements runtime.Runtime.
func (r *Runtime) Logs(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	const op = "logs"
	if !validID(id) {
		return nil, unknown(op, id)
	}
	return call(ctx, r, op, string(id), func(ctx context.Context, _ *link) ([]byte, error) {
		if lines <= 0 {
			// To the engine that would be all of them.
			_, err := look(ctx, id)
			return nil, err
		}
		return tail(ctx, id, lines)
	})
}

func tail(ctx context.Context, id runtime.ID, lines int) ([]byte, error) {
	var out []byte
	err := readLogs(ctx, id, lines, false, func(frame string) {
		out = append(out, frame...)
		if len(out) > 2*maxLogBytes {
			out = last(out)
		}
	})
	return last(out), err
}

// readLogs calls take with the pieces of both outputs.
func readLogs(ctx context.Context, id runtime.ID, lines int, follow bool, take func(string)) error {
	options := new(containers.LogOptions).WithStdout(true).WithStderr(true).WithFollow(follow).
		WithTail(strconv.Itoa(lines))
	// Both streams go through one channel, which keeps their order.
	frames := make(chan string)
	failed := make(chan error, 1)
	go func() {
		defer close(frames)
		failed <- containers.Logs(ctx, string(id), options, frames, frames)
	}()
	for frame := range frames {
		take(frame)
	}
	return <-failed
}

// FollowLogs implements runtime.Runtime.
func (r *Runtime) FollowLogs(ctx context.Context, id runtime.ID, lines int, w io.Writer) error {
	const op = "followlogs"
	if !validID(id) {
		return unknown(op, id)
	}
	out := &openWriter{w: w}
	// A request that the caller has left may still write.
	defer out.close()
	return run(ctx, r, op, string(id), func(ctx context.Context, _ *link) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var refused error
		err := readLogs(ctx, id, lines, true, func(frame string) {
			if refused == nil {
				refused = out.write(frame)
			}
			if refused != nil {
				cancel()
			}
		})
		if refused != nil {
			return failure(op, string(id), runtime.ErrInternal, refused)
		}
		return err
	})
}

// openWriter writes to w until it is closed.
type openWriter struct {
	mu     sync.Mutex
	w      io.Writer
	closed bool
}

func (o *openWriter) write(text string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return io.ErrClosedPipe
	}
	_, err := io.WriteString(o.w, text)
	return err
}

func (o *openWriter) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
}

// last is the end of a log, from the beginning of a line on where it was cut.
func last(log []byte) []byte {
	if len(log) <= maxLogBytes {
		return log
	}
	cut := log[len(log)-maxLogBytes:]
	for i, c := range cut {
		if c == '\n' && i+1 < len(cut) {
			return append([]byte(nil), cut[i+1:]...)
		}
	}
	return append([]byte(nil), cut...)
}
