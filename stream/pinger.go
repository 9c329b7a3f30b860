package stream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// pinger pings a framed client now and then. Between pings it is a timer and no goroutine.
type pinger struct {
	ws                *websocket.Conn
	interval, timeout time.Duration
	look              func() sighting
	ctx               context.Context // The library cuts the connection when a ping's context ends, so never the stream's.
	gone              func(error)     // Called at most once, when the client is gone.

	mu      sync.Mutex
	timer   *time.Timer
	stopped bool
	running sync.WaitGroup
}

// start sets the first ping up.
func (p *pinger) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.interval, p.round)
}

// stop ends pinging and waits for a round that is under way. The connection must be closed before, which ends its ping.
func (p *pinger) stop() {
	p.mu.Lock()
	p.stopped = true
	p.timer.Stop()
	p.mu.Unlock()
	p.running.Wait()
}

// round is one ping up to its pong.
func (p *pinger) round() {
	p.mu.Lock()
	if p.stopped {
		p.mu.Unlock()
		return
	}
	p.running.Add(1)
	p.mu.Unlock()
	defer p.running.Done()

	if !p.answered() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stopped {
		p.timer.Reset(p.interval)
	}
}

// answered pings and reports whether pinging is to go on: the client is there. Otherwise it is gone, or the connection
// is closed.
func (p *pinger) answered() bool {
	ctx, cancel := context.WithCancel(p.ctx)
	judge := newLiveness(time.Now(), p.timeout, p.look())
	result := make(chan error, 1)
	go func() { result <- p.ping(ctx) }()
	tick := time.NewTicker(max(p.timeout/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case err := <-result:
			cancel()
			return err == nil
		case now := <-tick.C:
			if !judge.gone(now, p.look()) {
				continue
			}
			p.gone(context.DeadlineExceeded)
			cancel()
			<-result
			return false
		}
	}
}

// ping waits until the client has answered. The library itself gives up waiting behind a large message after a few
// seconds, which says nothing about the client, so it is asked again.
func (p *pinger) ping(ctx context.Context) error {
	for {
		err := p.ws.Ping(ctx)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			continue
		}
		return err
	}
}
