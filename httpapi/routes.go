package httpapi

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sage/catalog"
	"sage/httpapi/api"
	"sage/session"
)

// allocate is the word that stands for a new uid.
const allocate = "allocate"

// uidInput is the path of every call about one desktop. Its rules are the
// session's, which tells them better than a schema.
type uidInput struct {
	UID string `path:"uid" doc:"Names the desktop: 1 to 63 letters, digits, '-', '_' and '.'."`
}

type startInput struct {
	UID  string            `path:"uid" doc:"The desktop's uid, or \"allocate\" for a new one."`
	Body *api.StartRequest `required:"false"`
}

type stopInput struct {
	UID   string `path:"uid" doc:"Names the desktop."`
	Purge bool   `query:"purge" doc:"Delete the home and the saved settings, too."`
}

type output[T any] struct{ Body T }

// register adds every call. The prefix /api/vm is the original's.
func (s *Server) register(a huma.API) {
	call(s, a, http.MethodPost, "/api/vm/any/{uid}", "Start a desktop, or find the one that runs", s.start)
	call(s, a, http.MethodGet, "/api/vm/ws/{uid}", "Find a running desktop", s.locate)
	call(s, a, http.MethodGet, "/api/vm/list", "List the uids that have a running desktop", s.list)
	call(s, a, http.MethodGet, "/api/vm/{uid}", "Describe a desktop", s.describe)
	call(s, a, http.MethodDelete, "/api/vm/{uid}", "Stop a desktop", s.stop)
	call(s, a, http.MethodGet, "/api/catalog", "List the apps", s.apps)
	call(s, a, http.MethodGet, "/healthz", "Tell whether the process lives", s.healthz)
	call(s, a, http.MethodGet, "/readyz", "Tell whether desktops can be started", s.readyz)
}

// call registers one call; its errors go through the one table.
func call[I, O any](s *Server, a huma.API, method, path, summary string, serve func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID:  huma.GenerateOperationID(method, path, (*O)(nil)),
		Method:       method,
		Path:         path,
		Summary:      summary,
		MaxBodyBytes: MaxBody,
	}
	huma.Register(a, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := serve(ctx, in)
		if err != nil {
			return nil, s.tellProblem(ctx, err)
		}
		return out, nil
	})
}

func (s *Server) start(ctx context.Context, in *startInput) (*output[api.StartResponse], error) {
	uid, body := in.UID, in.Body
	if body == nil {
		body = &api.StartRequest{}
	}
	if uid == allocate {
		if body.VM == "" {
			return nil, newProblem(http.StatusUnprocessableEntity, "app_missing", "App missing",
				"a new desktop needs an app: name one of the catalog's in \"vm\"")
		}
		uid = session.NewUID()
	}
	started, err := s.sessions.Start(ctx, uid, session.Request{App: body.VM, Env: body.Env})
	s.audit(ctx, auditStart, err, "uid", clip(uid), "app", clip(body.VM))
	if err != nil {
		return nil, err
	}
	return &output[api.StartResponse]{api.StartResponse{URL: streamURL(started.Token), UID: started.UID}}, nil
}

func (s *Server) locate(_ context.Context, in *uidInput) (*output[api.LocateResponse], error) {
	found, err := s.sessions.Get(in.UID)
	if err != nil {
		return nil, err
	}
	if !found.State.Running() {
		return nil, session.ErrNotRunning
	}
	return &output[api.LocateResponse]{api.LocateResponse{URL: streamURL(found.Token)}}, nil
}

func (s *Server) list(context.Context, *struct{}) (*output[[]string], error) {
	uids := []string{}
	for _, d := range s.sessions.List() {
		if d.State.Running() {
			uids = append(uids, d.UID)
		}
	}
	slices.Sort(uids)
	return &output[[]string]{uids}, nil
}

func (s *Server) describe(_ context.Context, in *uidInput) (*output[api.Desktop], error) {
	found, err := s.sessions.Get(in.UID)
	if err != nil {
		return nil, err
	}
	if found.State == session.Absent {
		return nil, session.ErrNotRunning
	}
	d := api.Desktop{
		UID: found.UID, App: found.App, State: string(found.State), Container: found.Container,
		Endpoints: endpoints(found.Endpoints), Clients: found.Clients, CreatedAt: found.CreatedAt,
		StartedAt: optional(found.ReadyAt), IdleDeadline: optional(found.IdleDeadline),
		Progress: found.Progress, Reason: failure(found.Failure), Outdated: found.Outdated,
	}
	if found.Token != "" {
		d.URL = streamURL(found.Token)
	}
	return &output[api.Desktop]{d}, nil
}

func (s *Server) stop(ctx context.Context, in *stopInput) (*struct{}, error) {
	err := s.sessions.Stop(ctx, in.UID, session.StopOptions{Purge: in.Purge})
	s.audit(ctx, auditStop, err, "uid", clip(in.UID), "purge", in.Purge)
	return nil, err
}

func (s *Server) apps(context.Context, *struct{}) (*output[api.Catalog], error) {
	out := api.Catalog{Apps: []api.App{}}
	for _, app := range s.opts.Catalog().Apps {
		out.Apps = append(out.Apps, api.App{
			ID: app.ID, Title: app.Title, Description: strings.TrimSpace(app.Description), Icon: app.IconDataURI(),
			Aliases: append([]string{}, app.Aliases...), Endpoints: endpoints(app.Endpoints), Variables: variables(app.Variables),
		})
	}
	return &output[api.Catalog]{out}, nil
}

func (s *Server) healthz(context.Context, *struct{}) (*output[api.Health], error) {
	return &output[api.Health]{api.Health{Status: "ok", Version: s.opts.Version}}, nil
}

func (s *Server) readyz(ctx context.Context, _ *struct{}) (*output[api.Health], error) {
	if s.draining.Load() {
		return nil, session.ErrClosing
	}
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := s.sessions.Ping(ctx)
	if err != nil {
		return nil, err
	}
	return &output[api.Health]{api.Health{Status: "ok", Version: s.opts.Version, Engine: &api.Engine{
		Backend: info.Backend, Version: info.Version, Rootless: info.Rootless, Warnings: info.Warnings,
	}, Catalog: s.catalogStatus()}}, nil
}

// catalogStatus is for /readyz: desktops can be started from a good catalog
// although its file is bad by now, so a problem is a detail.
func (s *Server) catalogStatus() *api.CatalogStatus {
	if s.opts.CatalogStatus == nil {
		return nil
	}
	status := s.opts.CatalogStatus()
	out := &api.CatalogStatus{Generation: status.Generation, LoadedAt: status.LoadedAt}
	if status.Err != nil {
		out.Problem = status.Err.Error()
	}
	return out
}

// catalogSchema serves the schema of catalog files, for editors.
func catalogSchema(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/schema+json")
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(catalog.Schema())
}

// streamURL is where a desktop's streams are; clients append an endpoint.
func streamURL(token string) string { return "/stream/" + token }

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
