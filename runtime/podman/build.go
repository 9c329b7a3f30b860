package podman

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/containers/buildah/define"
	"github.com/containers/podman/v5/pkg/bindings/images"
	"github.com/containers/podman/v5/pkg/domain/entities/types"

	"sage/runtime"
)

// badBuildError is a build that cannot succeed as it is.
type badBuildError struct{ err error }

func (e *badBuildError) Error() string { return e.err.Error() }

func (e *badBuildError) Unwrap() error { return e.err }

// build makes an image on the engine. A base image that is there already, for
// example one that only exists locally, is used as it is.
func build(ctx context.Context, ref string, b runtime.Build, out io.Writer) error {
	options, containerfile, err := buildOptions(ref, b)
	if err != nil {
		return &badBuildError{err: err}
	}
	options.Out, options.Err, options.ReportWriter = out, out, out
	_, err = images.Build(ctx, []string{containerfile}, options)
	if err != nil && malformed(err.Error()) {
		return &badBuildError{err: err}
	}
	return err
}

// buildOptions puts a build into the engine's words and gives the path of the
// containerfile.
func buildOptions(ref string, b runtime.Build) (types.BuildOptions, string, error) {
	var options types.BuildOptions
	if !filepath.IsLocal(b.Containerfile) {
		return options, "", fmt.Errorf("containerfile %q: name a path inside the context directory", b.Containerfile)
	}
	dir, err := filepath.Abs(b.ContextDir)
	if err != nil {
		return options, "", err
	}
	containerfile := filepath.Join(dir, b.Containerfile)
	if found, err := os.Stat(containerfile); err != nil {
		return options, "", err
	} else if !found.Mode().IsRegular() {
		return options, "", fmt.Errorf("containerfile %s is not a file", containerfile)
	}
	options.ContextDirectory = dir
	options.Output = ref
	options.Args = b.Args
	options.CommonBuildOpts = &define.CommonBuildOptions{}
	options.PullPolicy = define.PullIfMissing
	// The format that knows every instruction of a Containerfile.
	options.OutputFormat = define.Dockerv2ImageManifest
	options.Layers = true
	options.RemoveIntermediateCtrs = true
	options.ForceRmIntermediateCtrs = true
	if b.Digest != "" {
		options.Labels = []string{runtime.LabelBuildDigest + "=" + b.Digest}
	}
	return options, containerfile, nil
}

// malformed tells whether the engine could not read the containerfile.
func malformed(text string) bool {
	text = strings.ToLower(text)
	for _, words := range []string{
		"unknown instruction", "parsing main dockerfile", "error parsing", "dockerfile parse error",
		"no from statement found", "file with no instructions", "no stages", "requires at least one argument",
		"build error: unknown", "no build stage in current context",
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}
