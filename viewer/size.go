package viewer

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

// sizing is a viewer's part in who decides on the desktop's size. Desk.mu guards it.
//
// The first viewer that asks (SetDesktopSize) becomes the holder, and its last wish goes out. Another one's wish is kept,
// and the holder's last message goes out in its place, on that viewer's connection: the server then answers that viewer
// that the size is what it is, in the right order among its other messages, without anybody reading what the server says.
type sizing struct {
	wish   []byte        // The last SetDesktopSize that the client sent.
	told   int           // The turn of Desk.size with which the wish was answered; 0 when it was not.
	again  bool          // The client asked for the same once more: it is told when there is something new to tell.
	slow   time.Duration // How long the holder's last repetition of a wish in force waited; 0 when its last wish was none.
	left   bool
	armed  bool // The timer runs, or has just fired.
	timer  *time.Timer
	firing sync.WaitGroup // A timer that has been armed and has not been dealt with.
}

// ask takes a SetDesktopSize message of v's client. It needs v.wmu.
func (d *Desk) ask(v *Viewer, message []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.left {
		return
	}
	repeated := bytes.Equal(v.wish, message)
	v.wish = append(v.wish[:0], message...)
	if d.holder == nil {
		d.holder = v
	}
	if d.holder == v {
		if !repeated || !bytes.Equal(d.size, message) {
			v.slow = 0
			d.arm(v, d.opts.ResizeDebounce, true)
			return
		}
		// noVNC in an element whose size is no whole number asks for ever, but for nothing else until it is answered.
		v.slow = min(max(2*v.slow, d.opts.ResizeDebounce), slowestRepetition)
		d.arm(v, v.slow, false)
		return
	}
	if !slices.Contains(d.waiting, v) {
		d.waiting = append(d.waiting, v)
	}
	// A client that asks for the same as soon as it is answered would go on for ever. One that waits for its answer asks
	// for nothing else meanwhile, and is asked again, so to speak, when the size changes or falls to it.
	if repeated && v.told == d.turn && d.turn > 0 {
		v.again = true
		return
	}
	v.told = 0
	d.arm(v, d.opts.ResizeDebounce, false)
}

// arm lets v's wish be dealt with after that time; restart begins a running wait anew. It needs mu.
func (d *Desk) arm(v *Viewer, after time.Duration, restart bool) {
	if v.armed {
		// A timer that cannot be stopped is about to look at the wish.
		if restart && v.timer.Stop() {
			v.timer.Reset(after)
		}
		return
	}
	v.armed = true
	v.firing.Add(1)
	v.timer = time.AfterFunc(after, v.fire)
}

// fire is what v's timer does.
func (v *Viewer) fire() {
	defer v.firing.Done()
	v.desk.mu.Lock()
	v.armed = false
	v.desk.mu.Unlock()
	v.wmu.Lock()
	defer v.wmu.Unlock()
	if v.inside {
		v.due = true // Goes out at the end of the message that the server is getting.
		return
	}
	if err := v.writeSize(); err != nil && v.broken == nil {
		v.broken = err
	}
}

// writeSize lets out what v's wish has come to. It needs wmu.
func (v *Viewer) writeSize() error { return v.write(v.desk.answer(v)) }

// answer gives what the server is told on v's connection; nil for nothing.
func (d *Desk) answer(v *Viewer) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case v.left || v.wish == nil:
		return nil
	case d.holder == v && bytes.Equal(d.size, v.wish):
		return d.size // Nothing new for the others.
	case d.holder == v:
		d.size = bytes.Clone(v.wish)
		d.turn++
		for _, other := range d.waiting {
			if other.again {
				other.again = false
				d.arm(other, d.opts.ResizeDebounce, false)
			}
		}
		return d.size
	case !slices.Contains(d.waiting, v):
		return nil // It goes on unseen.
	case d.size == nil:
		d.arm(v, d.opts.ResizeDebounce, false) // The holder's first wish has not gone out yet.
		return nil
	default:
		v.told = d.turn
		return d.size
	}
}

// release takes v out of the question of sizes; the viewer that has waited for the longest time takes its place.
func (d *Desk) release(v *Viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.releaseLocked(v)
}

func (d *Desk) releaseLocked(v *Viewer) {
	if v.armed && v.timer.Stop() {
		v.armed = false
		v.firing.Done()
	}
	d.waiting = slices.DeleteFunc(d.waiting, func(w *Viewer) bool { return w == v })
	if d.holder != v {
		return
	}
	d.holder = nil
	if len(d.waiting) > 0 {
		d.holder = d.waiting[0]
		d.waiting = slices.Delete(d.waiting, 0, 1)
		d.holder.again = false
		d.arm(d.holder, d.opts.ResizeDebounce, true)
	}
}

// leave is release for good.
func (d *Desk) leave(v *Viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.left = true
	d.releaseLocked(v)
}
