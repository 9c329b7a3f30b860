package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sage/runtime"
)

// standing says what a container with a daemon's labels is to that daemon.
type standing int

const (
	// foreign containers are left alone, whatever their labels say.
	foreign standing = iota
	// outdated ones were made by Sage for a desktop that is over, or copied from one.
	outdated
	// current ones are the desktop of their uid.
	current
)

// identify reports whose desktop a container is, and what it is to this daemon. Sage
// adopts and removes nothing on the word of a container: labels can be copied, and
// engines let containers inherit those of images. So the labels and the name carry a
// code under the key of the data directory, and the data directory has a record of
// the desktop. The error says why a container is foreign.
func (m *Manager) identify(c runtime.Container) (identity, record, standing, error) {
	if c.Labels[labelVersion] == earlierLabelsVersion {
		return m.identifyEarlier(c)
	}
	id, err := parseLabels(c.Labels)
	if err != nil {
		return identity{}, record{}, foreign, err
	}
	name := m.opts.containerName(id.uid)
	if !m.key.verify(c.Labels[labelCode], authenticated(name, c.Labels)...) {
		return identity{}, record{}, foreign, errors.New("its labels were copied, changed, or written by a sage with another data directory")
	}
	r, kept, err := m.store.loadRecord(id.uid)
	if err != nil {
		return identity{}, record{}, foreign, err
	}
	// A person may have renamed it: its identifier cannot be copied.
	if c.Name != name && !(kept && r.Container == c.ID) {
		return identity{}, record{}, foreign, fmt.Errorf("its labels are those of %s", name)
	}
	if !kept || !r.names(c.ID, id.desktop) {
		return id, record{}, outdated, nil
	}
	return id.withSecrets(r), r, current, nil
}

// identifyEarlier does what identify does for labels of version 1, which anybody can write. Such
// a container is believed when its identifier is on record, and the first daemon of
// version 2 puts those on record that it finds.
func (m *Manager) identifyEarlier(c runtime.Container) (identity, record, standing, error) {
	id, err := parseEarlierLabels(c.Labels)
	if err != nil {
		return identity{}, record{}, foreign, err
	}
	r, kept, err := m.store.loadRecord(id.uid)
	switch {
	case err != nil:
		return identity{}, record{}, foreign, err
	case kept && r.names(c.ID, ""):
		return id, r, current, nil
	case kept || !m.store.adoptsEarlier() || c.Name != m.opts.containerName(id.uid):
		return identity{}, record{}, foreign, errors.New("its labels are of an earlier version of sage, and it is not on record")
	}
	if saved, ok, err := m.store.load(id.uid); err != nil || !ok || saved.App != id.app {
		return identity{}, record{}, foreign, errors.Join(errors.New("its labels are of an earlier version of sage, and its uid has no such settings"), err)
	}
	r = id.record()
	r.Container = c.ID
	return id, r, current, m.store.saveRecord(r)
}

// removeContainers removes every container that Sage has made for uid, and reports
// how many there were. Those that only carry the labels are left alone.
func (m *Manager) removeContainers(ctx context.Context, uid string) (removed int, err error) {
	containers, err := m.rt.List(ctx, m.opts.selectorFor(uid))
	if err != nil {
		return 0, err
	}
	for _, c := range containers {
		if _, _, s, _ := m.identify(c); s == foreign { // Reconcile reports it.
			continue
		}
		if err := m.rt.Remove(ctx, c.ID); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// deleteHome deletes the home of uid, which must not be in use, and reports whether
// there was one. Nothing else deletes a home. Where maker is not empty, a home that
// another desktop's start has made stays. Every deletion is logged and audited.
//
// Errors: runtime.ErrConflict (another uid's home, or a container uses it).
func (m *Manager) deleteHome(ctx context.Context, uid, maker, reason string) (found bool, err error) {
	name := m.opts.homeVolume(uid)
	v, err := m.rt.Volume(ctx, name)
	if errors.Is(err, runtime.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := m.opts.checkHome(uid, v); err != nil {
		return true, err
	}
	if maker != "" && v.Labels[labelDesktop] != maker {
		return true, nil
	}
	err = m.rt.RemoveVolume(ctx, name)
	level, result := slog.LevelInfo, "ok"
	if err != nil {
		level, result = slog.LevelWarn, "failed"
	}
	m.log.Log(ctx, level, "audit", "action", "delete-home", "result", result, "uid", uid, "volume", name, "reason", reason)
	return true, err
}
