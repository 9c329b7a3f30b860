package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/pkg/jsonmessage"

	"sage/runtime"
)

// EnsureImage implements runtime.Runtime. Two at once for one reference both do
// the work; the engine's layer cache makes the second one cheap.
func (r *Runtime) EnsureImage(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) error {
	const op = "ensureimage"
	if progress == nil {
		progress = func(runtime.Progress) {}
	}
	e, found, err := r.inspectImage(ctx, op, req.Ref)
	switch {
	case err == nil && current(found, req.Build):
		return nil
	case err != nil && !errors.Is(err, runtime.ErrImageNotFound):
		return err
	case req.Build == nil:
		err = e.pull(ctx, req.Ref, progress)
	default:
		err = e.build(ctx, req.Ref, *req.Build, progress)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fault(ctx, op, req.Ref, err)
	}
	return failure(op, req.Ref, imageKind(err), err)
}

// current tells whether an image that is there will do.
func current(found image.InspectResponse, build *runtime.Build) bool {
	if build == nil || build.Digest == "" {
		return true
	}
	return found.Config != nil && found.Config.Labels[runtime.LabelBuildDigest] == build.Digest
}

// imageKind is the kind of a failed pull or build: what a registry or a build
// step answered means that there is no image.
func imageKind(err error) error {
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

// Image implements runtime.Runtime.
func (r *Runtime) Image(ctx context.Context, ref string) (runtime.Image, error) {
	_, found, err := r.inspectImage(ctx, "image", ref)
	if errors.Is(err, runtime.ErrInvalid) {
		// No image has such a name.
		return runtime.Image{}, failure("image", ref, runtime.ErrImageNotFound, errors.Unwrap(err))
	}
	out := runtime.Image{ID: found.ID}
	if found.Config != nil {
		out.Labels = found.Config.Labels
	}
	return out, err
}

// inspectImage looks an image up on behalf of op.
func (r *Runtime) inspectImage(ctx context.Context, op, ref string) (*engine, image.InspectResponse, error) {
	if _, err := reference.ParseNormalizedNamed(ref); err != nil {
		return nil, image.InspectResponse{}, failure(op, ref, runtime.ErrInvalid, err)
	}
	e, err := r.current(ctx)
	if err != nil {
		return nil, image.InspectResponse{}, fault(ctx, op, ref, err)
	}
	found, err := e.api.ImageInspect(ctx, ref)
	return e, found, fault(ctx, op, ref, err)
}

// pull brings an image from its registry.
func (e *engine) pull(ctx context.Context, ref string, progress func(runtime.Progress)) error {
	stream, err := e.api.ImagePull(ctx, ref, image.PullOptions{})
	if err != nil {
		return err
	}
	defer stream.Close()
	return messages(stream, progress)
}

// messages reads the engine's reports of a pull or build to their end.
func messages(stream io.Reader, progress func(runtime.Progress)) error {
	var (
		decoder = json.NewDecoder(stream)
		output  lines
	)
	for {
		var message jsonmessage.JSONMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			output.end(progress)
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the engine's progress: %w", err)
		}
		switch {
		case message.Error != nil:
			output.end(progress)
			return output.explain(message.Error)
		case message.Stream != "":
			output.add(message.Stream, progress)
		case message.Status != "":
			progress(report(message))
		}
	}
}

// report translates what is said of one layer.
func report(message jsonmessage.JSONMessage) runtime.Progress {
	out := runtime.Progress{Layer: message.ID, Text: message.Status}
	if strings.HasPrefix(message.Status, "Pulling from ") {
		out.Layer = "" // It is the tag.
	}
	switch message.Status {
	case "Download complete", "Pull complete", "Already exists":
		out.Done = true
	}
	// With units, it counts something else than bytes.
	if p := message.Progress; p != nil && p.Units == "" {
		out.Current, out.Total = p.Current, max(p.Total, 0)
	}
	return out
}

// lines puts a build's output, which comes in pieces, together to lines.
type lines struct {
	open string
	last []string
}

// add reports the lines that a piece completes.
func (l *lines) add(piece string, progress func(runtime.Progress)) {
	l.open += piece
	for {
		line, rest, found := strings.Cut(l.open, "\n")
		if !found {
			return
		}
		l.open = rest
		l.line(line, progress)
	}
}

// end reports what has no line end.
func (l *lines) end(progress func(runtime.Progress)) {
	if l.open != "" {
		l.line(l.open, progress)
		l.open = ""
	}
}

func (l *lines) line(text string, progress func(runtime.Progress)) {
	text = strings.TrimRight(text, "\r")
	// A program that draws its progress over one line means its last state.
	text = text[strings.LastIndexByte(text, '\r')+1:]
	// The builder paints what a step writes to standard error.
	text = strings.NewReplacer("\x1b[91m", "", "\x1b[0m", "").Replace(text)
	progress(runtime.Progress{Text: text})
	if strings.TrimSpace(text) == "" {
		return
	}
	const kept = 10
	if l.last = append(l.last, text); len(l.last) > kept {
		l.last = l.last[1:]
	}
}

// explain is the engine's error with the last lines before it, which hold the
// reason of a failed build.
func (l *lines) explain(err error) error {
	if len(l.last) == 0 {
		return err
	}
	return fmt.Errorf("%w; the last lines of the build:\n%s", err, strings.Join(l.last, "\n"))
}
