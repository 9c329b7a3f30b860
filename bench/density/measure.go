//go:build linux

package main

import (
	"context"
	"strconv"
	"time"

	"sage/bench/internal/gateway"
	"sage/bench/internal/proc"
	"sage/stream"
)

// warmUp is how many streams a gateway carries beside those that are measured, so that what is made once is not counted.
const warmUp = 20

// row is what was found for one number of streams.
type row struct {
	streams int
	opening time.Duration // Of all.
	asIs    float64       // Bytes per stream at the end of the quiet time.
	memory  float64       // The same once garbage is collected and what is free is given back.
	files   float64       // Per stream.
	cpu     float64       // Part of one processor, over the quiet time.
	pings   float64       // That each stream has answered in it.
	others  float64       // Part of the machine that others used in it.
}

// state is what a gateway uses at one moment.
type state struct {
	memory int64
	files  int
}

// measure opens so many streams through a new gateway and leaves them alone.
func measure(ctx context.Context, streams int, quiet time.Duration) (*row, error) {
	server, err := proc.Self(ctx, serverMode)
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	address, err := server.Line()
	if err != nil {
		return nil, err
	}
	g, err := gateway.Start(ctx, gateway.Endpoint{Protocol: stream.ProtocolRFB, Address: address})
	if err != nil {
		return nil, err
	}
	defer g.Stop()
	first, _, err := open(ctx, g, warmUp)
	if err != nil {
		return nil, err
	}
	defer first.Stop()
	before, err := look(g)
	if err != nil {
		return nil, err
	}
	viewers, opening, err := open(ctx, g, streams)
	if err != nil {
		return nil, err
	}
	defer viewers.Stop()
	r := &row{streams: streams, opening: opening}
	if err := r.rest(ctx, g, viewers, quiet); err != nil {
		return nil, err
	}
	memory, err := g.Memory()
	if err != nil {
		return nil, err
	}
	after, err := look(g)
	r.asIs, r.memory = r.per(memory-before.memory), r.per(after.memory-before.memory)
	r.files = r.per(int64(after.files - before.files))
	return r, err
}

// per gives the part of one stream.
func (r *row) per(n int64) float64 { return float64(n) / float64(r.streams) }

// look gives what the gateway uses, without what it has not thrown away yet.
func look(g *gateway.Process) (s state, err error) {
	if err := g.Collect(); err != nil {
		return s, err
	}
	if s.memory, err = g.Memory(); err != nil {
		return s, err
	}
	s.files, err = g.Files()
	return s, err
}

// open starts viewers and gives the time in which they have opened their streams.
func open(ctx context.Context, g *gateway.Process, streams int) (*proc.Process, time.Duration, error) {
	viewers, err := proc.Self(ctx, viewersMode, "-address", g.Address, "-path", gateway.Path, "-streams", strconv.Itoa(streams))
	if err != nil {
		return nil, 0, err
	}
	line, err := viewers.Line()
	if err != nil {
		viewers.Stop()
		return nil, 0, err
	}
	took, err := strconv.ParseInt(line, 10, 64)
	return viewers, time.Duration(took), err
}

// rest leaves the streams alone, with their pings.
func (r *row) rest(ctx context.Context, g *gateway.Process, viewers *proc.Process, quiet time.Duration) error {
	pings, err := answered(viewers)
	if err != nil {
		return err
	}
	others, err := proc.WatchBystanders()
	if err != nil {
		return err
	}
	before, err := proc.CPU(g.Process)
	if err != nil {
		return err
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(quiet):
	}
	after, err := proc.CPU(g.Process)
	if err != nil {
		return err
	}
	r.cpu = (after - before).Seconds() / time.Since(began).Seconds()
	if r.others, err = others.Share(); err != nil {
		return err
	}
	all, err := answered(viewers)
	r.pings = r.per(all - pings)
	return err
}

// answered gives how many pings the viewers have answered so far.
func answered(viewers *proc.Process) (int64, error) {
	line, err := viewers.Ask("pings")
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(line, 10, 64)
}
