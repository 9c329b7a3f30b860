package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"sage/catalog"
)

// TestWarnings: VNC without a password of Sage's is told, what is no VNC is not.
func TestWarnings(t *testing.T) {
	const rfb, audio, bare, vnc = "{name: vnc, port: 5900, protocol: rfb}", "{name: audio, port: 4714, protocol: tcp}",
		"{name: web, port: 6080, protocol: websocket}", "{name: web, port: 6080, protocol: websocket, vnc: true}"
	for _, test := range []struct {
		name, endpoints, viewing string
		want                     []string
	}{
		{"password", rfb + ", " + audio, "{password_env: PW}", nil},
		{"no password", rfb, "{}", []string{"apps[a].viewing: the endpoint vnc"}},
		{"not understood", rfb, "{understand: false}", []string{"apps[a].viewing.understand: the endpoint vnc"}},
		{"nothing but sound", audio, "{}", nil},
		{"websocket", bare, "{}", []string{"apps[a].endpoints[web]: the endpoint web"}},
		{"websocket beside a password", rfb + ", " + bare, "{password_env: PW}", []string{"apps[a].endpoints[web]"}},
		{"websocket that holds VNC", vnc, "{password_env: PW}", nil},
		{"websocket that holds VNC without a password", vnc, "{}", []string{"apps[a].viewing: "}},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := fmt.Sprintf("version: 1\napps:\n- {id: a, title: A, image: localhost/a:1, endpoints: [%s], viewing: %s}\n", test.endpoints, test.viewing)
			c, err := catalog.Parse("x.yaml", []byte(text), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			got := c.Warnings()
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			for i, w := range got {
				if !strings.HasPrefix(w.String(), test.want[i]) || w.Hint == "" {
					t.Errorf("got %v, want %v", w, test.want[i])
				}
			}
		})
	}
}

// TestBuildWarnings: the package is taken without a checksum only where it is
// taken.
func TestBuildWarnings(t *testing.T) {
	c, err := catalog.Load("../catalog.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args map[string]string
		want int
	}{
		{nil, 1}, {map[string]string{"VNC_SERVER": "tigervnc"}, 0}, {map[string]string{"TURBOVNC_SHA256": "0123"}, 0},
	} {
		if got := c.BuildWarnings(test.args); len(got) != test.want {
			t.Errorf("with %v: %v", test.args, got)
		}
	}
}
