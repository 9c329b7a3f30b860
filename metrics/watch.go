package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"sage/catalog"
	"sage/session"
	"sage/stream"
)

// Sources are asked for what there is at the moment. They answer at once.
type Sources struct {
	Sessions func() []session.Session
	Streams  func() int
	Traffic  func() stream.Traffic
	Catalog  func() catalog.Status
}

// Watch adds what the sources tell whenever the metrics are asked for. It is
// called once.
func (m *Metrics) Watch(s Sources) {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		&sessions{list: s.Sessions, desc: prometheus.NewDesc("sage_sessions", "Desktops, by app and state.", []string{"app", "state"}, nil)},
		gauge("sage_streams", "Streams that are open.", func() float64 { return float64(s.Streams()) }),
		counter("sage_stream_received_bytes_total", "Bytes that came from clients.", func() float64 { return float64(s.Traffic().Received) }),
		counter("sage_stream_sent_bytes_total", "Bytes that went to clients.", func() float64 { return float64(s.Traffic().Sent) }),
		gauge("sage_catalog_generation", "Contents of the catalog that were taken into use since the start.",
			func() float64 { return float64(s.Catalog().Generation) }),
		gauge("sage_catalog_last_reload_successful", "Whether the last attempt to read the catalog succeeded.", func() float64 {
			if s.Catalog().Err != nil {
				return 0
			}
			return 1
		}),
		gauge("sage_catalog_last_reload_success_timestamp_seconds", "When the catalog in use was read.",
			func() float64 { return float64(s.Catalog().LoadedAt.UnixMilli()) / 1000 }),
	)
}

// sessions counts desktops when it is asked.
type sessions struct {
	list func() []session.Session
	desc *prometheus.Desc
}

// Describe is prometheus.Collector.
func (s *sessions) Describe(out chan<- *prometheus.Desc) { out <- s.desc }

// Collect is prometheus.Collector.
func (s *sessions) Collect(out chan<- prometheus.Metric) {
	type key struct {
		app   string
		state session.State
	}
	counts := map[key]int{}
	for _, d := range s.list() {
		counts[key{d.App, d.State}]++
	}
	for k, n := range counts {
		out <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, float64(n), k.app, string(k.state))
	}
}
