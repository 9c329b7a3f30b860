package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"sage/runtime"
)

// errEmptySelector keeps a caller from meaning every container of the engine.
var errEmptySelector = errors.New("the selector is empty: name a label or a name's beginning")

// errEventsEnded is what the end of the stream of events means.
var errEventsEnded = errors.New("the engine's events have ended")

// failure is an error of the contract; its kind is known.
func failure(op, id string, kind, err error) error {
	return &runtime.Error{Op: op, Backend: backend, ID: id, Kind: kind, Err: err}
}

// fault translates what a call of the engine gave; nil stays nil. Whatever went
// wrong after the caller's context ended is put down to that.
func fault(ctx context.Context, op, id string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return failure(op, id, runtime.ErrCanceled, ended)
	}
	return failure(op, id, kindOf(op, err), err)
}

// kindOf is the kind of an engine's error. The engine types its errors by HTTP
// status; of those that matter here it sends some as 500 with a text only.
func kindOf(op string, err error) error {
	text := strings.ToLower(err.Error())
	switch {
	case unreachable(err):
		return runtime.ErrUnavailable
	case errors.Is(err, errTooOld), otherVersions(text):
		return runtime.ErrUnsupported
	case exhausted(text):
		return runtime.ErrExhausted
	case op == "start" && portInUse(text):
		return runtime.ErrPortInUse
	case op == "start" && (unexecutable(text) || unpublishable(text)):
		return runtime.ErrInvalid
	case errdefs.IsNotFound(err):
		if slices.Contains([]string{"create", "ensureimage", "image"}, op) {
			return runtime.ErrImageNotFound
		}
		return runtime.ErrNotFound
	case errdefs.IsConflict(err):
		return runtime.ErrConflict
	case errdefs.IsInvalidArgument(err):
		return runtime.ErrInvalid
	case errdefs.IsResourceExhausted(err):
		return runtime.ErrExhausted
	case errdefs.IsNotImplemented(err):
		return runtime.ErrUnsupported
	default:
		return runtime.ErrInternal
	}
}

// unreachable tells whether no answer came, or only a part of one. An engine
// that is reached and says "connection refused" (of a registry) is not meant:
// its words carry no type.
func unreachable(err error) bool {
	var network *net.OpError
	return client.IsErrConnectionFailed(err) || errdefs.IsUnavailable(err) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// errTooOld is for an engine whose newest API is older than what is spoken here.
var errTooOld = errors.New("the engine's API is too old: Sage needs " + oldestAPI + " (Docker 1.12) or newer")

// The following match the engine's texts in lower case.

// otherVersions: the engine speaks no version of the API that the client does.
func otherVersions(text string) bool {
	return contains(text, "minimum supported api version", "maximum supported api version")
}

// portInUse: held by another container, or by another program of the host.
func portInUse(text string) bool {
	return contains(text, "port is already allocated", "address already in use")
}

// unpublishable: the host address of a port is not one of this host's, or the
// port is one that this engine may not use.
func unpublishable(text string) bool {
	return contains(text, "cannot assign requested address", "cannot expose privileged port")
}

// unexecutable: the program of the image is missing or not a program.
func unexecutable(text string) bool {
	return contains(text, "executable file not found", "exec format error") ||
		contains(text, "oci runtime", "starting container process", "container init") &&
			contains(text, `exec: "`, "exec /") && contains(text, "no such file or directory", "permission denied", "is a directory")
}

// exhausted: disk, memory, addresses or places on the bridge.
func exhausted(text string) bool {
	return contains(text, "no space left on device", "disk quota exceeded", "cannot allocate memory",
		"no available ipv4 addresses", "no available addresses", "exchange full", "too many open files")
}

func contains(text string, any ...string) bool {
	return slices.ContainsFunc(any, func(part string) bool { return strings.Contains(text, part) })
}
