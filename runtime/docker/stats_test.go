package docker

import (
	"net/http"
	"testing"
	"time"

	"sage/runtime"
)

func TestStats(t *testing.T) {
	const id = "00000000000000000000000000000000000000000000000000000000deadbeef"
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)
	tests := []struct {
		name, answer string
		want         runtime.Stats
		kind         error
	}{
		{
			"cgroup v1", `{"read":"2024-05-06T07:08:09.00000001Z","pids_stats":{"current":6},"cpu_stats":{"cpu_usage":{"total_usage":1500}},
				"memory_stats":{"usage":1000,"limit":4000,"stats":{"total_inactive_file":100,"inactive_file":7}},
				"networks":{"eth0":{"rx_bytes":1,"tx_bytes":2},"eth1":{"rx_bytes":10,"tx_bytes":20}}}`,
			runtime.Stats{At: at, CPU: 1500, MemoryBytes: 900, MemoryLimitBytes: 4000, PIDs: 6, NetworkRxBytes: 11, NetworkTxBytes: 22}, nil,
		},
		{
			"cgroup v2, without a network", `{"read":"2024-05-06T07:08:09.00000001Z","pids_stats":{"current":1},"cpu_stats":{"cpu_usage":{"total_usage":1}},
				"memory_stats":{"usage":1000,"limit":4000,"stats":{"inactive_file":5000}}}`,
			runtime.Stats{At: at, CPU: 1, MemoryLimitBytes: 4000, PIDs: 1, NetworkRxBytes: -1, NetworkTxBytes: -1}, nil,
		},
		{"does not run", `{"read":"0001-01-01T00:00:00Z"}`, runtime.Stats{}, runtime.ErrConflict},
		{"cut off", `{"read":"2024`, runtime.Stats{}, runtime.ErrUnavailable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := answered(t, map[string]transport{"/containers/" + id + "/stats": reply(http.StatusOK, test.answer)})
			got, err := r.Stats(t.Context(), id)
			if test.kind != nil {
				wantKind(t, err, "stats", test.kind)
			} else if err != nil || got != test.want {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
	t.Run("no control groups", func(t *testing.T) {
		r := answered(t, map[string]transport{"/info": reply(http.StatusOK, `{"CgroupDriver":"none"}`)})
		_, err := r.Stats(t.Context(), id)
		wantKind(t, err, "stats", runtime.ErrUnsupported)
	})
}
