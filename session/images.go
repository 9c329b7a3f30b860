package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"sage/catalog"
	"sage/runtime"
)

// Images brings the images of a catalog's apps onto an engine. Its methods may
// be called from any number of goroutines.
type Images struct {
	rt      runtime.Runtime
	catalog func() *catalog.Catalog
	args    map[string]string

	mu sync.Mutex
	// busy has a channel for every image that is being worked on; it is closed at
	// the end.
	busy map[string]chan struct{}
}

// ImageProgress is called with what happens to an app's image, from one
// goroutine at a time.
type ImageProgress func(app string, p runtime.Progress)

// NewImages makes an Images. The build arguments in args replace those of the
// same name that an app's build has.
func NewImages(rt runtime.Runtime, catalog func() *catalog.Catalog, args map[string]string) *Images {
	return &Images{rt: rt, catalog: catalog, args: args, busy: map[string]chan struct{}{}}
}

// Ensure builds or pulls the app's image where it is missing, after the image
// that it is built from.
func (i *Images) Ensure(ctx context.Context, app *catalog.App, progress ImageProgress) error {
	return i.ensure(ctx, app, progress, false)
}

// Update is Ensure, and also builds anew what does not come from the build
// context, arguments and base image as they are now.
func (i *Images) Update(ctx context.Context, app *catalog.App, progress ImageProgress) error {
	return i.ensure(ctx, app, progress, true)
}

func (i *Images) ensure(ctx context.Context, app *catalog.App, progress ImageProgress, update bool) error {
	req := runtime.ImageRequest{Ref: app.Image}
	if app.Build != nil {
		baseID, err := i.ensureBase(ctx, app, progress, update)
		if err != nil {
			return err
		}
		req.Build = i.build(app.Build)
		if update {
			if req.Build.Digest, err = digest(req.Build, baseID); err != nil {
				return fmt.Errorf("build context of app %s: %w", app.ID, err)
			}
		}
	}
	report := func(p runtime.Progress) {
		if progress != nil {
			progress(app.ID, p)
		}
	}
	done, err := i.claim(ctx, app.Image)
	if err != nil {
		return err
	}
	defer done()
	return i.rt.EnsureImage(ctx, req, report)
}

// claim waits until nobody else works on the image: who comes second finds it
// made, instead of making it twice.
func (i *Images) claim(ctx context.Context, ref string) (done func(), err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for {
		other, taken := i.busy[ref]
		if !taken {
			break
		}
		i.mu.Unlock()
		err := await(ctx, other)
		i.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
	own := make(chan struct{})
	i.busy[ref] = own
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.busy, ref)
		close(own)
	}, nil
}

// ensureBase brings the image that app's is built from, and gives its
// identifier; it is empty where the base is not one of the catalog's.
func (i *Images) ensureBase(ctx context.Context, app *catalog.App, progress ImageProgress, update bool) (string, error) {
	if app.Build.From == "" {
		return "", nil
	}
	base, ok := i.catalog().App(app.Build.From)
	if !ok {
		return "", fmt.Errorf("%w %q, from which app %s is built", ErrUnknownApp, app.Build.From, app.ID)
	}
	if err := i.ensure(ctx, base, progress, update); err != nil {
		return "", err
	}
	found, err := i.rt.Image(ctx, base.Image)
	return found.ID, err
}

// baseArg is the build argument that names the image of the app in build.from, as in
//
//	ARG BASE=localhost/sage/desktop:latest
//	FROM ${BASE}
const baseArg = "BASE"

// build returns what the engine gets to build. An image that is built from another app's gets that app's image as the
// argument BASE, unless the catalog sets BASE itself: names of images are the catalog's, not the Containerfiles'.
func (i *Images) build(b *catalog.Build) *runtime.Build {
	args := map[string]string{}
	if base, ok := i.catalog().App(b.From); ok {
		args[baseArg] = base.Image
	}
	maps.Copy(args, b.Args)
	for name := range b.Args {
		if v, ok := i.args[name]; ok {
			args[name] = v
		}
	}
	return &runtime.Build{ContextDir: b.Context, Containerfile: b.Containerfile, Args: args}
}

// digest stands for everything that a build depends on: the files of its
// context, its arguments, and the image below it.
func digest(b *runtime.Build, baseID string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q\n", b.Containerfile, baseID)
	for _, name := range slices.Sorted(maps.Keys(b.Args)) {
		fmt.Fprintf(h, "%q=%q\n", name, b.Args[name])
	}
	root := os.DirFS(b.ContextDir)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			fmt.Fprintf(h, "%q %v\n", path, info.Mode())
			return nil
		}
		fmt.Fprintf(h, "%q %v %d\n", path, info.Mode(), info.Size())
		f, err := os.Open(filepath.Join(b.ContextDir, path))
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(h, f)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
