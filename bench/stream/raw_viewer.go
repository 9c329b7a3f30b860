//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"time"

	"sage/bench/internal/proc"
	"sage/bench/internal/stat"
)

const (
	viewerMode = "viewer"

	// What a viewer's process is told to do, each followed by a number.
	doScreens = "screens" // For so many nanoseconds.
	doTrips   = "trips"   // So many.
	doSum     = "sum"     // Of one screen; the number is nothing.
)

// answer is what a viewer found.
type answer struct {
	Bytes    int64
	Took     time.Duration
	P50, P99 time.Duration
	Sum      string
}

// viewer is a raw viewer in a process of its own.
type viewer struct{ *proc.Process }

// startViewer connects a viewer; path is empty for plain TCP.
func startViewer(ctx context.Context, address, path string) (*viewer, error) {
	p, err := proc.Self(ctx, viewerMode, "-address", address, "-path", path)
	if err != nil {
		return nil, err
	}
	v := &viewer{p}
	if _, err := v.do(doTrips, 1); err != nil {
		p.Stop()
		return nil, err
	}
	return v, nil
}

// do makes the viewer do something, and waits for what it found.
func (v *viewer) do(what string, number int) (answer, error) {
	var a answer
	line, err := v.Ask(what + " " + strconv.Itoa(number))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(line), &a)
}

// serveViewer is the viewer's process.
func serveViewer(args []string, in io.Reader, out io.Writer) error {
	var address, path string
	flags := flag.NewFlagSet(viewerMode, flag.ContinueOnError)
	flags.StringVar(&address, "address", "", "")
	flags.StringVar(&path, "path", "", "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	v, err := openViewer(address, path)
	if err != nil {
		return err
	}
	defer v.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var what string
		var number int
		if _, err := fmt.Sscan(lines.Text(), &what, &number); err != nil {
			return err
		}
		a, err := v.obey(what, number)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// obey does what the viewer was told.
func (v *rawViewer) obey(what string, number int) (a answer, err error) {
	switch what {
	case doScreens:
		began, passed := time.Now(), v.passed
		err = v.screens(func() bool {
			a.Took, a.Bytes = time.Since(began), v.passed-passed
			return a.Took >= time.Duration(number)
		})
	case doTrips:
		took := make([]time.Duration, number)
		for i := range took {
			began := time.Now()
			if err := v.trip(); err != nil {
				return a, err
			}
			took[i] = time.Since(began)
		}
		a.P50, a.P99 = stat.Percentile(took, 50), stat.Percentile(took, 99)
	case doSum:
		a.Sum, err = v.sum()
	default:
		err = errors.New("told to do what nobody knows: " + what)
	}
	return a, err
}
