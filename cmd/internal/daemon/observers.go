package daemon

import (
	"context"
	"time"

	"sage/metrics"
	"sage/session"
	"sage/tracing"
)

// observers tells each of them everything.
type observers []session.Observer

// Started is session.Observer.
func (all observers) Started(r session.StartReport) {
	for _, o := range all {
		o.Started(r)
	}
}

// Pictured is session.Observer.
func (all observers) Pictured(app string, after time.Duration) {
	for _, o := range all {
		o.Pictured(app, after)
	}
}

// Stopping is session.Observer.
func (all observers) Stopping(app string, reason session.StopReason) {
	for _, o := range all {
		o.Stopping(app, reason)
	}
}

// observe counts, and sends traces where an endpoint for them is set.
func (d *Daemon) observe(ctx context.Context, counts *metrics.Metrics) (session.Observer, error) {
	if !tracing.Wanted() {
		return counts, nil
	}
	tracer, err := tracing.New(ctx, d.cfg.Version)
	if err != nil {
		return nil, err
	}
	d.onClose("traces", func(ctx context.Context) error {
		if err := tracer.Close(ctx); err != nil {
			d.cfg.Logger.Warn("the last traces were not sent", "error", err)
		}
		return nil
	})
	d.cfg.Logger.Info("starts are traced")
	return observers{counts, tracer}, nil
}
