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
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	if over := len(l.text) - logKept; over > 0 {
		l.text = slices.Delete(l.text, 0, over)
	}
	return len(p), nil
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
