// Package api holds the words of Sage's HTTP API: the bodies that server and
// client exchange. It promises that a field once published keeps its meaning,
// and it must not know anything but JSON.
package api

import "time"

// Version is that of the API: it changes with what a client sees, and not with
// the program.
const Version = "1.0"

// StartRequest is the body of POST /api/vm/any/{uid}.
type StartRequest struct {
	// VM is an app of the catalog, by id or alias; empty for a uid that is known.
	VM string `json:"vm,omitempty" doc:"An app of the catalog, by id or alias. May be left out for a uid whose settings were saved." example:"firefox"`
	// Env is what the caller sets of the app's environment.
	Env map[string]any `json:"env,omitempty" doc:"Environment of the app, by name. Only the variables that the catalog offers for it are allowed." example:"{}"`
}

// StartResponse is its answer: a desktop that answers.
type StartResponse struct {
	// URL is the stream's address without host; endpoints are below it.
	URL string `json:"url" doc:"Where the desktop's streams are: append /vnc (or another endpoint's name) and open it as a WebSocket." example:"/stream/k5x3qj2m7v"`
	UID string `json:"uid" doc:"The uid; new, when it was to be allocated."`
}

// LocateResponse is the answer of GET /api/vm/ws/{uid}.
type LocateResponse struct {
	URL string `json:"url" doc:"Where the desktop's streams are."`
}

// Desktop is the answer of GET /api/vm/{uid}.
type Desktop struct {
	UID string `json:"uid"`
	App string `json:"app" doc:"Id of the app in the catalog."`
	// State is a session.State.
	State string `json:"state" enum:"preparing,starting,ready,occupied,stopping,failed"`
	// URL is empty while there is nothing to connect to.
	URL       string     `json:"url,omitempty" doc:"Where the desktop's streams are; absent while there are none."`
	Container string     `json:"container" doc:"Name of the container on the engine."`
	Endpoints []Endpoint `json:"endpoints"`
	Clients   int        `json:"clients" doc:"Open streams."`
	CreatedAt time.Time  `json:"created_at"`
	// StartedAt is when the desktop answered first.
	StartedAt *time.Time `json:"started_at,omitempty" doc:"When the desktop answered for the first time."`
	// IdleDeadline is when it will be stopped if no client comes.
	IdleDeadline *time.Time `json:"idle_deadline,omitempty" doc:"When it will be stopped if no client comes."`
	Progress     string     `json:"progress,omitempty" doc:"The last word on the image that is being prepared."`
	Reason       *Failure   `json:"reason,omitempty" doc:"Why a failed desktop failed."`
	// Outdated desktops run on; the next start takes what the catalog says by then.
	Outdated bool `json:"outdated,omitempty" doc:"The catalog has changed what this desktop is made of; the next start takes that."`
}

// Failure says why a desktop did not come up, or ended.
type Failure struct {
	Phase     string   `json:"phase" enum:"settings,image,create,start,ready,running"`
	Message   string   `json:"message"`
	ExitCode  *int     `json:"exit_code,omitempty"`
	OOMKilled bool     `json:"oom_killed,omitempty"`
	Log       []string `json:"log,omitempty" doc:"The last lines that the container wrote."`
}

// Endpoint is one way into a desktop.
type Endpoint struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol" enum:"websocket,rfb,tcp"`
}

// Catalog is the answer of GET /api/catalog.
type Catalog struct {
	Apps []App `json:"apps"`
}

// App is one app of the catalog.
type App struct {
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Icon        string     `json:"icon" doc:"A data: URI, or empty."`
	Aliases     []string   `json:"aliases"`
	Endpoints   []Endpoint `json:"endpoints"`
	Variables   []Variable `json:"variables" doc:"The environment that a caller may set."`
}

// Variable is one environment variable that a caller may set.
type Variable struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Description string   `json:"description,omitempty"`
	Type        string   `json:"type" enum:"string,integer,number,boolean,list"`
	Default     *string  `json:"default,omitempty"`
	Allowed     []string `json:"allowed,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Secret      bool     `json:"secret,omitempty"`
}

// Health is the answer of GET /healthz and GET /readyz.
type Health struct {
	Status  string  `json:"status" enum:"ok"`
	Version string  `json:"version"`
	Engine  *Engine `json:"engine,omitempty"`
	// Catalog is that of a ready Sage.
	Catalog *CatalogStatus `json:"catalog,omitempty"`
}

// CatalogStatus tells which catalog a Sage uses.
type CatalogStatus struct {
	Generation int       `json:"generation" doc:"Counts the contents that were taken into use since the start."`
	LoadedAt   time.Time `json:"loaded_at" doc:"When the content in use was read."`
	// Problem is empty where the file is the content in use.
	Problem string `json:"problem,omitempty" doc:"Why the file as it is now was refused; the content before it stays in use."`
}

// Engine is the container engine behind a ready Sage.
type Engine struct {
	Backend  string   `json:"backend"`
	Version  string   `json:"version"`
	Rootless bool     `json:"rootless"`
	Warnings []string `json:"warnings,omitempty"`
}

// Problem is every error's body, a problem document of RFC 9457.
type Problem struct {
	// Type is always "about:blank": Code says which problem it is.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Detail says what happened this time, and what to do.
	Detail string `json:"detail,omitempty"`
	// Details repeats Detail under the name that the first clients of this API
	// look for.
	Details string `json:"details,omitempty"`
	// Code is stable: programs may decide by it.
	Code string `json:"code"`
	// Errors are the single mistakes of a request that has several.
	Errors []Mistake `json:"errors,omitempty"`
	// Reason is how far a start came, where it was a start that failed.
	Reason *Failure `json:"reason,omitempty"`
}

// Mistake is one thing that is wrong with a request.
type Mistake struct {
	// Location is where, for example "body.env.SAGE_GEOMETRY".
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}
