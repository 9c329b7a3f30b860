package fake

import (
	"bytes"
	"slices"
	"sync"
)

// The bounds of what is kept and of what Logs gives.
const (
	logKept  = 1 << 20
	logBound = 64 << 10
)

// log is what a container wrote.
type log struct {
	mu   sync.Mutex
	text []byte
	// written counts all bytes; grown is closed with the next ones.
	written int
	grown   chan struct{}
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	l.written += len(p)
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	if over := len(l.text) - logKept; over > 0 {
		l.text = slices.Delete(l.text, 0, over)
	}
	return len(p), nil
}

// since gives what came after so many bytes, as far as it is kept, how many there
// are now, and a channel that is closed when there are more.
func (l *log) since(seen int) (text []byte, written int, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	fresh := max(0, min(l.written-seen, len(l.text)))
	return slices.Clone(l.text[len(l.text)-fresh:]), l.written, l.grown
}

// tail gives the last lines within the bound.
func (l *log) tail(lines int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text[max(0, len(l.text)-logBound):]
	end := len(text)
	if bytes.HasSuffix(text, []byte("\n")) {
		end--
	}
	for range lines {
		end = bytes.LastIndexByte(text[:end], '\n')
		if end < 0 {
			return slices.Clone(text)
		}
	}
	if lines <= 0 {
		return nil
	}
	return slices.Clone(text[end+1:])
}
