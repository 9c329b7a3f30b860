package httpapi

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"golang.org/x/sync/singleflight"

	"sage/runtime"
)

const (
	// questionsAtOnce bounds what is asked of the engine for callers at a time,
	// questionTimeout how long one question may take with its wait for others.
	questionsAtOnce, questionTimeout = 16, 30 * time.Second
	// turnTimeout is how long a question waits for others before it is refused.
	turnTimeout = 10 * time.Second
	// readinessFresh is how long the answer to a probe is good for others.
	readinessFresh = time.Second
)

// questions are what callers make Sage ask the engine. The same question is asked
// once for all who ask meanwhile.
type questions struct {
	flights *singleflight.Group
	turns   chan struct{}
	ready   *readiness
}

func newQuestions() questions {
	return questions{&singleflight.Group{}, make(chan struct{}, questionsAtOnce), &readiness{}}
}

// beginWork counts a request that waits for a desktop or the engine. The function
// that it returns ends that.
func (s *Server) beginWork(ctx context.Context) (end func(), err error) {
	client := requestOf(ctx).client
	end, ok := s.works.Take(client, s.exempt(client))
	if !ok {
		return nil, errBusy
	}
	return end, nil
}

// ask returns the answer to the question of that key. The question outlives a
// caller who leaves, for the others.
func ask[T any](ctx context.Context, s *Server, key string, question func(context.Context) (T, error)) (T, error) {
	var none T
	end, err := s.beginWork(ctx)
	if err != nil {
		return none, err
	}
	defer end()
	q := s.engine
	detached := context.WithoutCancel(ctx)
	flight := q.flights.DoChan(key, func() (v any, err error) {
		defer func() {
			if p := recover(); p != nil { // A panic in a flight would end the process.
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		ctx, cancel := context.WithTimeout(detached, questionTimeout)
		defer cancel()
		timer := time.NewTimer(turnTimeout)
		defer timer.Stop()
		select {
		case q.turns <- struct{}{}:
			defer func() { <-q.turns }()
		case <-timer.C:
			return nil, errBusy
		}
		return question(ctx)
	})
	select {
	case result := <-flight:
		v, _ := result.Val.(T)
		return v, result.Err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// readiness is the last answer to a probe.
type readiness struct {
	at   time.Time
	info runtime.Info
	err  error
}

// recently returns the last answer to question, or asks it when that is older than
// readinessFresh. The caller is in a flight, so it is called once at a time.
func (r *readiness) recently(question func() (runtime.Info, error)) (runtime.Info, error) {
	if r.at.IsZero() || time.Since(r.at) >= readinessFresh {
		r.info, r.err = question()
		r.at = time.Now()
	}
	return r.info, r.err
}
