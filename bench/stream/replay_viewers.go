//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"sage/bench/internal/recording"
	"sage/bench/internal/vnc"
	"sage/bench/internal/wire"
)

const (
	audienceMode = "audience"

	// stagger is the time in which the streams begin, one after the other: people do not move at once.
	stagger = 2 * time.Second
	// openAtOnce is how many connections are opened at once.
	openAtOnce = 8
)

// audience is what many viewers share.
type audience struct {
	said     []recording.Message // By a viewer.
	expected []byte              // From the server, after the handshake.
	ends     []int               // Where in it each message ends.
	hurry    bool
}

// seat is one viewer of a recording.
type seat struct {
	conn *wire.Conn
	id   int // The number of its stream, as the player told it.
}

// received is when a viewer had each message of the stream, see now.
type received struct {
	ID int
	At []int64
}

// serveAudience is the process of many viewers: it connects them all, says so, and begins when it is told to. It gives
// what each of them has received, or the error of one, and ends with in.
func serveAudience(args []string, in io.Reader, out io.Writer) error {
	var address, path string
	var streams int
	var a audience
	flags := flag.NewFlagSet(audienceMode, flag.ContinueOnError)
	flags.StringVar(&address, "address", "", "")
	flags.StringVar(&path, "path", "", "")
	flags.IntVar(&streams, "streams", 1, "")
	flags.BoolVar(&a.hurry, "hurry", false, "")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rec, err := working()
	if err != nil {
		return err
	}
	a.said, a.expected = rec.Of(true), join(rec.Of(false))
	end := 0
	for _, m := range rec.Of(false) {
		end += len(m.Bytes)
		a.ends = append(a.ends, end)
	}

	seats := make([]*seat, streams)
	var work errgroup.Group
	work.SetLimit(openAtOnce)
	for i := range seats {
		work.Go(func() (err error) {
			seats[i], err = sit(address, path)
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	told := bufio.NewScanner(in)
	if !told.Scan() {
		return errors.New("told nothing")
	}
	all := make([]received, streams)
	var watching errgroup.Group
	began := time.Now()
	for i, s := range seats {
		watching.Go(func() (err error) {
			<-time.After(time.Until(began.Add(stagger * time.Duration(i) / time.Duration(streams))))
			all[i], err = a.watch(s)
			return err
		})
	}
	if err := watching.Wait(); err != nil {
		return err
	}
	if err := gob.NewEncoder(out).Encode(all); err != nil {
		return err
	}
	// The connections stay, or what websockify's children have used would go with them before it is looked at.
	told.Scan()
	return told.Err()
}

// sit connects a viewer.
func sit(address, path string) (*seat, error) {
	conn, err := wire.Dial(address, path, 64<<10, false)
	if err != nil {
		return nil, err
	}
	screen, err := vnc.Greet(conn)
	if err != nil {
		return nil, err
	}
	id, err := strconv.Atoi(strings.TrimPrefix(screen.Name, playerName))
	return &seat{conn, id}, err
}

// watch says what the viewer said and takes what the server says until all has come, byte for byte.
func (a *audience) watch(s *seat) (received, error) {
	var work errgroup.Group
	work.Go(func() error { return a.say(s) })
	got := received{ID: s.id, At: make([]int64, len(a.ends))}
	passed, next := 0, 0
	for next < len(a.ends) {
		b, err := s.conn.Next()
		if err != nil {
			return got, fmt.Errorf("stream %d after %d of %d bytes: %w", s.id, passed, len(a.expected), err)
		}
		at := now()
		if !bytes.HasPrefix(a.expected[passed:], b) {
			return got, fmt.Errorf("stream %d: other bytes than the server's after the first %d", s.id, passed)
		}
		for passed += len(b); next < len(a.ends) && a.ends[next] <= passed; next++ {
			got.At[next] = at
		}
	}
	return got, work.Wait()
}

// say sends the viewer's messages at their times.
func (a *audience) say(s *seat) error {
	began := time.Now()
	for _, m := range a.said {
		if wait := time.Until(began.Add(m.At)); wait > 0 && !a.hurry {
			<-time.After(wait)
		}
		if _, err := s.conn.Write(m.Bytes); err != nil {
			return err
		}
	}
	return nil
}
