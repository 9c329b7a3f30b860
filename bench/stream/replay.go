//go:build linux

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/gob"
	"fmt"
	"io"
	"strconv"
	"time"

	"sage/bench/internal/proc"
	"sage/bench/internal/recording"
	"sage/bench/internal/stat"
)

// parts is in how many parts of equal length a play is measured: every way plays the same, so ratios of the same part
// tell how far a figure may be trusted.
const parts = 4

// recorded is what bench/record has recorded.
//
//go:embed testdata/working.rfb.gz
var recorded []byte

// working gives the recording of a person who works.
func working() (*recording.Recording, error) { return recording.Read(bytes.NewReader(recorded)) }

// replayRow is what the plays found for one way.
type replayRow struct {
	*way
	cpu    []float64   // Processor seconds per minute of all between viewer and server; a figure per part.
	delays [][]float64 // From the server's sending to the viewer's having it, in seconds, of each update; a list per part.
	all    []float64   // The same in one list.
	others []float64   // Which part of the machine was used by others, in each part.
}

// replay measures many viewers of the recording at once.
type replay struct {
	rec    *recording.Recording
	player *proc.Process
	o      options
}

// measureReplay plays the recording through every way.
func measureReplay(ctx context.Context, o options, out io.Writer) error {
	rec, err := working()
	if err != nil {
		return err
	}
	player, err := proc.Self(ctx, playerMode)
	if err != nil {
		return err
	}
	defer player.Stop()
	address, err := player.Line()
	if err != nil {
		return err
	}
	s, err := newSite(ctx, player, address)
	if err != nil {
		return err
	}
	defer s.Close()
	r := &replay{rec, player, o}
	var rows []*replayRow
	for _, k := range o.kinds {
		// Small updates do not need the large buffers.
		w, err := s.way(ctx, k, 0)
		if err != nil {
			return err
		}
		rows = append(rows, &replayRow{way: w})
	}
	if err := r.sameBytes(ctx, rows); err != nil {
		return err
	}
	for range o.plays {
		for _, row := range rows {
			if err := r.play(ctx, row); err != nil {
				return fmt.Errorf("%s: %w", row.name, err)
			}
		}
	}
	return printReplay(out, rows, r)
}

// tell tells the player something and takes its answer.
func (r *replay) tell(what string, answer any) error {
	if err := r.player.Say(what); err != nil {
		return err
	}
	return gob.NewDecoder(r.player.Output()).Decode(answer)
}

// seat connects an audience.
func (r *replay) seat(ctx context.Context, w *way, streams int, hurry bool) (*proc.Process, error) {
	p, err := proc.Self(ctx, audienceMode, "-address", w.address, "-path", w.path, "-streams", strconv.Itoa(streams),
		"-hurry="+strconv.FormatBool(hurry))
	if err != nil {
		return nil, err
	}
	if _, err := p.Line(); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// sameBytes plays without pauses once, for the audience and the player check every byte.
func (r *replay) sameBytes(ctx context.Context, rows []*replayRow) error {
	var ok bool
	if err := r.tell(doHurry, &ok); err != nil {
		return err
	}
	for _, row := range rows {
		p, err := r.seat(ctx, row.way, 1, true)
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
		_, err = watch(p)
		p.Stop()
		if err != nil {
			return fmt.Errorf("%s: %w", row.name, err)
		}
	}
	var sent map[int][]int64
	if err := r.tell(doSent, &sent); err != nil {
		return err
	}
	return r.tell(doPace, &ok)
}

// watch lets an audience begin and waits for what it has received.
func watch(p *proc.Process) (all []received, err error) {
	if err := p.Say("begin"); err != nil {
		return nil, err
	}
	if err := gob.NewDecoder(p.Output()).Decode(&all); err != nil {
		return nil, fmt.Errorf("the viewers: %w", err)
	}
	return all, nil
}

// play is one play of the whole recording.
func (r *replay) play(ctx context.Context, row *replayRow) error {
	p, err := r.seat(ctx, row.way, r.o.streams, false)
	if err != nil {
		return err
	}
	defer p.Stop()
	type outcome struct {
		all []received
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		all, err := watch(p)
		done <- outcome{all, err}
	}()
	if err := r.sample(ctx, row); err != nil {
		return err
	}
	o := <-done
	if o.err != nil {
		return o.err
	}
	var sent map[int][]int64
	if err := r.tell(doSent, &sent); err != nil {
		return err
	}
	return row.note(r.rec, o.all, sent)
}

// sample notes the processor time in each part of a play that begins now.
func (r *replay) sample(ctx context.Context, row *replayRow) error {
	part := (r.rec.Length() + stagger) / parts
	began := time.Now()
	for i := range parts {
		others, err := proc.WatchBystanders()
		if err != nil {
			return err
		}
		between, _, err := row.used(func() error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Until(began.Add(part * time.Duration(i+1)))):
				return nil
			}
		})
		if err != nil {
			return err
		}
		share, err := others.Share()
		if err != nil {
			return err
		}
		row.cpu = append(row.cpu, between.Seconds()/part.Minutes())
		row.others = append(row.others, share)
	}
	return nil
}

// note adds the delays of a play's updates.
func (row *replayRow) note(rec *recording.Recording, all []received, sent map[int][]int64) error {
	messages := rec.Of(false)
	delays := make([][]float64, parts)
	for _, one := range all {
		at := sent[one.ID]
		if len(at) != len(messages) {
			return fmt.Errorf("stream %d was not played to its end", one.ID)
		}
		for i, m := range messages {
			if !m.Update() {
				continue
			}
			delay := time.Duration(one.At[i] - at[i]).Seconds()
			part := min(int(m.At*parts/rec.Length()), parts-1)
			delays[part] = append(delays[part], delay)
			row.all = append(row.all, delay)
		}
	}
	row.delays = append(row.delays, delays...)
	return nil
}

// percentiles gives a percentile of the delays of each part.
func (row *replayRow) percentiles(p float64) []float64 {
	var list []float64
	for _, part := range row.delays {
		list = append(list, stat.Percentile(part, p))
	}
	return list
}
