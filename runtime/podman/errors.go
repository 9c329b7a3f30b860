package podman

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/containers/podman/v5/libpod/define"
	"github.com/containers/podman/v5/pkg/bindings"
	"github.com/containers/podman/v5/pkg/errorhandling"

	"sage/runtime"
)

// errEmptySelector keeps a caller from meaning every container of the engine.
var errEmptySelector = errors.New("the selector is empty: name a label or a name's beginning")

// errEventsEnded is what the end of the stream of events means.
var errEventsEnded = errors.New("the engine's events have ended")

// failure is an error of the contract with a kind that is known.
func failure(op, subject string, kind, err error) error {
	return &runtime.Error{Op: op, Backend: backend, ID: subject, Kind: kind, Err: err}
}

// fault makes the engine's error one of the contract.
func fault(ctx context.Context, op, subject string, err error) error {
	var known *runtime.Error
	if errors.As(err, &known) {
		return known
	}
	// Whatever broke after the caller left broke because of that.
	if ended := ctx.Err(); ended != nil {
		return failure(op, subject, runtime.ErrCanceled, ended)
	}
	return failure(op, subject, kindOf(op, err), err)
}

// kindOf says which kind an error is. The service gives a cause, which is the
// text of one of Podman's own errors, and a status, which older versions set to
// 500 for almost everything; so the cause is asked first.
func kindOf(op string, err error) error {
	var known *runtime.Error
	if errors.As(err, &known) {
		return known.Kind
	}
	var model *errorhandling.ErrorModel
	switch {
	case strings.Contains(err.Error(), "server API version is too old"): // the bindings, of a service before 4.0
		return runtime.ErrUnsupported
	case errors.As(err, &model):
		if kind := kindOfText(model.Because + "\n" + model.Message); kind != nil {
			return kind
		}
		return kindOfStatus(op, model.ResponseCode)
	case disconnected(err):
		return runtime.ErrUnavailable
	default:
		// The end of a stream, for example of a build: text is all there is.
		if kind := kindOfText(err.Error()); kind != nil {
			return kind
		}
		return runtime.ErrInternal
	}
}

// kindOfStatus reads the status of an answer whose text says nothing known.
func kindOfStatus(op string, status int) error {
	switch status {
	case http.StatusNotFound:
		if op == "create" {
			return runtime.ErrImageNotFound
		}
		return runtime.ErrNotFound
	case http.StatusConflict:
		return runtime.ErrConflict
	case http.StatusBadRequest:
		return runtime.ErrInvalid
	case http.StatusServiceUnavailable:
		return runtime.ErrUnavailable
	case http.StatusInsufficientStorage:
		return runtime.ErrExhausted
	case http.StatusNotImplemented:
		return runtime.ErrUnsupported
	}
	return runtime.ErrInternal
}

// kindOfText looks for words of Podman's and of its helpers' errors; nil where
// there are none. The order matters: a port that is in use is told with the
// words for a name in use, too.
func kindOfText(text string) error {
	text = strings.ToLower(text)
	for _, rule := range []struct {
		kind  error
		words []string
	}{
		{runtime.ErrPortInUse, []string{
			"address already in use",       // the host's kernel, told by Podman, rootlessport and pasta
			"port is already allocated",    // the network's own book-keeping
			"proxy already running",        // rootlessport
			"failed to bind any port for",  // older pasta
			"conflict with port",           // rootlessport's table
			"conflicts with existing port", // rootlessport's table
		}},
		{runtime.ErrInvalid, []string{
			"cannot assign requested address", // the host address is not the host's
			"cannot expose privileged port",   // rootlessport
			// The image's program cannot be executed, in the words of Podman, runc and
			// crun. "Permission denied" alone may mean something else.
			strings.ToLower(define.ErrOCIRuntimeNotFound.Error()),
			"unable to start container process: exec: ", "exec format error", "executable file `", "open executable: ",
		}},
		{runtime.ErrImageNotFound, []string{"image not known", "no such image"}},
		{runtime.ErrNotFound, []string{
			define.ErrNoSuchCtr.Error(), define.ErrCtrRemoved.Error(), define.ErrNoSuchVolume.Error(),
		}},
		{runtime.ErrExhausted, []string{
			"no space left on device", "cannot allocate memory", "resource temporarily unavailable",
			"too many open files", "disk quota exceeded", "failed to find free ip", "no free ip",
			"allocation failed; exceeded num_locks",
		}},
		{runtime.ErrConflict, []string{
			define.ErrCtrExists.Error(), define.ErrVolumeExists.Error(), define.ErrVolumeBeingUsed.Error(),
			define.ErrCtrStateInvalid.Error(),
			"that name is already in use", "name is in use",
		}},
		{runtime.ErrInvalid, []string{
			define.ErrInvalidArg.Error(), "invalid reference format", "repository name must be lowercase",
		}},
	} {
		for _, words := range rule.words {
			if strings.Contains(text, words) {
				return rule.kind
			}
		}
	}
	return nil
}

// disconnected says that an error is about the connection and not the engine's
// answer.
func disconnected(err error) bool {
	if err == nil {
		return false
	}
	var (
		connect bindings.ConnectError
		request *url.Error
		network net.Error
	)
	return errors.As(err, &connect) || errors.As(err, &request) || errors.As(err, &network) ||
		errors.Is(err, io.ErrUnexpectedEOF)
}
