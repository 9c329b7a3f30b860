package httpapi

import (
	"net/http"
	"time"

	"sage/httpapi/api"
)

// Examples are those of the API's documentation, in an order in which they can
// be made: a desktop's life.
func Examples() []Example {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	alice := map[string]string{"uid": "alice"}
	const url = "/stream/k5x3qj2m7vk5x3qj2m7vk5x3qj"
	vnc := []api.Endpoint{{Name: "vnc", Protocol: "rfb"}}
	return []Example{
		{Method: http.MethodGet, Route: "/healthz", Status: http.StatusOK, Answer: api.Health{Status: "ok", Version: "v1.0.0"}},
		{Method: http.MethodGet, Route: "/readyz", Status: http.StatusOK, Answer: api.Health{
			Status: "ok", Version: "v1.0.0", Engine: &api.Engine{Backend: "docker", Version: "28.5.1"},
			Catalog: &api.CatalogStatus{Generation: 1, LoadedAt: at},
		}},
		{Method: http.MethodGet, Route: "/api/catalog", Status: http.StatusOK, Answer: api.Catalog{Apps: []api.App{{
			ID: "firefox", Title: "Firefox", Description: "The Firefox web browser.", Aliases: []string{}, Endpoints: vnc,
			Variables: []api.Variable{{Name: "SAGE_GEOMETRY", Title: "Screen size", Type: "string"}},
		}}}},
		{
			Method: http.MethodPost, Route: "/api/vm/any/{uid}", Params: alice,
			Body:   api.StartRequest{VM: "firefox", Env: map[string]any{"SAGE_GEOMETRY": "1600x900"}},
			Status: http.StatusOK, Answer: api.StartResponse{URL: url, UID: "alice"},
		},
		{Method: http.MethodGet, Route: "/api/vm/ws/{uid}", Params: alice, Status: http.StatusOK, Answer: api.LocateResponse{URL: url}},
		{Method: http.MethodGet, Route: "/api/vm/list", Status: http.StatusOK, Answer: []string{"alice"}},
		{Method: http.MethodGet, Route: "/api/vm/{uid}", Params: alice, Status: http.StatusOK, Answer: api.Desktop{
			UID: "alice", App: "firefox", State: "ready", URL: url, Container: "collab-vm-alice", Endpoints: vnc,
			CreatedAt: at, StartedAt: optional(at.Add(time.Second)), IdleDeadline: optional(at.Add(time.Minute)),
		}},
		{
			Method: http.MethodDelete, Route: "/api/vm/{uid}", Params: map[string]string{"uid": "alice", "purge": "true"},
			Status: http.StatusNoContent,
		},
	}
}
