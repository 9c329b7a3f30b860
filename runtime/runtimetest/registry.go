package runtimetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sage/runtime"
)

// Registry is a registry of one test's own, on the loopback, with one image.
type Registry struct {
	// Host is its "address:port", and Certificate what it proves that with.
	Host        string
	Certificate *x509.Certificate
	// Ref is its image, which cannot run.
	Ref string

	// counted is closed when bytes were reported.
	counted chan struct{}
	once    sync.Once
}

// NewRegistry starts a registry. An engine that insists on it has to be made to
// trust the certificate.
func NewRegistry(t *testing.T) *Registry {
	t.Helper()
	r := &Registry{counted: make(chan struct{})}
	server := httptest.NewTLSServer(r.images(t))
	t.Cleanup(server.Close)
	r.Host, r.Certificate = strings.TrimPrefix(server.URL, "https://"), server.Certificate()
	r.Ref = r.Host + "/sage/pulled:latest"
	return r
}

// Pull pulls the image, and one that is not there. It checks that an engine which
// claims runtime.Capabilities.PullProgress counts the bytes while they come.
func (r *Registry) Pull(t *testing.T, rt runtime.Runtime) {
	t.Helper()
	info, err := rt.Ping(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	count := func() { r.once.Do(func() { close(r.counted) }) }
	if !info.Capabilities.PullProgress {
		count()
	}
	var reports []runtime.Progress
	counted, done := false, false
	err = rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: r.Ref}, func(p runtime.Progress) {
		reports = append(reports, p)
		if p.Layer != "" && p.Current > 0 && p.Current < p.Total {
			counted = true
			count()
		}
		done = done || p.Layer != "" && p.Done
	})
	if err != nil {
		t.Fatal(err)
	}
	if counted != info.Capabilities.PullProgress || counted && !done {
		t.Errorf("bytes were counted: %t, a layer was done: %t; %t is claimed: %+v", counted, done, info.Capabilities.PullProgress, reports)
	}
	if found, err := rt.Image(t.Context(), r.Ref); err != nil || found.ID == "" {
		t.Errorf("afterwards: %+v, %v", found, err)
	}
	s := &scope{suite: &suite{rt: rt, info: info}}
	missing := strings.TrimSuffix(r.Ref, "latest") + "missing"
	s.want(t, rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: missing}, nil), "ensureimage", runtime.ErrImageNotFound)
}

// images serves one image (OCI Distribution Specification, "Pull"). Its layer
// trickles until bytes were counted.
func (r *Registry) images(t *testing.T) http.Handler {
	t.Helper()
	noise := make([]byte, 4<<20)
	_, _ = rand.Read(noise)
	var files, layer bytes.Buffer
	archive := tar.NewWriter(&files)
	if err := archive.WriteHeader(&tar.Header{Name: "noise", Mode: 0o644, Size: int64(len(noise))}); err != nil {
		t.Fatal(err)
	}
	_, _ = archive.Write(noise)
	_ = archive.Close()
	packed := gzip.NewWriter(&layer)
	_, _ = packed.Write(files.Bytes())
	_ = packed.Close()

	const mediaType = "application/vnd.docker.distribution.manifest.v2+json"
	config := encode(t, map[string]any{
		"architecture": goruntime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/noise"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(files.Bytes())}},
	})
	manifest := encode(t, map[string]any{
		"schemaVersion": 2, "mediaType": mediaType,
		"config": map[string]any{
			"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config), "digest": digest(config),
		},
		"layers": []any{map[string]any{
			"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": layer.Len(), "digest": digest(layer.Bytes()),
		}},
	})

	registry := http.NewServeMux()
	registry.HandleFunc("GET /v2/{$}", func(http.ResponseWriter, *http.Request) {})
	serve := func(path, contentType string, content []byte) {
		registry.HandleFunc("GET /v2/sage/pulled/"+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Docker-Content-Digest", digest(content))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		})
	}
	serve("manifests/latest", mediaType, manifest)
	serve("manifests/"+digest(manifest), mediaType, manifest)
	serve("blobs/"+digest(config), "application/octet-stream", config)
	registry.HandleFunc("GET /v2/sage/pulled/blobs/"+digest(layer.Bytes()), func(w http.ResponseWriter, _ *http.Request) {
		content := layer.Bytes()
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		r.trickle(w, content)
	})
	return registry
}

// trickle sends in small pieces, and the rest at once when bytes were counted:
// engines count when something comes, and not at every piece.
func (r *Registry) trickle(w http.ResponseWriter, content []byte) {
	const piece, pause = 8 << 10, 20 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for len(content) > piece {
		if _, err := w.Write(content[:piece]); err != nil {
			return
		}
		content = content[piece:]
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
			continue
		case <-r.counted:
		}
		break
	}
	_, _ = w.Write(content)
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func digest(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}
