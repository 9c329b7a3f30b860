//go:build linux

package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/bench/internal/wire"
)

const (
	viewersMode = "viewers"
	// openAtOnce is how many streams are being opened at any moment.
	openAtOnce = 32
)

// serveViewers is the process of many viewers that only listen and answer pings: it opens all streams and says how many
// nanoseconds that took; whenever it is told something, it says how many pings were answered so far.
func serveViewers(args []string, in io.Reader, out io.Writer) error {
	var address, path string
	var streams int
	flags := flag.NewFlagSet(viewersMode, flag.ContinueOnError)
	flags.StringVar(&address, "address", "", "")
	flags.StringVar(&path, "path", "", "")
	flags.IntVar(&streams, "streams", 0, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	conns := make([]*wire.Conn, streams)
	began := time.Now()
	var work errgroup.Group
	work.SetLimit(openAtOnce)
	for i := range conns {
		work.Go(func() (err error) {
			if conns[i], err = wire.Dial(address, path, 0, false); err != nil {
				return err
			}
			return greeted(conns[i])
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	fmt.Fprintln(out, time.Since(began).Nanoseconds())
	var lost atomic.Int64
	for _, conn := range conns {
		go func() {
			// A stream that ends, or that says something, is not quiet.
			_, _ = conn.Next()
			lost.Add(1)
		}()
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if n := lost.Load(); n > 0 {
			return fmt.Errorf("%d streams did not stay open and quiet", n)
		}
		pings := int64(0)
		for _, conn := range conns {
			pings += conn.Pings()
		}
		fmt.Fprintln(out, pings)
	}
	return nil
}

// greeted waits for the server's greeting.
func greeted(conn *wire.Conn) error {
	got := make([]byte, len(greeting))
	if _, err := io.ReadFull(conn, got); err != nil {
		return err
	}
	if string(got) != greeting {
		return errors.New("another greeting than the server's")
	}
	return nil
}
