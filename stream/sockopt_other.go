//go:build !linux

package stream

import (
	"errors"
	"net"
	"time"
)

// setUserTimeout is not to be had here.
func setUserTimeout(*net.TCPConn, time.Duration) error { return errors.ErrUnsupported }

// sendQueue is not to be had here.
func sendQueue(*line) (acked, queued int64, ok bool) { return 0, 0, false }
