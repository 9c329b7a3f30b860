package session

import (
	"context"
	"time"

	"sage/runtime"
)

const (
	// sampleYoungest and sampleOldest are how far back the sample may be with which
	// one is compared: the engine's counts have steps, and what was long ago is not
	// what is.
	sampleYoungest, sampleOldest = 250 * time.Millisecond, time.Minute
)

// Usage is what a desktop uses.
type Usage struct {
	runtime.Stats
	// CPUPercent is the share of one core that it has used of late: since somebody
	// asked before, or in the last moment.
	CPUPercent float64
}

// Usage tells what uid's desktop uses. Where nobody has asked within the last
// minute it looks twice, a moment apart.
//
// Errors: ErrInvalidUID, ErrNotRunning, runtime.ErrUnsupported (the engine does not
// count), runtime.ErrUnavailable, or the context's own.
func (m *Manager) Usage(ctx context.Context, uid string) (Usage, error) {
	id, err := m.containerOf(uid)
	if err != nil {
		return Usage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	before := m.sample(uid, id)
	now, err := m.rt.Stats(ctx, id)
	if err != nil {
		return Usage{}, m.ended(unanswered(ctx, err))
	}
	if age := now.At.Sub(before.At); age < 0 || age > sampleOldest {
		before = now
	}
	if young := sampleYoungest - now.At.Sub(before.At); young > 0 {
		select {
		case <-ctx.Done():
			return Usage{}, context.Cause(ctx)
		case <-time.After(young):
		}
		if now, err = m.rt.Stats(ctx, id); err != nil {
			return Usage{}, m.ended(unanswered(ctx, err))
		}
	}
	m.keepSample(uid, id, now)
	u := Usage{Stats: now}
	if elapsed := now.At.Sub(before.At); elapsed > 0 {
		u.CPUPercent = 100 * max(0, float64(now.CPU-before.CPU)/float64(elapsed))
	}
	return u, nil
}

// sample is the last one of a container; the zero one where there is none.
func (m *Manager) sample(uid string, id runtime.ID) runtime.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.desktops[uid]; d != nil && d.id == id {
		return d.sample
	}
	return runtime.Stats{}
}

func (m *Manager) keepSample(uid string, id runtime.ID, s runtime.Stats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := m.desktops[uid]; d != nil && d.id == id && s.At.After(d.sample.At) {
		d.sample = s
	}
}
