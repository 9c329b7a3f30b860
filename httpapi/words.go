package httpapi

import (
	"time"

	"sage/catalog"
	"sage/httpapi/api"
	"sage/session"
)

// streamURL is where a desktop's streams are; clients append an endpoint.
func streamURL(token string) string { return "/stream/" + token }

// desktop puts a desktop into the API's words.
func desktop(s session.Session) api.Desktop {
	d := api.Desktop{
		UID: s.UID, App: s.App, State: string(s.State), Phase: string(s.Phase), QueuePosition: s.QueuePosition, Container: s.Container,
		Endpoints: endpoints(s.Endpoints), Clients: s.Clients, Viewers: s.Viewers, Home: s.Home, HomeLost: s.HomeLost, CreatedAt: s.CreatedAt,
		StartedAt: optional(s.ReadyAt), IdleDeadline: optional(s.IdleDeadline), ExpiresAt: optional(s.ExpiresAt),
		Progress: s.Progress, Image: image(s.Image), Reason: failure(s.Failure), Outdated: s.Outdated,
	}
	if s.Token != "" {
		d.URL = streamURL(s.Token)
	}
	if s.ViewToken != "" {
		d.ViewURL = streamURL(s.ViewToken)
	}
	if l := (api.Limits{CPUs: s.Limits.CPUs, MemoryBytes: s.Limits.MemoryBytes, PIDs: s.Limits.PIDs}); l != (api.Limits{}) {
		d.Limits = &l
	}
	return d
}

func usage(u session.Usage) api.Stats {
	out := api.Stats{
		At: u.At, CPUSeconds: u.CPU.Seconds(), CPUPercent: u.CPUPercent,
		MemoryBytes: u.MemoryBytes, MemoryLimitBytes: u.MemoryLimitBytes, PIDs: u.PIDs,
	}
	if u.NetworkRxBytes >= 0 {
		out.NetworkRxBytes, out.NetworkTxBytes = &u.NetworkRxBytes, &u.NetworkTxBytes
	}
	return out
}

func image(s *session.ImageStatus) *api.Image {
	if s == nil {
		return nil
	}
	out := &api.Image{Text: s.Text, Current: s.Current, Total: s.Total, Layers: make([]api.Layer, len(s.Layers))}
	for i, l := range s.Layers {
		out.Layers[i] = api.Layer{ID: l.ID, Status: l.Status, Current: l.Current, Total: l.Total}
	}
	return out
}

func endpoints(in []catalog.Endpoint) []api.Endpoint {
	out := make([]api.Endpoint, len(in))
	for i, e := range in {
		out[i] = api.Endpoint{Name: e.Name, Protocol: string(e.Protocol)}
	}
	return out
}

func variables(in []catalog.Variable) []api.Variable {
	out := make([]api.Variable, len(in))
	for i, v := range in {
		out[i] = api.Variable{
			Name: v.Name, Title: v.Title, Description: v.Description, Type: string(v.Type), Default: v.Default,
			Allowed: v.Allowed, Pattern: v.Pattern, Min: v.Min, Max: v.Max, Secret: v.Secret,
		}
	}
	return out
}

// optional is nil for a moment that has not come.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
