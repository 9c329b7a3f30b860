// Package metrics counts what a daemon does, for Prometheus.
//
// It promises names by Prometheus' conventions, that a label's values are
// bounded (apps of the catalog, states, kinds of errors; never a uid), and that
// counting holds nobody up. The packages that it looks at know nothing of it:
// it implements their observers, wraps their interfaces, and asks them when it
// is asked. It must not change what it measures.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sage/session"
)

// Metrics are those of one daemon. It is a session.Observer, and may be used
// from any number of goroutines.
type Metrics struct {
	registry *prometheus.Registry

	starts        *prometheus.CounterVec
	startFailures *prometheus.CounterVec
	startTime     *prometheus.HistogramVec
	phaseTime     *prometheus.HistogramVec
	pictureTime   *prometheus.HistogramVec
	stops         *prometheus.CounterVec
	engineCalls   *prometheus.CounterVec
	engineTime    *prometheus.HistogramVec
	refused       *prometheus.CounterVec
	dropped       prometheus.Counter
}

var _ session.Observer = (*Metrics)(nil)

// New makes the metrics of a program of that version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		starts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sage_starts_total", Help: "Starts of desktops that have ended, by result: ready, failed or stopped.",
		}, []string{"app", "result"}),
		startFailures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sage_start_failures_total", Help: "Starts that failed, by the phase in which they did.",
		}, []string{"app", "phase"}),
		startTime: histogram("sage_start_duration_seconds", "Time from a request to a desktop that answers.", "app"),
		phaseTime: histogram("sage_start_phase_duration_seconds", "Time of the phases of starts; image is a pull or build.", "phase"),
		pictureTime: histogram("sage_first_picture_seconds",
			"Time from the beginning of a start until its first client had been sent a picture, for endpoints that speak RFB.", "app"),
		stops: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sage_stops_total", Help: "Desktops that ran and were taken away, by reason.",
		}, []string{"app", "reason"}),
		engineCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sage_engine_calls_total", Help: "Calls to the container engine, by result: ok, or the kind of the error.",
		}, []string{"op", "result"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sage_refused_requests_total", Help: "Requests that were refused for who asked, by the code of the refusal.",
		}, []string{"code"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sage_dropped_connections_total", Help: "Connections that were closed because a limit on connections was met.",
		}),
		engineTime: histogram("sage_engine_call_duration_seconds", "Time of calls to the container engine.", "op"),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sage_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	m.registry.MustRegister(
		m.starts, m.startFailures, m.startTime, m.phaseTime, m.pictureTime, m.stops, m.engineCalls, m.engineTime, m.refused, m.dropped, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// histogram has buckets from what one engine call takes to what an image may.
func histogram(name, help, label string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800},
	}, []string{label})
}

// Handler serves the metrics in the form that the client asks for.
func (m *Metrics) Handler() http.Handler {
	return promhttp.InstrumentMetricHandler(m.registry, promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
}

// Refused counts a request that was refused for who asked; code is one of the API's.
func (m *Metrics) Refused(code string) { m.refused.WithLabelValues(code).Inc() }

// Dropped counts a connection that a limit closed.
func (m *Metrics) Dropped() { m.dropped.Inc() }

// Started is session.Observer.
func (m *Metrics) Started(r session.StartReport) {
	m.starts.WithLabelValues(r.App, string(r.Outcome)).Inc()
	for _, p := range r.Phases {
		m.phaseTime.WithLabelValues(string(p.Phase)).Observe(p.Ended.Sub(p.Began).Seconds())
	}
	switch r.Outcome {
	case session.OutcomeReady:
		m.startTime.WithLabelValues(r.App).Observe(r.Ended.Sub(r.Began).Seconds())
	case session.OutcomeFailed:
		m.startFailures.WithLabelValues(r.App, string(r.Phases[len(r.Phases)-1].Phase)).Inc()
	}
}

// Pictured is session.Observer.
func (m *Metrics) Pictured(app string, after time.Duration) {
	m.pictureTime.WithLabelValues(app).Observe(after.Seconds())
}

// Stopping is session.Observer.
func (m *Metrics) Stopping(app string, reason session.StopReason) {
	m.stops.WithLabelValues(app, string(reason)).Inc()
}
