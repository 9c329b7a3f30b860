package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inputIdle is after what time an untouched desktop of the app "untouched" ends.
const inputIdle = 8 * time.Second

// viewingCatalog writes a catalog whose apps are the plain desktop, and differ in
// how it may be looked at.
func viewingCatalog(t *testing.T) string {
	t.Helper()
	const (
		framed   = "{name: vnc, port: 5900, protocol: rfb}"
		messages = "{name: %s, port: 6080, protocol: websocket, path: /websockify, vnc: true}"
		password = "password_env: SAGE_VNC_PASSWORD"
	)
	both := framed + ", " + fmt.Sprintf(messages, "websockify")
	var content strings.Builder
	content.WriteString("version: 1\napps:\n")
	for _, app := range []struct{ id, endpoints, viewing, timeouts string }{
		{"locked", both, password, ""},
		{"open", both, "", ""},
		// Nothing but websockify leads to it.
		{"messages", fmt.Sprintf(messages, "vnc"), password, ""},
		{"clip-in", framed, "clipboard: in, " + password, ""},
		{"clip-out", framed, "clipboard: out, " + password, ""},
		{"clip-none", framed, "clipboard: none, " + password, ""},
		{"untouched", framed, password, "input_idle: " + inputIdle.String()},
	} {
		fmt.Fprintf(&content, `  - id: %[1]s
    title: %[1]s
    image: localhost/sage/desktop:latest
    endpoints: [%[2]s]
    env: {SAGE_WEBSOCKIFY: "1"}
    environment: [{name: SAGE_GEOMETRY, default: 1280x800}]
    viewing: {%[3]s}
    timeouts: {%[4]s}
    limits: {cpus: 1, memory: 1g, pids: 256, shm: 64m}
`, app.id, app.endpoints, app.viewing, app.timeouts)
	}
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(content.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
