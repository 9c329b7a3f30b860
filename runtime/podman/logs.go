package podman

import (
	"context"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/containers/podman/v5/pkg/bindings"
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
	asked := strconv.Itoa(lines)
	if mixesPieces(ctx) {
		asked = allLines
	}
	var out []byte
	err := readLogs(ctx, id, asked, false, func(frame string) {
		out = append(out, frame...)
		if len(out) > 2*maxLogBytes {
			out = last(out)
		}
	})
	return lastLines(last(out), lines), err
}

// allLines asks for the whole log, which logBytes bounds.
const allLines = "all"

// mixesPieces says that the engine cannot be asked for the last lines: before
// 4.7 it put the first piece of a line that was written in pieces behind the
// line before (podman issue 19545). It gives whole logs rightly.
func mixesPieces(ctx context.Context) bool {
	version := bindings.ServiceVersion(ctx)
	return version.Major < 4 || version.Major == 4 && version.Minor < 7
}

// piecesBefore counts the pieces that a log has before its last lines.
func piecesBefore(ctx context.Context, id runtime.ID, lines int) (int, error) {
	var (
		pieces   int
		begins   []int // of the last lines, by the piece that each begins with
		unbroken = true
	)
	err := readLogs(ctx, id, allLines, false, func(piece string) {
		if unbroken {
			begins = append(begins, pieces)
			begins = begins[max(0, len(begins)-lines):]
		}
		unbroken = strings.HasSuffix(piece, "\n")
		pieces++
	})
	if len(begins) == 0 {
		return pieces, err
	}
	return begins[0], err
}

// readLogs calls take with the pieces of both outputs, from that many lines
// before the end on. No piece has more than one line.
func readLogs(ctx context.Context, id runtime.ID, lines string, follow bool, take func(string)) error {
	options := new(containers.LogOptions).WithStdout(true).WithStderr(true).WithFollow(follow).WithTail(lines)
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
	lines = max(lines, 0)
	out := &openWriter{w: w}
	// A request that the caller has left may still write.
	defer out.close()
	return run(ctx, r, op, string(id), func(ctx context.Context, _ *link) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		asked, before := strconv.Itoa(lines), 0
		if mixesPieces(ctx) {
			var err error
			if before, err = piecesBefore(ctx, id, lines); err != nil {
				return err
			}
			asked = allLines
		}
		var refused error
		err := readLogs(ctx, id, asked, true, func(frame string) {
			if before > 0 {
				before--
				return
			}
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

// lastLines is a log from so many lines before its end on, of which the last one
// may have no end.
func lastLines(log []byte, lines int) []byte {
	for from := len(log) - 1; from > 0; from-- {
		if log[from-1] != '\n' {
			continue
		}
		if lines--; lines == 0 {
			return log[from:]
		}
	}
	return log
}
