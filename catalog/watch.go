package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// ErrNotWatched says that the system does not tell of changes of the file.
var ErrNotWatched = errors.New("changes of the catalog file are not noticed")

const (
	// settleTime is how long a file must have been left alone before it is read: editors write in several steps.
	settleTime = 100 * time.Millisecond
	// settleMost is how long a file is waited for that is written again and again.
	settleMost = 2 * time.Second
)

// Watch calls changed after every change of the file's content, from one goroutine, until ctx ends. It notices a file
// that is written in place, one that another is renamed over, and a symbolic link that is led elsewhere, as long as their
// directories stay. Icons and build contexts are not watched.
//
// Errors: ErrNotWatched with the system's reason; nil after ctx ended.
func (l *Live) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWatched, err)
	}
	defer w.Close()
	if err := l.follow(w); err != nil {
		return fmt.Errorf("%w: %w", ErrNotWatched, err)
	}
	last := l.first
	touched := make(chan struct{}, 1)
	touched <- struct{}{} // It may have changed since it was loaded.
	go func() {           // Ends with the watcher. An overflow of events tells that there was a change, like an event.
		defer close(touched)
		for events, errs := w.Events, w.Errors; ; {
			select {
			case _, ok := <-events:
				if !ok {
					return
				}
			case _, ok := <-errs:
				if !ok {
					return
				}
			}
			select {
			case touched <- struct{}{}:
			default: // Told already.
			}
		}
	}()
	settle(ctx, touched, func() {
		// The links may lead elsewhere now. Where that place is missing, its directory's own events tell when it comes.
		_ = l.follow(w)
		if now := content(l.path); !bytes.Equal(now, last) {
			last = now
			changed()
		}
	})
	return nil
}

// content is what stands in the file, nil where it cannot be read.
func content(path string) []byte {
	data, err := readBounded(path, maxFileSize)
	if err != nil {
		return nil
	}
	return data
}

// follow watches the directory of the path and, where it is a symbolic link, that of what it leads to. Watching one again
// changes nothing.
func (l *Live) follow(w *fsnotify.Watcher) error {
	if err := w.Add(filepath.Dir(l.path)); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(l.path); err == nil {
		return w.Add(filepath.Dir(target))
	}
	return nil
}

// settle calls do after touches, once for those that follow each other closely. A touch while do runs leads to another
// call. It returns when ctx ends or touched is closed.
func settle(ctx context.Context, touched <-chan struct{}, do func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-touched:
			if !ok {
				return
			}
		}
		most := time.After(settleMost)
		for quiet := false; !quiet; {
			select {
			case <-ctx.Done():
				return
			case _, ok := <-touched:
				quiet = !ok
			case <-time.After(settleTime):
				quiet = true
			case <-most:
				quiet = true
			}
		}
		do()
	}
}
