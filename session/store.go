package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

const settingsVersion = 1

// settings are what outlives a container: enough to deploy a uid's desktop
// again.
type settings struct {
	Version int `json:"version"`
	// UID repeats the file's name, to catch files that were moved.
	UID string `json:"uid"`
	App string `json:"app"`
	// Env is what the caller gave, before defaults.
	Env     map[string]any `json:"env,omitempty"`
	SavedAt time.Time      `json:"saved_at"`
}

// store keeps one file of settings per uid. Its methods may be called at any
// time for different uids; for one uid the Manager calls them in turn.
type store struct {
	// dir has the settings, pictures the last pictures, records what is secret of the
	// desktops that run.
	dir, pictures, records string
	// earlier is a file that exists until the desktops of an earlier version have been
	// adopted.
	earlier string
	log     *slog.Logger
}

func newStore(dataDir string, log *slog.Logger) (*store, error) {
	s := &store{
		dir: filepath.Join(dataDir, "sessions"), pictures: filepath.Join(dataDir, "pictures"), records: filepath.Join(dataDir, "desktops"),
		earlier: filepath.Join(dataDir, "adopt-earlier"), log: log,
	}
	for _, dir := range []string{s.dir, s.pictures, s.records} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: data directory: %w: make it writable or set SAGE_DATA_DIR", ErrStore, err)
		}
		if err := removeUnfinished(dir); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// expectEarlier lets desktops of an earlier version be adopted, where the data
// directory may be one of its.
func (s *store) expectEarlier() error {
	saved, err := os.ReadDir(s.dir)
	if err == nil && len(saved) > 0 {
		err = os.WriteFile(s.earlier, nil, 0o600)
	}
	if err != nil {
		return fmt.Errorf("%w: data directory: %w", ErrStore, err)
	}
	return nil
}

// adoptsEarlier reports whether desktops of an earlier version may still be adopted.
func (s *store) adoptsEarlier() bool {
	_, err := os.Stat(s.earlier)
	return err == nil
}

// endEarlier says that the desktops of an earlier version have been adopted.
func (s *store) endEarlier() {
	if err := os.Remove(s.earlier); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Error("desktops of an earlier version could still be adopted: remove the file", "file", s.earlier, "error", err)
	}
}

// removeUnfinished deletes what a crash in the middle of a save has left: files
// whose name begins with a dot, which no uid does.
func removeUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%w: data directory: %w", ErrStore, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("%w: data directory: %w", ErrStore, err)
		}
	}
	return nil
}

func (s *store) path(uid string) string { return filepath.Join(s.dir, uid+".json") }

// load reads a uid's settings; ok is false where there are none. A file that
// cannot be understood is moved aside and counts as none.
func (s *store) load(uid string) (saved settings, ok bool, err error) {
	data, err := readFile(s.path(uid))
	if errors.Is(err, fs.ErrNotExist) {
		return settings{}, false, nil
	}
	if err != nil {
		return settings{}, false, fmt.Errorf("%w of %q: %w", ErrStore, uid, err)
	}
	err = json.Unmarshal(data, &saved)
	if err == nil && (saved.Version != settingsVersion || saved.UID != uid || saved.App == "") {
		err = fmt.Errorf("version %d for uid %q, expected version %d for %q", saved.Version, saved.UID, settingsVersion, uid)
	}
	if err != nil {
		aside := s.path(uid) + ".damaged"
		s.log.Error("saved settings are damaged and were moved aside", "uid", uid, "file", aside, "error", err)
		if err := os.Rename(s.path(uid), aside); err != nil {
			return settings{}, false, fmt.Errorf("%w of %q: %w", ErrStore, uid, err)
		}
		return settings{}, false, nil
	}
	return saved, true, nil
}

// save writes a uid's settings: afterwards the file is the new one, and after
// an error or a crash the old one.
func (s *store) save(saved settings) error {
	saved.Version, saved.SavedAt = settingsVersion, time.Now().UTC()
	data, err := json.MarshalIndent(saved, "", "  ")
	if err == nil {
		err = renameio.WriteFile(s.path(saved.UID), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("%w of %q: %w", ErrStore, saved.UID, err)
	}
	return nil
}

// remove deletes a uid's settings and its last picture; there need not be any.
func (s *store) remove(uid string) error {
	for _, path := range []string{s.picturePath(uid), s.path(uid)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w of %q: %w", ErrStore, uid, err)
		}
	}
	return nil
}
