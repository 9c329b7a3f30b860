package podman

import (
	"context"
	"strconv"

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
	options := new(containers.LogOptions).WithStdout(true).WithStderr(true).WithFollow(false).
		WithTail(strconv.Itoa(lines))
	// Both streams go through one channel, which keeps their order.
	frames := make(chan string)
	failed := make(chan error, 1)
	go func() {
		defer close(frames)
		failed <- containers.Logs(ctx, string(id), options, frames, frames)
	}()
	var out []byte
	for frame := range frames {
		out = append(out, frame...)
		if len(out) > 2*maxLogBytes {
			out = last(out)
		}
	}
	return last(out), <-failed
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
