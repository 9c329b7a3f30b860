package session

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"sage/catalog"
	"sage/runtime"
)

func labelled() (*Options, identity) {
	return &Options{Instance: "one", BaseName: "collab-vm-"}, identity{
		uid: "alice-2f9c", app: "desktop", desktop: newToken(), spec: "f00d",
		endpoints: []catalog.Endpoint{
			{Name: "vnc", Protocol: catalog.RFB, Port: 5900},
			{Name: "web", Protocol: catalog.WebSocket, Port: 6080, Path: "/web/sockify:1"},
			{Name: "audio", Protocol: catalog.TCP, Port: 65535, Secret: true},
		},
		limits: runtime.Limits{CPUs: 0.25, MemoryBytes: 2 << 30, PIDs: 512},
		home:   "/home/sage",
	}
}

func TestLabelsRoundTrip(t *testing.T) {
	opts, want := labelled()
	labels := opts.labels(want, key{1})
	got, err := parseLabels(labels)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, selector := range []map[string]string{opts.selector().Labels, opts.selectorFor(want.uid).Labels} {
		for name, value := range selector {
			if labels[name] != value {
				t.Errorf("selector wants %s=%q, label is %q", name, value, labels[name])
			}
		}
	}
}

func TestDamagedLabels(t *testing.T) {
	tests := []struct {
		name, label, value string
		remove             bool
		want               string
	}{
		{"version of another sage", labelVersion, "3", false, labelVersion},
		{"no version", labelVersion, "", true, labelVersion},
		{"no uid", labelUID, "", true, labelUID},
		{"bad uid", labelUID, "../x", false, labelUID},
		{"no desktop", labelDesktop, "", true, labelDesktop},
		{"empty desktop", labelDesktop, "", false, labelDesktop},
		{"long desktop", labelDesktop, strings.Repeat("a", 60), false, labelDesktop},
		{"no endpoints", labelEndpoints, "", true, labelEndpoints},
		{"endpoint without name", labelEndpoints, "=rfb:5900", false, labelEndpoints},
		{"endpoint without protocol", labelEndpoints, "vnc=5900", false, labelEndpoints},
		{"endpoint with an empty protocol", labelEndpoints, "vnc=:5900", false, labelEndpoints},
		{"endpoint of an unknown protocol", labelEndpoints, "vnc=carrier-pigeon:5900", false, labelEndpoints},
		{"endpoint without port", labelEndpoints, "vnc=rfb:", false, labelEndpoints},
		{"port zero", labelEndpoints, "vnc=rfb:0", false, labelEndpoints},
		{"port too large", labelEndpoints, "vnc=rfb:65536", false, labelEndpoints},
		{"negative port", labelEndpoints, "vnc=rfb:-1", false, labelEndpoints},
		{"trailing comma", labelEndpoints, "vnc=rfb:5900,", false, labelEndpoints},
		{"limit that is no number", labelLimits, "cpus=1,memory=much,pids=1", false, labelLimits},
		{"negative limit", labelLimits, "cpus=1,memory=-1,pids=1", false, labelLimits},
		{"limits with an end", labelLimits, "cpus=1,memory=1,pids=1,", false, labelLimits},
		{"no text at all", labelEndpoints, "\x00\xff", false, labelEndpoints},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			opts, id := labelled()
			labels := maps.Clone(opts.labels(id, key{1}))
			labels[test.label] = test.value
			if test.remove {
				delete(labels, test.label)
			}
			if got, err := parseLabels(labels); err == nil {
				t.Errorf("understood as %+v", got)
			} else if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q does not name %s", err, test.want)
			}
		})
	}
}

// TestLabelsOfAnEarlierSage: what it did not write is not known, and no damage.
func TestLabelsOfAnEarlierSage(t *testing.T) {
	opts, want := labelled()
	labels := opts.labels(want, key{1})
	delete(labels, labelLimits)
	delete(labels, labelHome)
	delete(labels, labelDesktop)
	want.limits, want.home, want.desktop, want.token = runtime.Limits{}, "", "", newToken()
	labels[labelVersion], labels[labelToken] = earlierLabelsVersion, want.token
	if got, err := parseEarlierLabels(labels); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// FuzzLabels: no label ends the process, and what is read can be written.
func FuzzLabels(f *testing.F) {
	opts, id := labelled()
	labels := opts.labels(id, key{1})
	for _, endpoints := range []string{labels[labelEndpoints], "vnc=rfb+vnc:5900", "a=tcp:1,a=tcp:1"} {
		f.Add("alice", strings.Repeat("a", 60), "abcdefgh", endpoints, labels[labelLimits], "both")
	}
	f.Fuzz(func(t *testing.T, uid, token, password, endpoints, limits, viewing string) {
		labels := map[string]string{
			labelVersion: labelsVersion, labelUID: uid, labelToken: token, labelPassword: password, labelDesktop: token,
			labelEndpoints: endpoints, labelLimits: limits, labelViewing: viewing,
		}
		for _, parse := range []func(map[string]string) (identity, error){parseLabels, parseEarlierLabels} {
			got, err := parse(labels)
			if err != nil {
				continue
			}
			if again, err := parseLabels(opts.labels(got, key{1})); got.desktop != "" && (err != nil || !reflect.DeepEqual(again.endpoints, got.endpoints)) {
				t.Errorf("%+v is read again as %+v, %v", got, again, err)
			}
			viewTokenOf(got.token)
			got.primary()
		}
	})
}
