package catalog

import (
	"sync"
	"time"
)

// Live is a catalog file in use: the last content that was right. Its methods may be called from any number of
// goroutines.
type Live struct {
	path string
	// first is the file as it was just before it was loaded first.
	first []byte

	reloading sync.Mutex // One reload at a time, so that what was read later wins.

	mu      sync.Mutex
	current *Catalog
	status  Status
}

// Status tells how a Live catalog is.
type Status struct {
	// Generation counts the contents that were taken into use; the first is 1. A reload that finds nothing new counts, too.
	Generation int
	// LoadedAt is when the content in use was read.
	LoadedAt time.Time
	// Err says why the last attempt to read the file was refused, FailedAt when; nil after one that succeeded.
	Err      error
	FailedAt time.Time
}

// Open loads the catalog file at path. Errors are those of [Load].
func Open(path string) (*Live, error) {
	first := content(path)
	c, err := Load(path)
	if err != nil {
		return nil, err
	}
	return &Live{path: path, first: first, current: c, status: Status{Generation: 1, LoadedAt: time.Now()}}, nil
}

// Current returns the catalog in force.
func (l *Live) Current() *Catalog {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current
}

// Status returns how it is at this moment.
func (l *Live) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Reload reads the file again and says what is different. It is all or nothing: after an error, which is one of [Load],
// the catalog in force is the one before.
func (l *Live) Reload() ([]Change, error) {
	l.reloading.Lock()
	defer l.reloading.Unlock()
	c, err := Load(l.path)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.status.Err, l.status.FailedAt = err, time.Now()
		return nil, err
	}
	changes := Diff(l.current, c)
	l.current = c
	l.status = Status{Generation: l.status.Generation + 1, LoadedAt: time.Now()}
	return changes, nil
}
