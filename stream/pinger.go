package stream

import (
	"sync"
	"sync/atomic"
	"time"
)

// pinger pings a framed client now and then and finds out whether it is gone. It is a timer and no goroutine.
type pinger struct {
	interval, timeout time.Duration
	ping              func()          // Sends a ping.
	look              func() sighting // What there is to see of the client now.
	gone              func()          // Called at most once, when the client is gone.

	answered atomic.Bool // The last ping has its pong.

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	pinged  time.Time // When the ping was sent that is being waited for; zero between pings.
	judge   *liveness // Of that ping, once it has waited for long.
}

// start sets the first ping up.
func (p *pinger) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.soon(time.Now(), p.interval), p.round)
}

// soon gives the time until a round that is due in d: a little more, so that the rounds of many streams fall together. A
// thousand quiet streams wake a processor little more often than one does.
func (p *pinger) soon(now time.Time, d time.Duration) time.Duration {
	grid := max(min(p.interval, p.timeout)/5, 1)
	late := time.Duration(now.Add(d).UnixNano()) % grid
	return d + (grid-late)%grid
}

// stop ends pinging. A round that is under way may still be.
func (p *pinger) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
	p.timer.Stop()
}

// pong says that the client has answered. It may be called at any time.
func (p *pinger) pong() { p.answered.Store(true) }

// round sends the next ping, or looks what has become of the last one.
func (p *pinger) round() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	now := time.Now()
	look := max(p.timeout/4, time.Millisecond)
	switch {
	case p.pinged.IsZero():
		p.pinged, p.judge = now, nil
		p.answered.Store(false)
		p.ping()
		p.timer.Reset(p.soon(now, look))
	case p.answered.Load():
		next := p.pinged.Add(p.interval).Sub(now)
		p.pinged = time.Time{}
		p.timer.Reset(p.soon(now, max(next, time.Millisecond)))
	case p.judge == nil: // Most clients have answered by now, and need not be looked at.
		p.judge = newLiveness(p.pinged, p.timeout, p.look())
		p.timer.Reset(p.soon(now, look))
	case p.judge.gone(now, p.look()):
		p.stopped = true
		p.gone()
	default:
		p.timer.Reset(p.soon(now, look))
	}
}
