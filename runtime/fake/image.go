package fake

import (
	"context"
	"errors"
	"maps"
	"regexp"

	"sage/runtime"
)

// EnsureImage implements runtime.Runtime.
func (r *Runtime) EnsureImage(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) error {
	if err := r.enter(ctx, OpEnsureImage, req.Ref); err != nil {
		return err
	}
	reference := regexp.MustCompile(`^[a-z0-9][a-z0-9._:/@-]*(:[a-zA-Z0-9._-]+)?$`)
	if !reference.MatchString(req.Ref) {
		return fail(OpEnsureImage, req.Ref, runtime.ErrInvalid, errors.New("the reference is malformed"))
	}
	if progress == nil {
		progress = func(runtime.Progress) {}
	}
	digest := ""
	if req.Build != nil {
		digest = req.Build.Digest
	}
	r.mu.Lock()
	have, there := r.images[req.Ref]
	r.mu.Unlock()
	if there && (digest == "" || have.digest == digest) {
		return nil
	}
	made, err := r.bring(ctx, req, progress)
	switch {
	case ctx.Err() != nil:
		return canceled(ctx, OpEnsureImage, req.Ref)
	case errors.Is(err, runtime.ErrInvalid):
		return fail(OpEnsureImage, req.Ref, runtime.ErrInvalid, err)
	case err != nil:
		return fail(OpEnsureImage, req.Ref, runtime.ErrImageNotFound, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images[req.Ref] = &image{Image: made, id: r.identifier("image"), digest: digest}
	return nil
}

// bring builds or pulls an image.
func (r *Runtime) bring(ctx context.Context, req runtime.ImageRequest, progress func(runtime.Progress)) (Image, error) {
	if req.Build != nil {
		if r.options.Build == nil {
			return Image{}, errors.New("this engine builds nothing")
		}
		return r.options.Build(ctx, req, func(line string) { progress(runtime.Progress{Text: line}) })
	}
	if r.options.Pull == nil {
		return Image{}, errors.New("no registry has it")
	}
	return r.options.Pull(ctx, req.Ref, progress)
}

// Image implements runtime.Runtime.
func (r *Runtime) Image(ctx context.Context, ref string) (runtime.Image, error) {
	if err := r.enter(ctx, OpImage, ref); err != nil {
		return runtime.Image{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	have, there := r.images[ref]
	if !there {
		return runtime.Image{}, fail(OpImage, ref, runtime.ErrImageNotFound, nil)
	}
	labels := maps.Clone(have.Labels)
	if have.digest != "" {
		if labels == nil {
			labels = map[string]string{}
		}
		labels[runtime.LabelBuildDigest] = have.digest
	}
	return runtime.Image{ID: "sha256:" + have.id, Labels: labels}, nil
}

// SetImage puts an image onto the engine, or another one under its reference.
// Containers that were made before keep theirs.
func (r *Runtime) SetImage(ref string, img Image) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images[ref] = &image{Image: img, id: r.identifier("image")}
}

// RemoveImage takes a reference away.
func (r *Runtime) RemoveImage(ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.images, ref)
}
