package podman

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/containers/podman/v5/pkg/bindings/images"
	"github.com/containers/podman/v5/pkg/domain/entities/types"
	"github.com/distribution/reference"

	"sage/runtime"
)

// EnsureImage implements runtime.Runtime. Two at once for one reference both do
// the work; the engine's layer cache makes the second one cheap.
func (r *Runtime) EnsureImage(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) error {
	const op = "ensureimage"
	if _, err := reference.ParseNormalizedNamed(req.Ref); err != nil {
		return failure(op, req.Ref, runtime.ErrInvalid, err)
	}
	out := &lineWriter{progress: progress}
	// A request that the caller has left may still write.
	defer out.close()
	return run(ctx, r, op, req.Ref, func(ctx context.Context, l *link) error {
		found, err := images.GetImage(ctx, req.Ref, nil)
		switch {
		case err == nil && current(found, req.Build):
			return nil
		case err != nil && !missing(err):
			return err
		case req.Build == nil:
			err = l.pull(ctx, req.Ref, out)
		default:
			err = build(ctx, req.Ref, *req.Build, out)
		}
		if err == nil {
			return nil
		}
		return failure(op, req.Ref, imageKind(ctx, err), out.explain(err))
	})
}

// Image implements runtime.Runtime.
func (r *Runtime) Image(ctx context.Context, ref string) (runtime.Image, error) {
	const op = "image"
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		return runtime.Image{}, failure(op, ref, runtime.ErrImageNotFound, err)
	}
	return call(ctx, r, op, ref, func(ctx context.Context, _ *link) (runtime.Image, error) {
		found, err := images.GetImage(ctx, ref, nil)
		if err == nil {
			return runtime.Image{ID: found.ID, Labels: labels(found)}, nil
		}
		if missing(err) {
			return runtime.Image{}, failure(op, ref, runtime.ErrImageNotFound, err)
		}
		return runtime.Image{}, err
	})
}

// missing tells whether a look-up found that there is no such image.
func missing(err error) bool {
	kind := kindOf("image", err)
	return kind == runtime.ErrNotFound || kind == runtime.ErrImageNotFound
}

// labels are those of an image; nil where there are none.
func labels(found *types.ImageInspectReport) map[string]string {
	if found.ImageData == nil {
		return nil
	}
	return found.Labels
}

// current tells whether an image that is there will do.
func current(found *types.ImageInspectReport, build *runtime.Build) bool {
	if build == nil || build.Digest == "" {
		return true
	}
	return labels(found)[runtime.LabelBuildDigest] == build.Digest
}

// imageKind is the kind of a failed pull or build: what a registry or a build
// step answered means that there is no image.
func imageKind(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return runtime.ErrCanceled
	}
	var bad *badBuildError
	if errors.As(err, &bad) {
		return runtime.ErrInvalid
	}
	switch kind := kindOf("ensureimage", err); kind {
	case runtime.ErrUnavailable, runtime.ErrExhausted, runtime.ErrInvalid:
		return kind
	default:
		return runtime.ErrImageNotFound
	}
}

// lineWriter reports what is written to it, line by line, and remembers the end
// of it for an error.
type lineWriter struct {
	progress func(runtime.Progress)

	mu     sync.Mutex
	closed bool
	rest   string
	tail   []string
}

// remembered is how many lines of a failed build are told with its error.
const remembered = 10

// Write implements io.Writer; it never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(p)
	for {
		line, rest, found := strings.Cut(w.rest, "\n")
		if !found {
			return len(p), nil
		}
		w.rest = rest
		w.report(strings.TrimRight(line, "\r"))
	}
}

func (w *lineWriter) report(line string) {
	if line == "" || w.closed {
		return
	}
	if w.tail = append(w.tail, line); len(w.tail) > remembered {
		w.tail = w.tail[1:]
	}
	if w.progress != nil {
		w.progress(runtime.Progress{Text: line})
	}
}

// layer reports how far a layer has come, which is no line.
func (w *lineWriter) layer(p runtime.Progress) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.progress != nil && !w.closed {
		w.progress(p)
	}
}

// close ends the reports; what comes later is dropped.
func (w *lineWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

// explain adds the last lines to an error.
func (w *lineWriter) explain(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.tail) == 0 {
		return err
	}
	return fmt.Errorf("%w; the last lines were:\n%s", err, strings.Join(w.tail, "\n"))
}
