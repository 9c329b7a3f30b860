package doctor

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"time"

	"sage/httpapi/api"
	"sage/httpapi/client"
)

// answerTimeout is how long a sage on the listen address may take to answer.
const answerTimeout = 5 * time.Second

// examinePorts counts the ports on which somebody listens. Desktops that run do
// so, too.
func examinePorts(start, end int) Finding {
	if start < 1 || end > 65536 || start >= end {
		return fail("ports", "set PORT_RANGE_START below PORT_RANGE_END", "the range [%d, %d) has no port", start, end)
	}
	held, first := 0, 0
	for port := start; port < end; port++ {
		if free, _ := bindable(net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); !free {
			held++
			first = cmp.Or(first, port)
		}
	}
	mend := "stop what listens there (ss -ltnp \"sport = :" + strconv.Itoa(first) + "\" tells who), or choose another range with PORT_RANGE_START and PORT_RANGE_END"
	switch all := end - start; {
	case held == all:
		return fail("ports", mend, "every port of [%d, %d) is taken", start, end)
	case held*2 > all:
		return warn("ports", mend, "only %d of %d in [%d, %d) are free", all-held, all, start, end)
	default:
		return ok("ports", "%d of %d in [%d, %d) are free", all-held, all, start, end)
	}
}

// examineLowPorts looks whether a user may have the range.
func examineLowPorts(host Host, start int) []Finding {
	const setting = "net.ipv4.ip_unprivileged_port_start"
	lowest, known := host.number("proc/sys/net/ipv4/ip_unprivileged_port_start")
	if !known || start >= lowest {
		return nil
	}
	return []Finding{fail("ports", "choose a higher PORT_RANGE_START, or sudo sysctl -w "+setting+"="+strconv.Itoa(start),
		"an engine without root gets no port below %d, and the range begins at %d", lowest, start)}
}

// bindable tells whether nobody listens on an address.
func bindable(address string) (bool, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false, err
	}
	return true, l.Close()
}

func examineListen(ctx context.Context, address string) Finding {
	const mend = "choose another address with --listen or SAGE_LISTEN"
	free, err := bindable(address)
	switch {
	case free:
		return ok("listen", "%s is free", address)
	case !errors.Is(err, syscall.EADDRINUSE):
		return fail("listen", mend, "%s: %v", address, err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fail("listen", mend, "%s: %v", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	sage, err := client.New("http://"+net.JoinHostPort(host, port), client.Options{})
	if err != nil {
		return fail("listen", mend, "%s: %v", address, err)
	}
	health, err := sage.Ready(ctx)
	var refused *client.Error
	switch {
	case err == nil && health.Status != "" && health.Version == "":
		// The token is not sent to a program that may be another one.
		return ok("listen", "sage serves on %s already, and tells more only to those who have its token", address)
	case err == nil && health.Status != "":
		return ok("listen", "sage %s serves on %s already, with %s", health.Version, address, cmp.Or(engineName(health.Engine), "no engine"))
	case errors.As(err, &refused) && refused.Code != client.CodeForeign:
		return warn("listen", "see its log", "a sage serves on %s already, and is not well: %v", address, err)
	default:
		return fail("listen", "stop that program, or "+mend, "%s is taken by a program that is not sage", address)
	}
}

func engineName(e *api.Engine) string {
	if e == nil {
		return ""
	}
	return e.Backend + " " + e.Version
}
