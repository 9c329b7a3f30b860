package e2e_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sage/httpapi/api"
	"sage/rfb"
)

// publicName is Sage's in the proxies' configurations.
const publicName = "sage.example.org"

// TestProxies drives a real desktop through each reverse proxy of deploy/proxy that is a program here, as it is configured
// there: with TLS, under a public name, with Sage on loopback behind it.
func TestProxies(t *testing.T) {
	e := connect(t, "docker")
	e.bringImages(t, "desktop")
	for _, p := range []struct {
		program, file string
		// whole makes a configuration of the file's text; args and check are how the program runs it and judges it.
		whole       func(dir, text string) string
		args, check func(config string) []string
	}{
		{
			"nginx", "nginx.conf",
			func(dir, text string) string {
				return "pid " + dir + "/pid; error_log stderr; events {} http { access_log off;\n" + text + "\n}\n"
			},
			func(config string) []string { return []string{"-e", "stderr", "-g", "daemon off;", "-c", config} },
			func(config string) []string { return []string{"-t", "-e", "stderr", "-c", config} },
		},
		{
			"caddy", "Caddyfile",
			func(dir, text string) string {
				return "{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system " + dir + "\n}\n" + text
			},
			func(config string) []string { return []string{"run", "--adapter", "caddyfile", "--config", config} },
			func(config string) []string {
				return []string{"validate", "--adapter", "caddyfile", "--config", config}
			},
		},
	} {
		t.Run(p.program, func(t *testing.T) {
			need(t, p.program, "scripts/setup.sh test installs it")
			d := serve(t, e, settings{"SAGE_ALLOWED_HOSTS": publicName, "SAGE_API_TOKEN": "sesame"})
			dir, port := t.TempDir(), freePort(t)
			pool := certificate(t, dir)
			text, err := os.ReadFile(filepath.Join("..", "deploy", "proxy", p.file))
			if err != nil {
				t.Fatal(err)
			}
			ownKey := "\ttls " + dir + "/cert.pem " + dir + "/key.pem\n"
			placed := strings.NewReplacer(
				"127.0.0.1:4024", strings.TrimPrefix(d.address, "http://"),
				"/etc/nginx/tls/sage.example.org.crt", dir+"/cert.pem", "/etc/nginx/tls/sage.example.org.key", dir+"/key.pem",
				"listen 443 ", "listen 127.0.0.1:"+port+" ", "listen [::]:443 ssl http2;", "",
				publicName+" {\n", publicName+":"+port+" {\n"+ownKey,
			).Replace(string(text))
			config := filepath.Join(dir, "config")
			if err := os.WriteFile(config, []byte(p.whole(dir, placed)), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), p.program, p.check(config)...).CombinedOutput(); err != nil {
				t.Fatalf("%s does not take its configuration: %v\n%s", p.program, err, out)
			}
			proxy := exec.Command(p.program, p.args(config)...)
			proxy.Env = append(os.Environ(), "HOME="+dir)
			out := &strings.Builder{}
			proxy.Stdout, proxy.Stderr = out, out
			if err := proxy.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = proxy.Process.Signal(syscall.SIGTERM)
				_ = proxy.Wait() // It was told to end.
				if t.Failed() {
					t.Log(out.String())
				}
			})
			testProxy(t, d, visitor(pool, port), "https://"+publicName+":"+port)
		})
	}
}

// testProxy is what a person's browser does behind a proxy: a start, its events, and the desktop.
func testProxy(t *testing.T, d *daemon, client *http.Client, address string) {
	const token = "Authorization: Bearer sesame"
	front := &daemon{t: t, e: d.e, address: address, client: client, uids: map[string]bool{}}
	front.awaitReady(t)
	d.know("alice")
	a := front.ask(t, http.MethodPost, "/api/vm/any/alice", `{"vm":"desktop"}`, token, "Origin: "+address)
	if a.status != http.StatusOK {
		t.Fatalf("start: %d %s", a.status, a.body)
	}
	var s api.StartResponse
	a.decode(t, &s)
	// Events come at once, and not when a buffer is full.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/api/vm/alice/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sesame")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 256)
	if n, err := resp.Body.Read(first); err != nil || !strings.Contains(string(first[:n]), "alice") {
		t.Errorf("events begin with %q, %v", first[:n], err)
	}
	ws, answer, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(address, "https")+s.URL+"/vnc", &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{"binary"}, HTTPHeader: http.Header{"Origin": {address}},
	})
	if err != nil {
		t.Fatalf("open the stream: %v (%s)", err, status(answer))
	}
	ws.SetReadLimit(-1)
	look, err := rfb.NewClient(t.Context(), alive(websocket.NetConn(t.Context(), ws, websocket.MessageBinary)), rfb.Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close()
	(&screen{look}).await(t, "proxy", showsTerminal)
}

// visitor is a browser that finds the public name here.
func visitor(pool *x509.CertPool, port string) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	var dialer net.Dialer
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, "127.0.0.1:"+port)
	}
	return &http.Client{Transport: transport}
}

// certificate writes one for the public name, and gives who vouches for it.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: publicName}, DNSNames: []string{publicName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}
