package fake

import (
	"context"
	"errors"
	"sync"
	"time"

	"sage/runtime"
)

// The operations, as they stand in runtime.Error.Op.
const (
	OpPing         = "ping"
	OpEnsureImage  = "ensureimage"
	OpImage        = "image"
	OpCreate       = "create"
	OpStart        = "start"
	OpInspect      = "inspect"
	OpList         = "list"
	OpEvents       = "events"
	OpStop         = "stop"
	OpRemove       = "remove"
	OpLogs         = "logs"
	OpFollowLogs   = "followlogs"
	OpStats        = "stats"
	OpDial         = "dial"
	OpRoute        = "route"
	OpVolume       = "volume"
	OpEnsureVolume = "ensurevolume"
	OpRemoveVolume = "removevolume"
)

// faults is what goes wrong.
type faults struct {
	mu          sync.Mutex
	calls       map[string]int
	rules       map[string][]rule
	delays      map[string]time.Duration
	unavailable bool
}

// rule is one fault of an operation.
type rule struct {
	// call is the number of the call that it is for, counted from the first ever;
	// zero means every call.
	call int
	// err is what the call gives; nil means that it hangs.
	err error
	// after says that the call is carried out before.
	after bool
}

func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.delays, f.unavailable = nil, nil, false
}

func (f *faults) add(op string, nth int, fault rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rules == nil {
		f.rules = map[string][]rule{}
	}
	if nth > 0 {
		nth += f.calls[op]
	}
	fault.call = nth
	f.rules[op] = append(f.rules[op], fault)
}

// Fail lets the nth call of an operation from now on give err without doing
// anything; 1 is the next one, 0 means all of them. A sentinel of package
// runtime becomes the error's kind, a *runtime.Error is given as it is, and any
// other error is of kind runtime.ErrInternal.
func (r *Runtime) Fail(op string, nth int, err error) { r.faults.add(op, nth, rule{err: err}) }

// Hang lets the nth call of an operation from now on wait until its context
// ends; 1 is the next one, 0 means all of them.
func (r *Runtime) Hang(op string, nth int) { r.faults.add(op, nth, rule{}) }

// Lose lets the nth call of an operation from now on be carried out, and its
// answer be lost: the caller gets runtime.ErrUnavailable. 1 is the next one, 0
// means all of them. Create, Start, Stop, Remove, EnsureVolume and RemoveVolume can be lost; for
// the others it is as if they had failed.
func (r *Runtime) Lose(op string, nth int) {
	r.faults.add(op, nth, rule{err: runtime.ErrUnavailable, after: true})
}

// Delay lets every call of an operation take that much longer; zero lifts it.
func (r *Runtime) Delay(op string, d time.Duration) {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	if r.faults.delays == nil {
		r.faults.delays = map[string]time.Duration{}
	}
	r.faults.delays[op] = d
}

// Unavailable lets all calls give runtime.ErrUnavailable, or none any more, and
// streams of events end. The containers go on.
func (r *Runtime) Unavailable(is bool) {
	r.faults.mu.Lock()
	r.faults.unavailable = is
	r.faults.mu.Unlock()
	if is {
		r.EndEvents()
	}
}

// Heal lifts what Fail, Hang, Lose, Delay and Unavailable have asked for.
func (r *Runtime) Heal() { r.faults.reset() }

// Calls is how often an operation has been called, successfully or not.
func (r *Runtime) Calls(op string) int {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	return r.faults.calls[op]
}

// Kill lets a container die by itself with an exit code, or by the kernel's hand
// for want of memory. It says whether there was a running one.
func (r *Runtime) Kill(id runtime.ID, code int, oom bool) bool {
	r.mu.Lock()
	c, there := r.containers[id]
	there = there && c.runs()
	r.mu.Unlock()
	if there {
		r.end(c, code, oom)
	}
	return there
}

// Vanish removes a container as if by somebody else's hand. It says whether
// there was one.
func (r *Runtime) Vanish(id runtime.ID) bool { return r.remove(id) }

// enter is the beginning of a call without an effect: it gives the error with
// which the call ends at once, if any.
func (r *Runtime) enter(ctx context.Context, op, id string) error {
	lost, err := r.begin(ctx, op, id)
	if lost != nil {
		return lost
	}
	return err
}

// perform makes a call with an effect.
func (r *Runtime) perform(ctx context.Context, op, id string, do func() error) error {
	lost, err := r.begin(ctx, op, id)
	if err == nil {
		err = do()
	}
	if lost != nil {
		return lost
	}
	return err
}

// begin counts a call. It gives the error with which it ends at once, or the one
// with which it ends after it was carried out, if any.
func (r *Runtime) begin(ctx context.Context, op, id string) (lost, err error) {
	f := &r.faults
	f.mu.Lock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[op]++
	hit, found := f.take(op, f.calls[op])
	delay := f.delays[op]
	unavailable := f.unavailable
	f.mu.Unlock()

	if ctx.Err() != nil {
		return nil, canceled(ctx, op, id)
	}
	if unavailable {
		return nil, away(op, id)
	}
	if delay > 0 {
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, canceled(ctx, op, id)
		}
	}
	switch {
	case !found:
		return nil, nil
	case hit.err == nil:
		<-ctx.Done()
		return nil, canceled(ctx, op, id)
	case hit.after:
		return injected(op, id, hit.err), nil
	default:
		return nil, injected(op, id, hit.err)
	}
}

// take looks for the rule of a call, which is used up unless it is for all. The
// lock is held.
func (f *faults) take(op string, call int) (rule, bool) {
	for i, one := range f.rules[op] {
		if one.call == 0 {
			return one, true
		}
		if one.call == call {
			f.rules[op] = append(f.rules[op][:i:i], f.rules[op][i+1:]...)
			return one, true
		}
	}
	return rule{}, false
}

// away tells whether the engine is unavailable.
func (f *faults) away() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unavailable
}

func away(op, id string) error {
	return fail(op, id, runtime.ErrUnavailable, errors.New("the engine is away"))
}

func canceled(ctx context.Context, op, id string) error {
	return fail(op, id, runtime.ErrCanceled, ctx.Err())
}

func injected(op, id string, err error) error {
	var ready *runtime.Error
	if errors.As(err, &ready) {
		return err
	}
	switch err {
	case runtime.ErrNotFound, runtime.ErrImageNotFound, runtime.ErrConflict, runtime.ErrPortInUse,
		runtime.ErrInvalid, runtime.ErrUnavailable, runtime.ErrExhausted, runtime.ErrUnsupported,
		runtime.ErrRefused, runtime.ErrCanceled, runtime.ErrInternal:
		return fail(op, id, err, errors.New("injected"))
	}
	return fail(op, id, runtime.ErrInternal, err)
}
