package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"sage/runtime"
)

const (
	// undoTimeout bounds one attempt to take away what a failed start has made.
	undoTimeout = 30 * time.Second
	// autopsyTimeout bounds the look at a failed container, since somebody waits.
	autopsyTimeout = 10 * time.Second
	// logLines is how much of a container's log a failure carries.
	logLines = 20
)

// launch is one start under way.
type launch struct {
	m    *Manager
	d    *desktop
	plan plan

	phase Phase
	since time.Time
	// phases are those that have ended.
	phases []PhaseReport
	// deadline ends the start; it is set when the image is there.
	deadline time.Time

	id runtime.ID
	// before are the settings that the uid had, to be put back where saved says
	// that new ones were written.
	before           settings
	hadBefore, saved bool
	// home says that the start may have made the home.
	home bool
}

// run brings the desktop up to its first answer.
func (l *launch) run(ctx context.Context) error {
	if err := l.awaitTurn(ctx); err != nil {
		return err
	}
	l.enter(PhaseSettings)
	var err error
	if l.before, l.hadBefore, err = l.m.store.load(l.d.uid); err != nil {
		return err
	}
	l.deadline = time.Now().Add(l.d.policy.start)
	if err := l.ensureHome(ctx); err != nil {
		return err
	}
	if err := l.save(); err != nil {
		return err
	}
	if err := l.container(ctx); err != nil {
		return err
	}
	return l.await(ctx)
}

// await waits for the desktop's first answer.
func (l *launch) await(ctx context.Context) error {
	l.enter(PhaseReady)
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	return l.m.awaitReady(ctx, l.id, l.d.primary())
}

func (l *launch) enter(p Phase) {
	if l.phase != p {
		now := time.Now()
		l.endPhase(now)
		l.phase, l.since = p, now
		l.note(func(d *desktop) { d.phase = p })
	}
}

func (l *launch) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadlineCause(ctx, l.deadline,
		fmt.Errorf("%w: %s is the limit, see SAGE_START_TIMEOUT and timeouts.start in the catalog", ErrStartTimeout, l.d.policy.start))
}

// save writes the settings and the record before there is a container, so that a
// container always has them, whenever this process may die.
func (l *launch) save() error {
	if err := l.m.store.save(l.plan.saved); err != nil {
		return err
	}
	l.saved = true
	return l.m.store.saveRecord(l.d.record())
}

// ensureHome makes the home where there is none, and refuses one that is another
// uid's. It comes before the settings are saved, so that settings without a home
// mean that the home was lost.
func (l *launch) ensureHome(ctx context.Context) error {
	if l.plan.app.Home == nil {
		return nil
	}
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	l.enter(PhaseCreate)
	l.home = true
	m := l.m
	home, err := m.rt.EnsureVolume(ctx, m.opts.homeVolume(l.d.uid), m.opts.homeLabels(l.d.identity))
	if err != nil {
		return unanswered(ctx, err)
	}
	if err := m.opts.checkHome(l.d.uid, home); err != nil {
		return err
	}
	if made := home.Labels[labelDesktop] == l.d.desktop; !made || !l.hadHome() {
		return nil
	}
	l.note(func(d *desktop) { d.homeLost = true })
	m.log.Warn("home was removed by another program, the desktop starts with an empty one", "uid", l.d.uid, "volume", home.Name)
	return nil
}

// hadHome reports whether the uid had a home before this start.
func (l *launch) hadHome() bool {
	if !l.hadBefore {
		return false
	}
	app, ok := l.m.opts.Catalog().App(l.before.App)
	return ok && app.Home != nil
}

// container makes a running container. It asks for the image only when the
// engine says that it is missing, and for other ports when it says that they
// are taken.
func (l *launch) container(ctx context.Context) error {
	askedImage, cleared := false, false
	for {
		err := l.tryContainer(ctx)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, runtime.ErrImageNotFound) && !askedImage:
			askedImage = true
			if err := l.image(ctx); err != nil {
				return err
			}
			l.deadline = time.Now().Add(l.d.policy.start)
		case errors.Is(err, runtime.ErrPortInUse):
			// Somebody else has the port: the next ones, please.
		case errors.Is(err, runtime.ErrConflict) && l.phase == PhaseCreate && !cleared:
			cleared = true
			removed, clearErr := l.clear(ctx)
			if clearErr != nil {
				return clearErr
			}
			if removed == 0 {
				return fmt.Errorf("container name %s is in use by a container that is not of this sage: remove it, or set another CONTAINER_BASE_NAME: %w",
					l.d.container, err)
			}
		default:
			return err
		}
	}
}

// clear removes what an earlier life of the uid has left.
func (l *launch) clear(ctx context.Context) (removed int, err error) {
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	removed, err = l.m.removeContainers(ctx, l.d.uid)
	return removed, unanswered(ctx, err)
}

// because says with err why ctx has ended, where it has: an engine's error
// tells of a deadline only that there was one.
func because(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), err)
}

// tryContainer creates and starts a container with the next free ports, and
// leaves nothing behind when it says that the image is missing or that a port
// is in use.
func (l *launch) tryContainer(ctx context.Context) error {
	ctx, cancel := l.bounded(ctx)
	defer cancel()
	l.enter(PhaseCreate)
	published := 0
	if l.m.opts.PublishIP.IsValid() {
		published = len(l.plan.app.Endpoints)
	}
	ports, err := l.m.ports.lease(l.d.uid, published)
	if err != nil {
		return err
	}
	l.note(func(d *desktop) { d.hostPorts = ports })
	if l.id, err = l.m.rt.Create(ctx, l.m.spec(l.d.identity, l.plan, ports)); err == nil {
		l.note(func(d *desktop) {
			d.id = l.id
			if d.state == Preparing {
				l.m.setState(d, Starting)
			}
		})
		l.enter(PhaseStart)
		err = l.m.rt.Start(ctx, l.id)
	}
	if err == nil {
		return nil
	}
	l.m.ports.release(l.d.uid, ports)
	l.note(func(d *desktop) { d.hostPorts = nil })
	if !errors.Is(err, runtime.ErrPortInUse) {
		return unanswered(ctx, err)
	}
	taken := taken(l.m.opts.PublishIP, ports)
	l.m.log.Info("host port is held by another program", "uid", l.d.uid, "ports", taken)
	l.m.ports.rest(taken)
	if l.id != "" {
		if err := l.m.rt.Remove(ctx, l.id); err != nil {
			return unanswered(ctx, err)
		}
		l.id = ""
	}
	return err
}

// note changes the desktop under the Manager's lock.
func (l *launch) note(change func(d *desktop)) {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	change(l.d)
	l.m.tell(l.d.uid)
}

// image builds or pulls the image. Meanwhile another start may be at work: an
// image takes long, and several starts may want the same one.
func (l *launch) image(ctx context.Context) error {
	if err := l.ensureImage(ctx); err != nil {
		return err
	}
	if err := l.rejoin(); err != nil {
		return err
	}
	return l.awaitTurn(ctx)
}

func (l *launch) ensureImage(ctx context.Context) error {
	l.stepAside()
	status := &ImageStatus{}
	l.note(func(d *desktop) {
		if d.state == Starting {
			l.m.setState(d, Preparing)
		}
		d.image = status
	})
	defer l.note(func(d *desktop) { d.image = nil })
	l.enter(PhaseImage)
	ctx, cancel := context.WithTimeoutCause(ctx, l.m.opts.ImageTimeout,
		fmt.Errorf("%w: %s is the limit for an image, see SAGE_IMAGE_TIMEOUT", ErrStartTimeout, l.m.opts.ImageTimeout))
	defer cancel()
	err := l.m.images.Ensure(ctx, l.plan.app, func(_ string, p runtime.Progress) {
		l.note(func(d *desktop) {
			status.note(p)
			d.progress = status.Text
		})
	})
	return because(ctx, err)
}

// failure describes why the start failed, with what the container has to say.
func (l *launch) failure(ctx context.Context, err error) *StartError {
	f := &StartError{UID: l.d.uid, App: l.d.app, Phase: l.phase, After: time.Since(l.since), Err: err}
	if l.id != "" && !errors.Is(err, runtime.ErrUnavailable) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), autopsyTimeout)
		defer cancel()
		l.m.autopsy(ctx, l.id, f)
	}
	if f.Exited && !errors.Is(err, ErrStartTimeout) {
		f.Err = nil // That it could not be reached any more follows from that.
	}
	return f
}

// autopsy adds to a failure how the container ended and what it wrote.
func (m *Manager) autopsy(ctx context.Context, id runtime.ID, f *StartError) {
	if c, err := m.rt.Inspect(ctx, id); err == nil && c.State == runtime.StateExited {
		f.Exited, f.ExitCode, f.OOMKilled = true, c.ExitCode, c.OOMKilled
	}
	if log, err := m.rt.Logs(ctx, id, logLines); err == nil {
		if text := strings.TrimSpace(string(log)); text != "" {
			f.Log = strings.Split(text, "\n")
		}
	}
}

// undo takes away what the start has made, and puts back the settings that it
// replaced. It may be called again after an error, which is the engine's.
func (l *launch) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	// By label: a Create whose answer never came may have made one, too.
	if _, err := l.m.removeContainers(ctx, l.d.uid); err != nil {
		return err
	}
	if err := l.removeMadeHome(ctx); err != nil {
		return err
	}
	err := l.m.store.removeRecord(l.d.uid)
	switch {
	case err != nil || !l.saved:
	case l.hadBefore:
		err = l.m.store.save(l.before)
	default:
		err = l.m.store.remove(l.d.uid)
	}
	if err != nil {
		l.m.log.Error("saved settings could not be put back", "uid", l.d.uid, "error", err)
	}
	return nil
}

// removeMadeHome deletes the home that a failed start has made. Of one that was
// adopted that is not known: somebody may have worked there.
func (l *launch) removeMadeHome(ctx context.Context) error {
	if !l.home {
		return nil
	}
	_, err := l.m.deleteHome(ctx, l.d.uid, l.d.desktop, "the start that made it has failed")
	if errors.Is(err, runtime.ErrConflict) {
		return nil // Another container uses it, so it is somebody's.
	}
	return err
}
