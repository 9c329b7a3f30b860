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

// Desktops is the answer of GET /api/vm.
type Desktops struct {
	Desktops []Desktop `json:"desktops" doc:"Every desktop, in whatever state, sorted by uid."`
}

// Desktop is the answer of GET /api/vm/{uid}, and what the events carry.
type Desktop struct {
	UID string `json:"uid"`
	App string `json:"app" doc:"Id of the app in the catalog. Of an absent desktop the app that it starts with again; empty where nothing is kept of the uid."`
	// State is a session.State; absent comes in events only.
	State string `json:"state" enum:"absent,preparing,starting,ready,occupied,stopping,failed"`
	// Phase is a session.Phase, while preparing or starting.
	Phase string `json:"phase,omitempty" enum:"queued,settings,image,create,start,ready" doc:"What a desktop that is coming up is about."`
	// QueuePosition counts from 1.
	QueuePosition int `json:"queue_position,omitempty" doc:"Place among the starts that wait for others; absent while it does not wait."`
	// URL is empty while there is nothing to connect to.
	URL string `json:"url,omitempty" doc:"Where the desktop's streams are; absent while there are none."`
	// ViewURL is for those who only look.
	ViewURL   string     `json:"view_url,omitempty" doc:"The same for those who only look: whatever acts on the desktop is dropped by Sage. Absent where Sage cannot enforce that."`
	Container string     `json:"container" doc:"Name of the container on the engine."`
	Endpoints []Endpoint `json:"endpoints"`
	Clients   int        `json:"clients" doc:"Open streams."`
	Viewers   int        `json:"viewers" doc:"Open streams of the primary endpoint: somebody who also listens counts once."`
	Home      bool       `json:"home" doc:"What is done there is kept for the uid's next desktop."`
	HomeLost  bool       `json:"home_lost,omitempty" doc:"What the uid had kept was removed by another program before this desktop started."`
	Limits    *Limits    `json:"limits,omitempty" doc:"What the desktop may use, as far as the engine honours it."`
	CreatedAt time.Time  `json:"created_at,omitzero"`
	// StartedAt is when the desktop answered first.
	StartedAt *time.Time `json:"started_at,omitempty" doc:"When the desktop answered for the first time."`
	// IdleDeadline is when it will be stopped if no client comes.
	IdleDeadline *time.Time `json:"idle_deadline,omitempty" doc:"When it will be stopped if no client comes."`
	// ExpiresAt is when its lifetime is over.
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"When it will be stopped in any case."`
	Progress  string     `json:"progress,omitempty" doc:"The last word on the image that is being prepared."`
	Image     *Image     `json:"image,omitempty" doc:"How far the image has come, while it is brought."`
	Reason    *Failure   `json:"reason,omitempty" doc:"Why a failed desktop failed."`
	// Outdated desktops run on; the next start takes what the catalog says by then.
	Outdated bool `json:"outdated,omitempty" doc:"The catalog has changed what this desktop is made of; the next start takes that."`
}

// Limits bound a desktop; what is absent is not limited.
type Limits struct {
	CPUs        float64 `json:"cpus,omitempty" doc:"Cores; may be a fraction."`
	MemoryBytes int64   `json:"memory_bytes,omitempty"`
	PIDs        int64   `json:"pids,omitempty" doc:"Processes and threads."`
}

// Image is how far an image has come.
type Image struct {
	Text string `json:"text" doc:"The engine's last word."`
	// Current and Total are bytes, of the layers that are known so far.
	Current int64   `json:"current,omitempty" doc:"Bytes that have come."`
	Total   int64   `json:"total,omitempty" doc:"Bytes of the layers that are known so far; absent where the engine does not tell."`
	Layers  []Layer `json:"layers" doc:"In the order in which they came up; empty while the engine tells text alone."`
}

// Layer is how far one layer of an image has come.
type Layer struct {
	ID      string `json:"id"`
	Status  string `json:"status" doc:"The engine's word for what it does."`
	Current int64  `json:"current,omitempty"`
	Total   int64  `json:"total,omitempty"`
}

// Stats is the answer of GET /api/vm/{uid}/stats.
type Stats struct {
	At               time.Time `json:"at" doc:"When that was, by the engine's clock."`
	CPUSeconds       float64   `json:"cpu_seconds" doc:"Processor time since the container was started."`
	CPUPercent       float64   `json:"cpu_percent" doc:"Share of one core, of late: 150 is one core and a half."`
	MemoryBytes      int64     `json:"memory_bytes"`
	MemoryLimitBytes int64     `json:"memory_limit_bytes" doc:"The container's limit, or all memory of the host."`
	PIDs             int64     `json:"pids" doc:"Processes and threads."`
	NetworkRxBytes   *int64    `json:"network_rx_bytes,omitempty" doc:"What has come to it; absent where the engine does not tell."`
	NetworkTxBytes   *int64    `json:"network_tx_bytes,omitempty" doc:"What has left it; absent where the engine does not tell."`
}

// Gone is the event that says that a uid has no desktop any more.
type Gone struct {
	UID string `json:"uid"`
}

// The names of the events of GET /api/vm/{uid}/events and GET /api/events.
const (
	// EventDesktop carries a Desktop, EventGone a Gone.
	EventDesktop = "desktop"
	EventGone    = "gone"
)

// Failure says why a desktop did not come up, or ended.
type Failure struct {
	Phase     string   `json:"phase" enum:"queued,settings,image,create,start,ready,running"`
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
	Status string `json:"status" enum:"ok"`
	// Version, Engine and Catalog are for those who have the token.
	Version string  `json:"version,omitempty" doc:"Of the program. Where this Sage has a token, this and what follows is only for those who send it."`
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
	// Limit is what was met, where it was a limit.
	Limit *LimitMet `json:"limit,omitempty"`
	// Reason is how far a start came, where it was a start that failed.
	Reason *Failure `json:"reason,omitempty"`
}

// LimitMet is a limit that a request would go beyond.
type LimitMet struct {
	// Name is "max_desktops" or "ports".
	Name string `json:"name"`
	// Limit is how many there may be, Current how many there are.
	Limit   int `json:"limit"`
	Current int `json:"current"`
}

// Mistake is one thing that is wrong with a request.
type Mistake struct {
	// Location is where, for example "body.env.SAGE_GEOMETRY".
	Location string `json:"location,omitempty"`
	Message  string `json:"message"`
}
