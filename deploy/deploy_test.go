// Package deploy_test checks what an operator starts from with the programs that will read it.
package deploy_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"sage/catalog"
	"sage/metrics"
	"sage/runtime/fake"
	"sage/session"
	"sage/stream"
)

// tool finds a program that scripts/setup.sh installs. Where no set-up was asked for, the test is left out.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("SAGE_TEST_ENGINES") == "none" {
		t.Skipf("%s is not installed", name)
	} else if err != nil {
		t.Fatalf("%v: scripts/setup.sh test installs it", err)
	}
	return path
}

// execute runs a program that has to succeed.
func execute(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	output(t, dir, name, args...)
}

// output is execute, and gives what the program said.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPrometheusRules(t *testing.T) {
	promtool := tool(t, "promtool")
	execute(t, "prometheus", promtool, "check", "rules", "sage-rules.yaml")
	execute(t, "prometheus", promtool, "test", "rules", "sage-rules-test.yaml")
	execute(t, "prometheus", promtool, "check", "config", "--syntax-only", "prometheus.yaml")
}

// TestMetricsThatAreAskedFor: rules and dashboard use no metric that Sage does not have.
func TestMetricsThatAreAskedFor(t *testing.T) {
	has := known(t)
	for _, file := range []string{"prometheus/sage-rules.yaml", "prometheus/sage-rules-test.yaml", "grafana/sage.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		asked := regexp.MustCompile(`\b(sage|go|process)_[a-z_]+\b`).FindAllString(string(text), -1)
		if len(asked) < 5 {
			t.Errorf("%s asks for %v", file, asked)
		}
		for _, name := range asked {
			if !has[name] {
				t.Errorf("%s asks for %s, which there is not", file, name)
			}
		}
	}
}

// TestDashboard: every metric of Sage's own is shown, and every panel says from where.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("grafana/sage.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID    string
		Panels []struct {
			ID         int
			Title      string
			Datasource struct{ UID string }
			Targets    []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	shown, ids := "", map[int]bool{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %+v", p)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			shown += target.Expr + "\n"
		}
	}
	for name := range known(t) {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "sage_") && !strings.Contains(shown, base) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// known are the names of all metrics, with and without the endings of histograms.
func known(t *testing.T) map[string]bool {
	t.Helper()
	m := metrics.New("v1")
	m.Watch(metrics.Sources{
		Sessions: func() []session.Session { return []session.Session{{App: "a", State: session.Ready}} },
		Streams:  func() int { return 0 }, Traffic: func() stream.Traffic { return stream.Traffic{} },
		Catalog: func() catalog.Status { return catalog.Status{} },
	})
	phases := []session.PhaseReport{{Phase: session.PhaseCreate}}
	for _, outcome := range []session.Outcome{session.OutcomeReady, session.OutcomeFailed} {
		m.Started(session.StartReport{App: "a", Phases: phases, Outcome: outcome})
	}
	m.Pictured("a", time.Second)
	m.Stopping("a", session.StopIdle)
	m.Refused("unauthorized")
	if _, err := m.Runtime(fake.New(fake.Options{})).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	names := map[string]bool{}
	for line := range strings.Lines(answer.Body.String()) {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			names[name] = true
			names[strings.TrimSuffix(name, "_bucket")] = true // As its help and words for people call it.
		}
	}
	return names
}

// TestFilesAskForNoAnonymousSage: an operator who only changes the published address of a file gets a refusal, and a log
// that is not bounded fills the disk.
func TestFilesAskForNoAnonymousSage(t *testing.T) {
	for file, wants := range map[string][]string{
		"compose.yaml":           {`SAGE_PUBLISHED_ON_LOOPBACK: "true"`, `"127.0.0.1:${SAGE_PORT:-4024}:4024"`, "max-size"},
		"quadlet/sage.container": {"SAGE_PUBLISHED_ON_LOOPBACK=true", "PublishPort=127.0.0.1:4024:4024"},
		"Containerfile":          {"SAGE_LISTEN=0.0.0.0:4024"},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "SAGE_ALLOW_ANONYMOUS") {
			t.Errorf("%s lets everybody in", file)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %s", file, want)
			}
		}
	}
}
