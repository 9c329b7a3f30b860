package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sage/runtime"
)

const recordVersion = 1

// record is what Sage keeps of a uid's desktop in the data directory, because a
// label can be read by everybody who may ask the engine and copied by everybody who
// may run a container. It exists from before the desktop's container does until that
// is gone; a container without its record is no desktop.
type record struct {
	Version int    `json:"version"`
	UID     string `json:"uid"`
	// Desktop is the container's label of that name. A desktop that was adopted from
	// labels of version 1 has none, and is known by its Container.
	Desktop string `json:"desktop,omitempty"`
	// Container is the engine's identifier; empty until the desktop has answered.
	Container runtime.ID `json:"container,omitempty"`
	// Token and Password are the secrets of the desktop: see identity and viewing.
	Token    string `json:"token"`
	Password string `json:"password,omitempty"`
	// Ports are the host ports that are leased to it.
	Ports []uint16 `json:"ports,omitempty"`
	// AnsweredAt is when the desktop answered for the first time; zero before.
	AnsweredAt time.Time `json:"answered_at,omitzero"`
}

// names reports whether a container with such labels is the one that r is about.
func (r record) names(id runtime.ID, desktop string) bool {
	if r.Desktop == "" {
		return r.Container == id
	}
	return r.Desktop == desktop
}

func (s *store) recordPath(uid string) string { return filepath.Join(s.records, uid+".json") }

// loadRecord reads a uid's record; ok is false where there is none.
func (s *store) loadRecord(uid string) (r record, ok bool, err error) {
	data, err := readFile(s.recordPath(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, false, nil
	}
	if err != nil {
		return record{}, false, fmt.Errorf("%w: record of %q: %w", ErrStore, uid, err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, false, fmt.Errorf("%w: record of %q: %w", ErrStore, uid, err)
	}
	if r.Version != recordVersion || r.UID != uid || !isToken(r.Token) || r.Password != "" && !isPassword(r.Password) {
		return record{}, false, fmt.Errorf("%w: record of %q is damaged", ErrStore, uid)
	}
	return r, true, nil
}

// saveRecord writes a uid's record. It does not wait for the disk: a machine that
// loses power loses the container, too.
func (s *store) saveRecord(r record) error {
	r.Version = recordVersion
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("%w: record of %q: %w", ErrStore, r.UID, err)
	}
	unfinished := filepath.Join(s.records, "."+r.UID) // No uid begins with a dot.
	if err := os.WriteFile(unfinished, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("%w: record of %q: %w", ErrStore, r.UID, err)
	}
	if err := os.Rename(unfinished, s.recordPath(r.UID)); err != nil {
		return fmt.Errorf("%w: record of %q: %w", ErrStore, r.UID, err)
	}
	return nil
}

// removeRecord deletes a uid's record; there need not be one.
func (s *store) removeRecord(uid string) error {
	if err := os.Remove(s.recordPath(uid)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: record of %q: %w", ErrStore, uid, err)
	}
	return nil
}

// isToken reports whether text is what newToken returns.
func isToken(text string) bool { return isRandomText(text, 26) }

// isPassword reports whether text is what newPassword returns.
func isPassword(text string) bool { return isRandomText(text, 8) }

// isRandomText reports whether text has that many characters of lower-case base32.
func isRandomText(text string, length int) bool {
	return len(text) == length && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz234567") == ""
}
