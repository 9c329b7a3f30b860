package viewer

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"sage/rfb"
)

// repetitions returns the pauses, in turn, after which the holder's last wish goes out once more. A server may refuse a
// wish for a reason that passes: TurboVNC's Xvnc does as long as any connection, a picture's or that of a client in its
// handshake, has not announced that it follows changes of size. Only the server's answer says so, which Sage does not
// read. For a size in force both servers take the same wish as a success.
func repetitions() [3]time.Duration {
	return [...]time.Duration{500 * time.Millisecond, 2 * time.Second, 8 * time.Second}
}

// sizing is a viewer's part in who decides on the desktop's size. Desk.mu guards it.
//
// The first viewer that asks (SetDesktopSize) becomes the holder, and its last wish goes out. Another one's wish is kept,
// and the holder's last message goes out in its place, on that viewer's connection: the server then answers that viewer
// that the size is what it is, in the right order among its other messages, without anybody reading what the server says.
//
// The holder's wish goes out again after some pauses (repetitions), and when a viewer that had not announced that it
// follows changes of size does so or leaves.
type sizing struct {
	wish   []byte        // The last SetDesktopSize that the client sent.
	told   int           // The turn of Desk.size with which the wish was answered; 0 when it was not.
	again  bool          // The client asked for the same once more: it is told when there is something new to tell.
	slow   time.Duration // How long the holder's last repetition of a wish in force waited; 0 when its last wish was none.
	left   bool
	armed  bool // The timer runs, or has just fired.
	timer  *time.Timer
	firing sync.WaitGroup // A timer that has been armed and has not been dealt with.

	joining   bool // The client has not announced that it follows changes of size.
	repeats   int  // How often the holder's wish went out again by itself.
	repeating bool // The repeater runs, or has just fired.
	repeater  *time.Timer
}

// join notes a new viewer, which a server may take as a reason to refuse sizes for now.
func (d *Desk) join(v *Viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.joining = true
	d.joining++
}

// follows reports whether a client with this SetEncodings follows changes of size.
func follows(m rfb.ClientMessage) bool {
	for e := range m.Encodings() {
		if e == rfb.EncodingDesktopSize || e == rfb.EncodingExtendedDesktopSize {
			return true
		}
	}
	return false
}

// joined notes that v's client has announced that it follows changes of size.
func (d *Desk) joined(v *Viewer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.joinedLocked(v)
}

// joinedLocked is joined, also for a viewer that leaves. A size that went out while v was no reason yet to take it goes
// out again.
func (d *Desk) joinedLocked(v *Viewer) {
	if !v.joining {
		return
	}
	v.joining = false
	d.joining--
	if d.doubted && d.holder != nil && d.holder != v {
		d.arm(d.holder, d.opts.ResizeDebounce, false)
	}
}

// repeatLaterLocked lets the holder's wish go out again, unless that was done often enough.
func (d *Desk) repeatLaterLocked(v *Viewer) {
	pauses := repetitions()
	if v.repeating || v.repeats == len(pauses) {
		return
	}
	v.repeating = true
	v.firing.Add(1)
	v.repeater = time.AfterFunc(pauses[v.repeats], v.repeat)
	v.repeats++
}

// stopRepeatingLocked ends that. A repeater that cannot be stopped finds nothing to do, or what is to be done anyway.
func (d *Desk) stopRepeatingLocked(v *Viewer) {
	if v.repeating && v.repeater.Stop() {
		v.repeating = false
		v.firing.Done()
	}
	v.repeats = 0
}

// repeat is what v's repeater does.
func (v *Viewer) repeat() {
	defer v.firing.Done()
	v.desk.mu.Lock()
	v.repeating = false
	held := v.desk.holder == v && bytes.Equal(v.desk.size, v.wish)
	v.desk.mu.Unlock()
	if held {
		v.sendSize()
	}
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
	v.sendSize()
}

// sendSize writes what v's wish has come to, now or at the end of the message that the server is getting.
func (v *Viewer) sendSize() {
	v.wmu.Lock()
	defer v.wmu.Unlock()
	if v.inside {
		v.due = true
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
		d.doubted = d.joining > 0
		d.repeatLaterLocked(v)
		return d.size // Nothing new for the others.
	case d.holder == v:
		d.doubted = d.joining > 0
		d.stopRepeatingLocked(v)
		d.repeatLaterLocked(v)
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
	d.stopRepeatingLocked(v)
	d.waiting = slices.DeleteFunc(d.waiting, func(w *Viewer) bool { return w == v })
	d.joinedLocked(v)
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
