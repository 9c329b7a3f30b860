package deploy_test

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// TestTraefik: no package of Debian's has Traefik, so this is about the shape: every key is one of its dynamic or static
// configuration that this test knows, and names lead to what they name. nginx and Caddy are driven by the tests in e2e.
func TestTraefik(t *testing.T) {
	text, err := os.ReadFile("proxy/traefik.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var dynamic struct {
		HTTP struct {
			Routers map[string]struct {
				Rule, Service string
				EntryPoints   []string `yaml:"entryPoints"`
				TLS           struct {
					CertResolver string `yaml:"certResolver"`
				}
			}
			Services map[string]struct {
				LoadBalancer struct {
					PassHostHeader     bool `yaml:"passHostHeader"`
					ResponseForwarding struct {
						FlushInterval string `yaml:"flushInterval"`
					} `yaml:"responseForwarding"`
					Servers []struct{ URL string }
				} `yaml:"loadBalancer"`
			}
		}
	}
	if err := yaml.UnmarshalWithOptions(text, &dynamic, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	// The static part stands in a comment, five characters further right.
	_, comment, _ := strings.Cut(string(text), "configuration:\n#\n")
	comment, _, _ = strings.Cut(comment, "#\n")
	var static struct {
		EntryPoints map[string]struct {
			Address   string
			Transport struct {
				RespondingTimeouts struct {
					ReadTimeout string `yaml:"readTimeout"`
					IdleTimeout string `yaml:"idleTimeout"`
				} `yaml:"respondingTimeouts"`
			}
		} `yaml:"entryPoints"`
		CertificatesResolvers map[string]struct {
			ACME struct {
				Email, Storage string
				TLSChallenge   map[string]any `yaml:"tlsChallenge"`
			}
		} `yaml:"certificatesResolvers"`
	}
	uncommented := regexp.MustCompile(`(?m)^#     `).ReplaceAllString(comment, "")
	if err := yaml.UnmarshalWithOptions([]byte(uncommented), &static, yaml.Strict()); err != nil {
		t.Fatalf("%v\n%s", err, uncommented)
	}
	router := dynamic.HTTP.Routers["sage"]
	balancer := dynamic.HTTP.Services[router.Service].LoadBalancer
	if len(router.EntryPoints) != 1 || len(balancer.Servers) != 1 || !balancer.PassHostHeader || router.Rule != "Host(`sage.example.org`)" {
		t.Fatalf("%+v", dynamic)
	}
	if server, err := url.Parse(balancer.Servers[0].URL); err != nil || server.Host != "127.0.0.1:4024" {
		t.Errorf("the server is %v, %v", server, err)
	}
	entry, there := static.EntryPoints[router.EntryPoints[0]]
	if _, resolves := static.CertificatesResolvers[router.TLS.CertResolver]; !there || !resolves || entry.Address == "" {
		t.Errorf("%+v", static)
	}
	for _, span := range []string{balancer.ResponseForwarding.FlushInterval, entry.Transport.RespondingTimeouts.ReadTimeout, entry.Transport.RespondingTimeouts.IdleTimeout} {
		if _, err := time.ParseDuration(span); err != nil {
			t.Error(err)
		}
	}
}
