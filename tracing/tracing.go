// Package tracing sends a trace of every start to an OpenTelemetry collector.
//
// It promises that nothing is sent, and nothing costs anything, unless an
// endpoint is set (OTEL_EXPORTER_OTLP_ENDPOINT or its form for traces; the
// exporter reads these and the other OTEL_ variables itself). It makes spans of
// what it is told when a start has ended, so nothing below knows of it. It must
// not hold a start up.
package tracing

import (
	"context"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"sage/session"
)

// Tracer makes traces of starts. It is a session.Observer, and may be used from
// any number of goroutines.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

var _ session.Observer = (*Tracer)(nil)

// Wanted tells whether an endpoint is set.
func Wanted() bool {
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// New makes a Tracer that sends over HTTP to the endpoint of the environment. It
// does not connect. The service is called sage unless OTEL_SERVICE_NAME or
// OTEL_RESOURCE_ATTRIBUTES say otherwise.
func New(ctx context.Context, version string) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("traces: %w: see OTEL_EXPORTER_OTLP_ENDPOINT", err)
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "sage"), attribute.String("service.version", version)),
		resource.WithFromEnv(), // What comes later wins.
	)
	if err != nil {
		return nil, fmt.Errorf("traces: %w: see OTEL_RESOURCE_ATTRIBUTES", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return &Tracer{provider: provider, tracer: provider.Tracer("sage/tracing")}, nil
}

// Close sends what is left, at most until ctx ends.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Started is session.Observer: the start is the root of a trace, its phases are
// below it.
func (t *Tracer) Started(r session.StartReport) {
	ctx, root := t.tracer.Start(context.Background(), "start", trace.WithNewRoot(), trace.WithTimestamp(r.Began), trace.WithAttributes(
		attribute.String("sage.uid", r.UID), attribute.String("sage.app", r.App), attribute.String("sage.outcome", string(r.Outcome)),
	))
	for i, p := range r.Phases {
		_, span := t.tracer.Start(ctx, string(p.Phase), trace.WithTimestamp(p.Began))
		if i == len(r.Phases)-1 {
			fail(span, r.Err)
		}
		span.End(trace.WithTimestamp(p.Ended))
	}
	fail(root, r.Err)
	root.End(trace.WithTimestamp(r.Ended))
}

// fail marks a span as failed where there is an error.
func fail(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}

// Pictured is session.Observer; it has no span.
func (t *Tracer) Pictured(string, time.Duration) {}

// Stopping is session.Observer; it has no span.
func (t *Tracer) Stopping(string, session.StopReason) {}
