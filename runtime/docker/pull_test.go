package docker

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"sage/runtime"
)

// TestPull brings an image from a registry of this test's own, on the loopback,
// where the engine takes a registry without TLS.
func TestPull(t *testing.T) {
	c := newCorner(t)
	registry := httptest.NewServer(newRegistry(t))
	defer registry.Close()
	ref := strings.TrimPrefix(registry.URL, "http://") + "/sage/pulled:latest"
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		c.removeImage(ctx, t, ref)
	})

	var reports []runtime.Progress
	err := c.rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: ref}, func(p runtime.Progress) { reports = append(reports, p) })
	if err != nil {
		t.Fatal(err)
	}
	counted := false
	for _, p := range reports {
		counted = counted || p.Layer != "" && p.Current > 0 && p.Total > 0
	}
	if !counted {
		t.Errorf("no bytes were reported: %+v", reports)
	}
	if id, err := c.rt.ImageID(t.Context(), ref); err != nil || !strings.HasPrefix(id, "sha256:") {
		t.Errorf("afterwards: %q, %v", id, err)
	}

	missing := strings.TrimSuffix(ref, "latest") + "missing"
	wantKind(t, c.rt.EnsureImage(t.Context(), runtime.ImageRequest{Ref: missing}, nil), "ensureimage", runtime.ErrImageNotFound)
}

// newRegistry serves one image (OCI Distribution Specification, "Pull").
func newRegistry(t *testing.T) http.Handler {
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
	serve("blobs/"+digest(layer.Bytes()), "application/octet-stream", layer.Bytes())
	return registry
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
