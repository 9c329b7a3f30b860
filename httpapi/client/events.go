package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"sage/httpapi/api"
)

// stateAbsent is that of a desktop which is not there.
const stateAbsent = "absent"

// Follow calls tell with the uid's desktop as it is now, and again whenever it has
// changed, until ctx ends, the Sage goes down, or tell gives an error, which it
// returns. A desktop that is not there has the state "absent"; a later one is
// followed, too. It always returns an error.
func (c *Client) Follow(ctx context.Context, uid string, tell func(api.Desktop) error) error {
	path, err := callPath("/api/vm/", uid)
	if err != nil {
		return err
	}
	return c.follow(ctx, path+"/events", tell)
}

// FollowAll is Follow for every desktop: one that is gone is told with nothing but
// its uid and the state "absent".
func (c *Client) FollowAll(ctx context.Context, tell func(api.Desktop) error) error {
	return c.follow(ctx, "/api/events", tell)
}

// follow reads server-sent events (HTML Living Standard, section 9.2.6), of which
// it knows what a Sage sends.
func (c *Client) follow(ctx context.Context, path string, tell func(api.Desktop) error) error {
	resp, err := c.do(ctx, http.MethodGet, path, "text/event-stream", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxAnswer)
	event := ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case field == "event":
			event = value
			continue
		case field != "data" || event != api.EventDesktop && event != api.EventGone:
			continue
		}
		d := api.Desktop{State: stateAbsent}
		if err := json.Unmarshal([]byte(value), &d); err != nil {
			return fmt.Errorf("%s does not answer like a sage: GET %s: %w", c.Base(), path, err)
		}
		if err := tell(d); err != nil {
			return err
		}
	}
	err = lines.Err()
	if err == nil {
		err = errFollowEnded
	}
	return c.unreachable(ctx, err)
}
