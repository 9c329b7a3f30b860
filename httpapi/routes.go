package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"sage/catalog"
	"sage/httpapi/api"
	"sage/runtime"
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

type pictureInput struct {
	UID   string `path:"uid" doc:"Names the desktop."`
	Width int    `query:"width" minimum:"0" maximum:"16384" doc:"Scale the picture down to so many pixels; 0 leaves it as it is."`
}

// pictureOutput is a picture in PNG.
type pictureOutput struct {
	ContentType  string    `header:"Content-Type"`
	LastModified time.Time `header:"Last-Modified"`
	// Live tells a picture of now from the last one of a desktop that has ended.
	Live bool `header:"X-Sage-Live"`
	Body []byte
}

// textOutput is an answer that is no JSON.
type textOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type output[T any] struct{ Body T }

// register adds every call. The prefix /api/vm is the original's.
func (s *Server) register(a huma.API) {
	call(s, a, http.MethodPost, "/api/vm/any/{uid}", "Start a desktop, or find the one that runs",
		"Answers when the desktop does. One that runs is returned as it is, one that is going away is started anew.", s.start)
	call(s, a, http.MethodGet, "/api/vm/ws/{uid}", "Find a running desktop", "", s.locate)
	call(s, a, http.MethodGet, "/api/vm/list", "List the uids that have a running desktop", "", s.list)
	call(s, a, http.MethodGet, "/api/vm", "Describe every desktop", "Those that come up, go away or have failed, too.", s.desktops)
	call(s, a, http.MethodGet, "/api/vm/{uid}", "Describe a desktop", "", s.describe)
	call(s, a, http.MethodDelete, "/api/vm/{uid}", "Stop a desktop", "Answers when it is gone. A start that is under way is ended.", s.stop)
	call(s, a, http.MethodPost, "/api/vm/{uid}/restart", "Restart a desktop",
		"Stops it and starts it anew with its saved settings; who asks for it meanwhile waits. The home stays, the address is another one. "+
			"A uid whose desktop does not run is started.", s.restart)
	call(s, a, http.MethodGet, "/api/vm/{uid}/logs", "Read what a desktop's container wrote",
		"The last lines of both outputs, at most 64 KiB, as plain text.", s.logs)
	call(s, a, http.MethodGet, "/api/vm/{uid}/log-stream", "Follow what a desktop's container writes",
		"The last lines as above, and then what comes, as plain text. The answer ends with the container, or when sage goes down; "+
			"following is no use of a desktop.", s.followLogs)
	call(s, a, http.MethodGet, "/api/vm/{uid}/screenshot.png", "Picture a desktop",
		"What it shows now, or what it showed when it was stopped (X-Sage-Live: false). It is no use of the desktop.", s.picture)
	call(s, a, http.MethodGet, "/api/vm/{uid}/stats", "Tell what a desktop uses",
		"Processor, memory, processes and network, as the engine counts them. An engine that cannot count is refused as unsupported.", s.stats)
	call(s, a, http.MethodGet, "/api/vm/{uid}/events", "Follow a desktop",
		"Server-sent events (HTML Living Standard, section 9.2). Each event \"desktop\" carries the document of GET /api/vm/{uid}: one at once, "+
			"and one whenever it changes, at most ten in a second. A uid without a desktop has the state absent, and a later start is followed, too. "+
			"The stream ends when sage goes down; following is no use of a desktop.", s.follow)
	call(s, a, http.MethodGet, "/api/events", "Follow every desktop",
		"Like the events of one desktop: first an event \"desktop\" for each that there is, then for each that changes, "+
			"and an event \"gone\" with the uid of each that is absent again.", s.followAll)
	call(s, a, http.MethodGet, "/api/catalog", "List the apps", "", s.apps)
	call(s, a, http.MethodGet, healthPath, "Tell whether the process lives", "", s.healthz)
	call(s, a, http.MethodGet, readyPath, "Tell whether desktops can be started", "", s.readyz)
}

// call registers one call; its errors go through the one table.
func call[I, O any](s *Server, a huma.API, method, path, summary, description string, serve func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: huma.GenerateOperationID(method, path, (*O)(nil)),
		Method:      method,
		Path:        path,
		Summary:     summary,
		Description: description,
		// The body is there; see receive.
		MaxBodyBytes: MaxBody + 1, BodyReadTimeout: -1,
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
	end, err := s.beginWork(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	started, err := s.sessions.Start(ctx, uid, session.Request{App: body.VM, Env: body.Env})
	s.audit(ctx, auditStart, err, "uid", clip(uid), "app", clip(body.VM))
	if err != nil {
		return nil, err
	}
	return &output[api.StartResponse]{api.StartResponse{URL: streamURL(started.Token), UID: started.UID}}, nil
}

func (s *Server) locate(ctx context.Context, in *uidInput) (*output[api.LocateResponse], error) {
	found, err := s.sessions.Find(ctx, in.UID)
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
	return &output[api.Desktop]{desktop(found)}, nil
}

func (s *Server) desktops(context.Context, *struct{}) (*output[api.Desktops], error) {
	out := api.Desktops{Desktops: []api.Desktop{}}
	for _, d := range s.sessions.List() {
		out.Desktops = append(out.Desktops, desktop(d))
	}
	slices.SortFunc(out.Desktops, func(a, b api.Desktop) int { return strings.Compare(a.UID, b.UID) })
	return &output[api.Desktops]{out}, nil
}

func (s *Server) stop(ctx context.Context, in *stopInput) (*struct{}, error) {
	end, err := s.beginWork(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	err = s.sessions.Stop(ctx, in.UID, session.StopOptions{Purge: in.Purge})
	s.audit(ctx, auditStop, err, "uid", clip(in.UID), "purge", in.Purge)
	return nil, err
}

func (s *Server) restart(ctx context.Context, in *uidInput) (*output[api.StartResponse], error) {
	end, err := s.beginWork(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	started, err := s.sessions.Restart(ctx, in.UID)
	s.audit(ctx, auditRestart, err, "uid", clip(in.UID))
	if err != nil {
		return nil, err
	}
	return &output[api.StartResponse]{api.StartResponse{URL: streamURL(started.Token), UID: started.UID}}, nil
}

// pictureBytes bounds the bytes of all pictures whose answers are not out yet. A
// desktop decides how large its picture is, and a client how slowly it receives it.
const pictureBytes = 64 << 20

func (s *Server) picture(ctx context.Context, in *pictureInput) (*pictureOutput, error) {
	p, err := ask(ctx, s, fmt.Sprintf("picture %s %d", in.UID, in.Width), func(ctx context.Context) (session.Picture, error) {
		return s.sessions.Picture(ctx, in.UID, in.Width)
	})
	if err != nil {
		return nil, err
	}
	size := min(int64(len(p.PNG)), pictureBytes)
	if !s.pictures.TryAcquire(size) {
		return nil, errBusy
	}
	requestOf(ctx).release = func() { s.pictures.Release(size) }
	return &pictureOutput{
		ContentType: "image/png", LastModified: p.At, Live: p.Live, Body: p.PNG,
	}, nil
}

func (s *Server) stats(ctx context.Context, in *uidInput) (*output[api.Stats], error) {
	used, err := ask(ctx, s, "stats "+in.UID, func(ctx context.Context) (session.Usage, error) {
		return s.sessions.Usage(ctx, in.UID)
	})
	if err != nil {
		return nil, err
	}
	return &output[api.Stats]{usage(used)}, nil
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

func (s *Server) healthz(ctx context.Context, _ *struct{}) (*output[api.Health], error) {
	return &output[api.Health]{s.health(ctx)}, nil
}

// health says that all is well; the version only to those who have the token.
func (s *Server) health(ctx context.Context) api.Health {
	h := api.Health{Status: "ok"}
	if s.knowsToken(ctx) {
		h.Version = s.opts.Version
	}
	return h
}

func (s *Server) readyz(ctx context.Context, _ *struct{}) (*output[api.Health], error) {
	if s.goingDown() {
		return nil, session.ErrClosing
	}
	info, err := s.ping(ctx)
	h := s.health(ctx)
	switch {
	case err != nil && !s.knowsToken(ctx):
		p := *problemOf(err)
		p.Detail = "desktops cannot be started: the particulars are for those who send the token"
		p.Details, p.Reason, p.Errors = p.Detail, nil, nil
		return nil, &p
	case err != nil:
		return nil, err
	case s.knowsToken(ctx):
		h.Engine = &api.Engine{Backend: info.Backend, Version: info.Version, Rootless: info.Rootless, Warnings: info.Warnings}
		h.Catalog = s.catalogStatus()
	}
	return &output[api.Health]{h}, nil
}

// ping asks the engine whether it is there, at most once in readinessFresh for all
// callers.
func (s *Server) ping(ctx context.Context) (runtime.Info, error) {
	return ask(ctx, s, "ping", func(ctx context.Context) (runtime.Info, error) {
		return s.engine.ready.recently(func() (runtime.Info, error) {
			const patience = 5 * time.Second
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			return s.sessions.Ping(ctx)
		})
	})
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
