package limit

import (
	"sync"
	"time"
)

// Digest reports events that come often: the first one at once, and those that
// follow as a number, at most once in an interval. It may be used from any number
// of goroutines.
type Digest struct {
	interval time.Duration
	report   func(events int)

	mu      sync.Mutex
	pending int
	timer   *time.Timer // Nil while no interval runs.
}

// NewDigest returns a digest that calls report, which must not call the digest.
func NewDigest(interval time.Duration, report func(events int)) *Digest {
	return &Digest{interval: interval, report: report}
}

// Note counts an event.
func (d *Digest) Note() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.pending++
		return
	}
	d.report(1)
	d.timer = time.AfterFunc(d.interval, d.elapsed)
}

// elapsed ends an interval, and begins the next one if there was an event.
func (d *Digest) elapsed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer == nil {
		return
	}
	if d.pending == 0 {
		d.timer = nil
		return
	}
	d.flushLocked()
	d.timer.Reset(d.interval)
}

// Flush reports at once what was not reported yet, and ends the interval.
func (d *Digest) Flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.flushLocked()
}

func (d *Digest) flushLocked() {
	if d.pending > 0 {
		d.report(d.pending)
		d.pending = 0
	}
}
