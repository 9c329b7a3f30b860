package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/rfb"
)

const (
	// rounds is how many pairs are measured, and crowd how many start at once.
	rounds, crowd = 15, 10
	crowdRounds   = 3
	firstPort     = 16000
	locatePause   = 2 * time.Millisecond
)

// measure fills the rows of one engine.
func measure(ctx context.Context, name, binary string, out io.Writer) (err error) {
	e, err := newEngine(name)
	if err != nil {
		return err
	}
	if e.data, err = os.MkdirTemp("", "sage-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(e.data)) }()
	if err := measureAdoption(ctx, e, binary, out); err != nil {
		return err
	}
	d, err := startDaemon(binary, e)
	if err != nil {
		return err
	}
	err = errors.Join(measureStarts(ctx, e, d, out), measureCrowd(ctx, e, d, out), measureLocate(ctx, e, d, out))
	return errors.Join(err, d.stop())
}

// measureStarts pairs starts through Sage with starts by hand, in turn, after
// one pair that is not counted.
func measureStarts(ctx context.Context, e *engine, d *daemon, out io.Writer) error {
	var sage, own, ratios []time.Duration
	for i := range rounds + 1 {
		a, err := timed(func() error { return d.start(ctx, "round") })
		if err := errors.Join(err, d.remove(ctx, "round")); err != nil {
			return err
		}
		b, err := timed(func() error { return e.start(ctx, "sage-bench-own", firstPort) })
		if err := errors.Join(err, e.remove(ctx, "sage-bench-own")); err != nil {
			return err
		}
		if i > 0 {
			sage, own, ratios = append(sage, a), append(own, b), append(ratios, ratio(a, b))
		}
	}
	row(out, e, "POST to RFB greeting", sage, own, ratios)
	return nil
}

// measureCrowd starts many at once, through Sage and by hand.
func measureCrowd(ctx context.Context, e *engine, d *daemon, out io.Writer) error {
	var sage, own, ratios []time.Duration
	for range crowdRounds {
		a, err := together(func(i int) error { return d.start(ctx, "crowd-"+strconv.Itoa(i)) })
		_, undo := together(func(i int) error { return d.remove(ctx, "crowd-"+strconv.Itoa(i)) })
		if err := errors.Join(err, undo); err != nil {
			return err
		}
		b, err := together(func(i int) error { return e.start(ctx, "sage-bench-own-"+strconv.Itoa(i), firstPort+2*i) })
		_, undo = together(func(i int) error { return e.remove(ctx, "sage-bench-own-"+strconv.Itoa(i)) })
		if err := errors.Join(err, undo); err != nil {
			return err
		}
		sage, own, ratios = append(sage, a), append(own, b), append(ratios, ratio(a, b))
	}
	row(out, e, fmt.Sprintf("%d starts at once", crowd), sage, own, ratios)
	return nil
}

// measureLocate asks for a running desktop again and again, at rest and while
// others start. Its last columns are "at rest" instead of the engine's program.
func measureLocate(ctx context.Context, e *engine, d *daemon, out io.Writer) error {
	if err := d.start(ctx, "located"); err != nil {
		return err
	}
	locate := func(ctx context.Context) ([]time.Duration, error) {
		var took []time.Duration
		for ctx.Err() == nil {
			t, err := timed(func() error {
				_, err := d.Locate(context.WithoutCancel(ctx), "located")
				return err
			})
			if err != nil {
				return nil, err
			}
			took = append(took, t)
			// The starts need the processors, too.
			select {
			case <-ctx.Done():
			case <-time.After(locatePause):
			}
		}
		return took, nil
	}
	rest, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	quiet, err := locate(rest)
	if err != nil {
		return err
	}
	busy, cancel := context.WithCancel(ctx)
	defer cancel()
	var loaded []time.Duration
	var work errgroup.Group
	work.Go(func() (err error) {
		loaded, err = locate(busy)
		return err
	})
	_, err = together(func(i int) error { return d.start(ctx, "crowd-"+strconv.Itoa(i)) })
	cancel()
	err = errors.Join(err, work.Wait())
	_, undo := together(func(i int) error { return d.remove(ctx, "crowd-"+strconv.Itoa(i)) })
	if err := errors.Join(err, undo, d.remove(ctx, "located")); err != nil {
		return err
	}
	slices.Sort(quiet)
	slices.Sort(loaded)
	for _, p := range []int{50, 99} {
		a, b := percentile(loaded, p), percentile(quiet, p)
		fmt.Fprintf(out, "%s\tGET .../ws during %d starts, p%d of %d\t%s\tat rest: %s\t%.2f\n",
			e.name, crowd, p, len(loaded), a.Round(time.Microsecond), b.Round(time.Microsecond), float64(a)/float64(b))
	}
	fmt.Fprintf(out, "%s\tGET .../ws during %d starts, longest\t%s\tat rest: %s\t%.2f\n", e.name, crowd,
		loaded[len(loaded)-1].Round(time.Microsecond), quiet[len(quiet)-1].Round(time.Microsecond),
		float64(loaded[len(loaded)-1])/float64(quiet[len(quiet)-1]))
	return nil
}

// start runs the desktop by hand and dials it until it greets.
func (e *engine) start(ctx context.Context, name string, port int) error {
	if err := e.run(ctx, name, port); err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_, err = rfb.ReadGreeting(conn)
			conn.Close()
		}
		if err == nil {
			return nil
		}
		// As often as Sage looks.
		select {
		case <-ctx.Done():
		case <-time.After(15 * time.Millisecond):
		}
	}
	return ctx.Err()
}

func timed(do func() error) (time.Duration, error) {
	began := time.Now()
	err := do()
	return time.Since(began), err
}

// together does it for the whole crowd at once.
func together(do func(i int) error) (time.Duration, error) {
	return timed(func() error {
		var all errgroup.Group
		for i := range crowd {
			all.Go(func() error { return do(i) })
		}
		return all.Wait()
	})
}

// ratio is a/b in thousandths, kept as a Duration so that one median serves all.
func ratio(a, b time.Duration) time.Duration { return a * 1000 / b }

func row(out io.Writer, e *engine, what string, sage, own, ratios []time.Duration) {
	for _, list := range [][]time.Duration{sage, own, ratios} {
		slices.Sort(list)
	}
	thousandths := func(d time.Duration) float64 { return float64(d) / 1000 }
	fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%.2f (%.2f..%.2f)\n", e.name, what,
		percentile(sage, 50).Round(time.Millisecond), percentile(own, 50).Round(time.Millisecond),
		thousandths(percentile(ratios, 50)), thousandths(ratios[0]), thousandths(ratios[len(ratios)-1]))
}

// percentile of a sorted list.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
