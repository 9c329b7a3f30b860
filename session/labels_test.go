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
		uid: "alice-2f9c", app: "desktop", token: "secret", spec: "f00d",
		endpoints: []catalog.Endpoint{
			{Name: "vnc", Protocol: catalog.RFB, Port: 5900},
			{Name: "web", Protocol: catalog.WebSocket, Port: 6080, Path: "/web/sockify:1"},
			{Name: "audio", Protocol: catalog.TCP, Port: 65535},
		},
		limits: runtime.Limits{CPUs: 0.25, MemoryBytes: 2 << 30, PIDs: 512},
		home:   "/home/sage",
	}
}

func TestLabelsRoundTrip(t *testing.T) {
	opts, want := labelled()
	labels := opts.labels(want)
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
		{"version of another sage", labelVersion, "2", false, labelVersion},
		{"no version", labelVersion, "", true, labelVersion},
		{"no uid", labelUID, "", true, labelUID},
		{"bad uid", labelUID, "../x", false, labelUID},
		{"no token", labelToken, "", true, labelToken},
		{"empty token", labelToken, "", false, labelToken},
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
			labels := maps.Clone(opts.labels(id))
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
	labels := opts.labels(want)
	delete(labels, labelLimits)
	delete(labels, labelHome)
	want.limits, want.home = runtime.Limits{}, ""
	if got, err := parseLabels(labels); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}
