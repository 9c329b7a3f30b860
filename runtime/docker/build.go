package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/docker/docker/api/types/build"

	"sage/runtime"
)

// badBuildError is about the build's own files: it can never succeed so.
type badBuildError struct {
	err error
}

func (e *badBuildError) Error() string { return e.err.Error() }
func (e *badBuildError) Unwrap() error { return e.err }

// build makes an image with the engine's classic builder, which every engine
// has and which needs no session.
func (e *engine) build(ctx context.Context, ref string, b runtime.Build, progress func(runtime.Progress)) error {
	if err := checkBuild(b); err != nil {
		return &badBuildError{err}
	}
	options := build.ImageBuildOptions{
		Version:     build.BuilderV1,
		Tags:        []string{ref},
		Dockerfile:  filepath.ToSlash(b.Containerfile),
		BuildArgs:   make(map[string]*string, len(b.Args)),
		Remove:      true,
		ForceRemove: true,
	}
	for name, value := range b.Args {
		options.BuildArgs[name] = &value
	}
	if b.Digest != "" {
		options.Labels = map[string]string{runtime.LabelBuildDigest: b.Digest}
	}

	reader, writer := io.Pipe()
	packed := make(chan error, 1)
	go func() {
		err := pack(writer, b.ContextDir, b.Containerfile)
		writer.CloseWithError(err)
		packed <- err
	}()
	answer, err := e.api.ImageBuild(ctx, reader, options)
	if err == nil {
		err = messages(answer.Body, progress)
		_ = answer.Body.Close()
	}
	// Whatever is not sent by now is not wanted.
	_ = reader.Close()
	if broken := <-packed; err != nil && broken != nil && !errors.Is(broken, io.ErrClosedPipe) {
		return &badBuildError{broken}
	}
	return err
}

// checkBuild finds what the engine would only find after the context was sent.
func checkBuild(b runtime.Build) error {
	if info, err := os.Stat(b.ContextDir); err != nil {
		return fmt.Errorf("build context: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("build context %s is not a directory", b.ContextDir)
	}
	if !filepath.IsLocal(b.Containerfile) {
		return fmt.Errorf("containerfile %q is not inside of the build context", b.Containerfile)
	}
	if info, err := os.Stat(filepath.Join(b.ContextDir, b.Containerfile)); err != nil {
		return fmt.Errorf("containerfile: %w", err)
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("containerfile %q is not a file", b.Containerfile)
	}
	return nil
}
