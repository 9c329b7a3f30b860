package podman

import (
	"context"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/containers/podman/v5/pkg/bindings/images"

	"sage/runtime"
	"sage/runtime/runtimetest"
)

func TestPull(t *testing.T) {
	for _, engine := range []string{"podman", "podman-rootless"} {
		t.Run(engine, func(t *testing.T) {
			rt, err := New(Options{Host: runtimetest.EngineHost(t, engine)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { rt.Close() })
			registry := runtimetest.NewRegistry(t)
			trust(t, registry)
			t.Cleanup(func() {
				err := run(context.WithoutCancel(t.Context()), rt, "remove", registry.Ref, func(ctx context.Context, _ *link) error {
					_, errs := images.Remove(ctx, []string{registry.Ref}, nil)
					return errors.Join(errs...)
				})
				if err != nil {
					t.Errorf("clean up: %v", err)
				}
			})
			registry.Pull(t, rt)
		})
	}
}

// trust makes the engines of this host trust a registry (containers-certs.d(5)).
func trust(t *testing.T, registry *runtimetest.Registry) {
	t.Helper()
	dir := filepath.Join("/etc/containers/certs.d", registry.Host)
	err := os.MkdirAll(dir, 0o755)
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("trust in a registry needs root: %v", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err == nil {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: registry.Certificate.Raw})
		err = os.WriteFile(filepath.Join(dir, "ca.crt"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []runtime.Progress
		fails        string
	}{
		{
			"layers with bytes",
			`{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"abc"}` + "\n" +
				`{"status":"Download complete","progressDetail":{},"id":"abc"}`,
			[]runtime.Progress{{Layer: "abc", Text: "Downloading", Current: 5, Total: 10}, {Layer: "abc", Text: "Download complete", Done: true}}, "",
		},
		{"a size that is not known", `{"status":"Downloading","progressDetail":{"current":5,"total":-1},"id":"abc"}`,
			[]runtime.Progress{{Layer: "abc", Text: "Downloading", Current: 5}}, ""},
		{"the reason of a failure", `{"progressDetail":{},"errorDetail":{"message":"no"},"error":"no such manifest"}`, nil, "no such manifest"},
		{"cut off", `{"status":"Down`, nil, "unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []runtime.Progress
			out := &lineWriter{progress: func(p runtime.Progress) { got = append(got, p) }}
			err := messages(strings.NewReader(test.stream), out)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Errorf("got %v, want %q", err, test.fails)
			}
		})
	}
}
