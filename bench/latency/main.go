//go:build linux

// Command latency measures how long a VNC server takes from a key to the picture that it changes, and what that costs,
// for each server that is installed and for several settings of how it collects changes. The images take what is found
// here, see images/desktop/sage-desktop.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"sage/bench/internal/proc"
	"sage/bench/internal/stat"
	"sage/bench/internal/table"
	"sage/bench/internal/vnc"
	"sage/rfb"
)

func main() {
	rounds := flag.Int("rounds", 5, "how often everything is measured, in turn")
	keys := flag.Int("keys", 20, "keys of a round")
	film := flag.Duration("film", time.Second, "how long a field changes 200 times a second in a round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *keys, *film); err != nil {
		fmt.Fprintln(os.Stderr, "latency:", err)
		os.Exit(1)
	}
}

// setting is a server with one way of collecting changes.
type setting struct {
	name, program string
	args          []string

	server  *vnc.Server
	painter *painter
	client  *rfb.Client

	latency, keyCPU, filmCPU, updates []float64 // One figure for each round.
}

func settings() (all []*setting) {
	if path, err := exec.LookPath("Xtigervnc"); err == nil {
		for _, rate := range []string{"60", "30", "120", "240", "1000"} {
			args := []string{"-Log", "*:stderr:0", "-FrameRate", rate}
			all = append(all, &setting{name: "TigerVNC -FrameRate " + rate, program: path, args: args})
		}
	}
	if _, err := os.Stat(vnc.TurboVNC); err == nil {
		for _, wait := range []string{"40", "20", "10", "5", "1"} {
			args := []string{"-deferupdate", wait, "-noserverkeymap"}
			all = append(all, &setting{name: "TurboVNC -deferupdate " + wait, program: vnc.TurboVNC, args: args})
		}
	}
	return all
}

func run(ctx context.Context, rounds, keys int, film time.Duration) error {
	all := settings()
	if len(all) == 0 {
		return fmt.Errorf("no VNC server is installed")
	}
	for _, s := range all {
		if err := s.start(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		defer s.stop()
	}
	for range rounds {
		for _, s := range all {
			if err := s.round(ctx, keys, film); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	out := table.New(os.Stdout)
	fmt.Fprintln(out, "ratios to the first row\tkey to picture\tprocessor per key\tprocessor for a film\tupdates of a film\tmedian, ms")
	first := all[0]
	for _, s := range all {
		ratio := func(a, b []float64) string { return stat.Of(stat.Ratios(a, b)).Format(2) }
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.1f\n", s.name, ratio(s.latency, first.latency), ratio(s.keyCPU, first.keyCPU),
			ratio(s.filmCPU, first.filmCPU), ratio(s.updates, first.updates), stat.Of(s.latency).Median)
	}
	return out.Flush()
}

func (s *setting) start(ctx context.Context) (err error) {
	if s.server, err = vnc.StartProgram(ctx, s.program, 1280, 800, s.args...); err != nil {
		return err
	}
	if s.painter, err = paint(s.server.Display); err != nil {
		return err
	}
	go s.painter.answerKeys()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.server.Address)
	if err != nil {
		return err
	}
	if s.client, err = rfb.NewClient(ctx, conn, rfb.Options{Shared: true}); err != nil {
		return err
	}
	return s.client.Update(ctx, false)
}

func (s *setting) stop() {
	if s.client != nil {
		_ = s.client.Close()
	}
	if s.painter != nil {
		_ = s.painter.conn.Close()
	}
	if s.server != nil {
		s.server.Stop()
	}
}

// round presses keys, one whenever the last one's picture has come and a moment has passed, and then shows a film.
func (s *setting) round(ctx context.Context, keys int, film time.Duration) error {
	before, err := proc.CPU(s.server.Process)
	if err != nil {
		return err
	}
	var took []float64
	for i := range keys {
		// The server must be at rest, and not beat in time with the keys.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(60*time.Millisecond + time.Duration(i*7%20)*time.Millisecond):
		}
		pressed := time.Now()
		if err := s.client.Key(uint32('a'+i%26), true); err != nil {
			return err
		}
		if err := s.client.Update(ctx, true); err != nil {
			return err
		}
		took = append(took, float64(time.Since(pressed))/float64(time.Millisecond))
		if err := s.client.Key(uint32('a'+i%26), false); err != nil {
			return err
		}
	}
	between, err := proc.CPU(s.server.Process)
	if err != nil {
		return err
	}
	shown := make(chan error, 1)
	go func() { shown <- s.painter.animate(200, film) }()
	updates := 0
	for end := time.Now().Add(film * 9 / 10); time.Now().Before(end); updates++ {
		if err := s.client.Update(ctx, true); err != nil {
			return err
		}
	}
	if err := <-shown; err != nil {
		return err
	}
	after, err := proc.CPU(s.server.Process)
	if err != nil {
		return err
	}
	s.latency = append(s.latency, stat.Percentile(took, 50))
	s.keyCPU = append(s.keyCPU, float64(between-before))
	s.filmCPU = append(s.filmCPU, float64(after-between))
	s.updates = append(s.updates, float64(updates))
	return s.client.Update(ctx, false) // What the film left over.
}
