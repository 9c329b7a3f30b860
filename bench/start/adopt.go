package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// adopted is how many desktops a new daemon finds, adoptions how often.
	adopted, adoptions = 20, 5
	// startsAtOnce keeps the making of them within what the machine has.
	startsAtOnce = 4
)

// measureAdoption times a daemon from its start until it serves, with the
// desktops of its predecessor and with none.
func measureAdoption(ctx context.Context, e *engine, binary string, out io.Writer) error {
	none, err := timedBoots(e, binary)
	if err != nil {
		return err
	}
	if err := inDaemon(e, binary, func(d *daemon) error {
		return some(func(uid string) error { return d.start(ctx, uid) })
	}); err != nil {
		return err
	}
	all, err := timedBoots(e, binary)
	err = errors.Join(err, inDaemon(e, binary, func(d *daemon) error {
		return some(func(uid string) error { return d.remove(ctx, uid) })
	}))
	if err != nil {
		return err
	}
	ratios := make([]time.Duration, adoptions)
	for i := range ratios {
		ratios[i] = ratio(all[i], none[i])
	}
	row(out, e, fmt.Sprintf("daemon up with %d desktops to find (second: with none)", adopted), all, none, ratios)
	return nil
}

// timedBoots starts daemons one after the other.
func timedBoots(e *engine, binary string) ([]time.Duration, error) {
	var boots []time.Duration
	for range adoptions {
		var d *daemon
		took, err := timed(func() (err error) {
			d, err = startDaemon(binary, e)
			return err
		})
		if err != nil {
			return nil, err
		}
		if err := d.stop(); err != nil {
			return nil, err
		}
		boots = append(boots, took)
	}
	return boots, nil
}

// inDaemon does it with a daemon of its own.
func inDaemon(e *engine, binary string, do func(*daemon) error) error {
	d, err := startDaemon(binary, e)
	if err != nil {
		return err
	}
	return errors.Join(do(d), d.stop())
}

// some does it for every desktop that is to be found, a few at a time.
func some(do func(uid string) error) error {
	var work errgroup.Group
	work.SetLimit(startsAtOnce)
	for i := range adopted {
		work.Go(func() error { return do("adopted-" + strconv.Itoa(i)) })
	}
	return work.Wait()
}
