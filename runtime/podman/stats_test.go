package podman

import (
	"encoding/json"
	"testing"
	"time"

	"sage/runtime"
)

func TestStatsOfBothVersions(t *testing.T) {
	at := time.Unix(1700000000, 5).UTC()
	for name, test := range map[string]struct {
		said   string
		rx, tx int64
	}{
		"version 4":  {`"NetInput":11,"NetOutput":22`, 11, 22},
		"version 5":  {`"Network":{"eth0":{"RxBytes":1,"TxBytes":2},"eth1":{"RxBytes":10,"TxBytes":20}}`, 11, 22},
		"no network": {`"Network":null`, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			var found usage
			text := `{"SystemNano":1700000000000000005,"CPUNano":1500,"MemUsage":1000,"MemLimit":4000,"PIDs":6,` + test.said + `}`
			if err := json.Unmarshal([]byte(text), &found); err != nil {
				t.Fatal(err)
			}
			want := runtime.Stats{At: at, CPU: 1500, MemoryBytes: 1000, MemoryLimitBytes: 4000, PIDs: 6, NetworkRxBytes: test.rx, NetworkTxBytes: test.tx}
			if got := stats(found); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
