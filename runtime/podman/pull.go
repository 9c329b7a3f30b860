package podman

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/containers/podman/v5/pkg/auth"
	"github.com/containers/podman/v5/pkg/bindings"
	imagetypes "go.podman.io/image/v5/types"

	"sage/runtime"
)

// message is one report of a pull in the engine's Docker-compatible API.
type message struct {
	Status string `json:"status"`
	ID     string `json:"id"`
	Detail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

// pull gets an image from its registry. It asks the engine's Docker-compatible
// API, which tells bytes on every version; Podman's own does so from 4.4 on, and
// only in the same words. The bindings do not have it.
func (l *link) pull(ctx context.Context, ref string, out *lineWriter) error {
	connection, err := bindings.GetClient(ctx)
	if err != nil {
		return err
	}
	base := "http://d"
	if l.host.Scheme == "tcp" {
		base = "http://" + l.host.Host + l.host.Path
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1.40/images/create?"+url.Values{"fromImage": {ref}}.Encode(), nil)
	if err != nil {
		return err
	}
	// What this user has logged in to, as with the bindings.
	credentials, err := auth.MakeXRegistryAuthHeader(&imagetypes.SystemContext{}, "", "")
	if err != nil {
		return err
	}
	for name, values := range credentials {
		req.Header[name] = values
	}
	answer, err := connection.Client.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if response := (&bindings.APIResponse{Response: answer, Request: req}); !response.IsSuccess() {
		return response.Process(nil)
	}
	return messages(answer.Body, out)
}

// messages reads the reports of a pull to their end.
func messages(stream io.Reader, out *lineWriter) error {
	decoder := json.NewDecoder(stream)
	for {
		var m message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the engine's progress: %w", err)
		case m.Error != "":
			return errors.New(m.Error)
		}
		if m.Status != "" {
			out.layer(runtime.Progress{
				Layer: m.ID, Text: m.Status, Current: m.Detail.Current, Total: max(m.Detail.Total, 0),
				Done: m.Status == "Download complete" || m.Status == "Already exists",
			})
		}
	}
}
