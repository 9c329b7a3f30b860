package catalog

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestSettle: touches that follow each other closely are one change, none is lost, and a file that is never left alone
// is read all the same.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		begin := time.Now()
		touched := make(chan struct{}, 1)
		var calls []time.Duration
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			settle(ctx, touched, func() {
				calls = append(calls, time.Since(begin))
				time.Sleep(settleTime) // Virtual: what is touched meanwhile must not be lost.
			})
		}()
		touch := func() {
			select {
			case touched <- struct{}{}:
			default:
			}
		}
		touch()
		time.Sleep(settleTime / 2)
		touch()
		time.Sleep(settleTime + settleTime/4) // It is being read.
		touch()
		time.Sleep(time.Minute)
		want := []time.Duration{settleTime * 3 / 2, settleTime*3/2 + settleTime + settleTime}
		if !slices.Equal(calls, want) {
			t.Errorf("read at %v, want %v", calls, want)
		}

		begin, calls = time.Now(), nil
		for range 3 * int(settleMost/settleTime) {
			touch()
			time.Sleep(settleTime / 2)
		}
		synctest.Wait()
		if len(calls) == 0 || calls[0] != settleMost {
			t.Errorf("a restless file was read at %v", calls)
		}
		cancel()
		<-ended
	})
}

func TestSettleEndsWithItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		touched := make(chan struct{}, 1)
		touched <- struct{}{}
		close(touched)
		n := 0
		settle(t.Context(), touched, func() { n++ })
		if n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}
