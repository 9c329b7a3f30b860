package doctor

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// clockTolerance is more than the second in which HTTP tells the time, and less
	// than the times after which desktops are stopped.
	clockTolerance = 5 * time.Second
	// clockTimeout is how long an engine may take to tell it.
	clockTimeout = 5 * time.Second
)

// examineClock compares the engine's clock with ours, by the date of an answer:
// they differ where the engine is on another machine, also a virtual one.
// Nothing is found where it cannot be asked in plain HTTP.
func examineClock(ctx context.Context, address string, now func() time.Time) []Finding {
	ctx, cancel := context.WithTimeout(ctx, clockTimeout)
	defer cancel()
	transport := &http.Transport{DisableKeepAlives: true}
	url := "http://engine/_ping"
	if path, local := strings.CutPrefix(address, "unix://"); local {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	} else if host, remote := strings.CutPrefix(address, "tcp://"); remote {
		url = "http://" + host + "/_ping"
	} else {
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	before := now()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil
	}
	after := now()
	response.Body.Close()
	told, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return nil
	}
	// The date has no fractions, so it is up to a second behind.
	var off time.Duration
	switch {
	case told.Add(time.Second).Before(before):
		off = told.Sub(before)
	case told.After(after):
		off = told.Sub(after)
	}
	if off.Abs() > clockTolerance {
		return []Finding{warn("clock", "let both follow the time: timedatectl set-ntp true; restart the virtual machine that the engine is in (podman machine, Docker Desktop)",
			"the engine's clock differs from ours by %s: ages and ends of desktops are wrong by that", off.Round(time.Second))}
	}
	return []Finding{ok("clock", "the engine's is ours")}
}
