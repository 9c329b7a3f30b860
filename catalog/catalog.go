package catalog

import (
	"slices"
)

// Catalog is the content of one catalog file.
type Catalog struct {
	// Version is the version of the file's format, always 1.
	Version int `yaml:"version" validate:"version"`
	// Apps are in the order of the file.
	Apps []App `yaml:"apps" validate:"min=1,dive"`
}

// App finds an app by its exact id or by one of its aliases. The result points into the catalog and must not be changed.
func (c *Catalog) App(nameOrAlias string) (*App, bool) {
	for i := range c.Apps {
		if c.Apps[i].ID == nameOrAlias || slices.Contains(c.Apps[i].Aliases, nameOrAlias) {
			return &c.Apps[i], true
		}
	}
	return nil, false
}

// App is one application: an image, and how a container of it is run.
type App struct {
	// ID names the app in the API, in labels and in other apps' build.from: lower-case letters, digits and inner
	// hyphens, up to 32 characters.
	ID string `yaml:"id" validate:"appid"`
	// Title and Description are for people, up to 64 and 512 characters.
	Title       string `yaml:"title" validate:"required,max=64,printable"`
	Description string `yaml:"description" validate:"max=512,printable"`
	// Icon is the path of an .svg or .png file of up to 64 KiB, relative to the catalog file; see [App.IconDataURI].
	Icon string `yaml:"icon"`
	// Image is a fully qualified reference: it begins with the registry's host.
	Image string `yaml:"image" validate:"imageref"`
	// Build says how the image is made where it is missing. Without one it is pulled.
	Build *Build `yaml:"build"`
	// Endpoints are the ports that serve the desktop, at least one. People look at the one named vnc, else at the first.
	Endpoints []Endpoint `yaml:"endpoints" validate:"min=1,dive"`
	// Env is the fixed environment, which a caller cannot change.
	Env map[string]string `yaml:"env" validate:"dive,keys,envname,endkeys,envvalue"`
	// Variables is the environment that a caller may set; all else is refused.
	Variables []Variable `yaml:"environment" validate:"dive"`
	// Limits are the bounds of the container.
	Limits Limits `yaml:"limits"`
	// Viewing says what people may do who look at a desktop.
	Viewing Viewing `yaml:"viewing"`
	// Home is the directory that outlives the container. Without one nothing is kept.
	Home *Home `yaml:"home"`
	// Tmpfs are the writable directories in memory: /tmp and /run unless the file says otherwise.
	Tmpfs []Tmpfs `yaml:"tmpfs" validate:"dive"`
	// ReadOnly makes the root filesystem read-only. It is true unless the file says otherwise.
	ReadOnly bool `yaml:"read_only"`
	// Timeouts overrule the daemon's settings for this app.
	Timeouts Timeouts `yaml:"timeouts"`
	// Aliases are further names of the app, unique over all ids and aliases of the catalog.
	Aliases []string `yaml:"aliases" validate:"dive,alias"`

	iconURI string
	// fingerprint is made once when the catalog is read; empty for an App that was not.
	fingerprint string
}

// IconDataURI returns the icon as a data URI (RFC 2397), or "" for an app without an icon.
func (a *App) IconDataURI() string { return a.iconURI }

// Endpoint finds an endpoint by its exact name.
func (a *App) Endpoint(name string) (Endpoint, bool) {
	for _, e := range a.Endpoints {
		if e.Name == name {
			return e, true
		}
	}
	return Endpoint{}, false
}

// Primary returns the endpoint that shows the desktop: the one named vnc, else the first. It is the zero Endpoint only
// for an App that was not loaded from a file.
func (a *App) Primary() Endpoint {
	if e, ok := a.Endpoint("vnc"); ok {
		return e
	}
	if len(a.Endpoints) == 0 {
		return Endpoint{}
	}
	return a.Endpoints[0]
}

func (a *App) setDefaults() {
	a.ReadOnly = true
	a.Viewing.setDefaults()
	a.Limits.setDefaults()
	a.Tmpfs = []Tmpfs{{Path: "/tmp", Size: 256 << 20}, {Path: "/run", Size: 64 << 20}}
}

// Build says how an app's image is made.
type Build struct {
	// Context is the directory given to the build, relative to the catalog file; absolute after loading.
	Context string `yaml:"context" validate:"required,printable"`
	// Containerfile is a path inside the context, "Containerfile" unless the file says otherwise.
	Containerfile string `yaml:"containerfile" validate:"localpath"`
	// Args are the build's arguments.
	Args map[string]string `yaml:"args" validate:"dive,keys,envname,endkeys,envvalue"`
	// From is the id of the app whose image must be built first, or "". Following From always ends.
	From string `yaml:"from"`
}

func (b *Build) setDefaults() { b.Containerfile = "Containerfile" }

// Endpoint is a port inside the container that serves the desktop or something beside it.
type Endpoint struct {
	// Name is unique in the app: a lower-case letter, then letters, digits and hyphens, up to 31 characters.
	Name string `yaml:"name" validate:"endpointname"`
	// Port is 1 to 65535, unique in the app.
	Port uint16 `yaml:"port" validate:"port"`
	// Path is the request path of a websocket endpoint ("/websockify" unless the file says otherwise), else "".
	Path string `yaml:"path" validate:"omitempty,urlpath"`
	// Protocol is rfb for a VNC server, websocket for one behind websockify, tcp for any stream of bytes.
	Protocol Protocol `yaml:"protocol" validate:"oneof=websocket rfb tcp"`
	// VNC says that the messages of a websocket endpoint hold RFB, so that what viewers send can be understood there, too.
	VNC bool `yaml:"vnc"`
	// Secret says that whoever connects to a tcp endpoint must first send the password of viewing.password_env and a line
	// feed, which Sage does. Other desktops may reach the port, and do not know the password.
	Secret bool `yaml:"secret"`
}

// SpeaksRFB tells whether the endpoint is known to speak RFB, bare or in WebSocket messages.
func (e Endpoint) SpeaksRFB() bool { return e.Protocol == RFB || e.VNC }

// Protocol is what an endpoint speaks.
type Protocol string

const (
	// WebSocket is RFB inside WebSocket messages (RFC 6455), as websockify serves it.
	WebSocket Protocol = "websocket"
	// RFB is a VNC server's own protocol over TCP (RFC 6143).
	RFB Protocol = "rfb"
	// TCP is any stream of bytes.
	TCP Protocol = "tcp"
)

// Viewing says what viewers of an app's desktops may do. It is enforced on endpoints that speak RFB.
type Viewing struct {
	// Understand lets Sage look at what viewers send. Without it bytes just pass: there are no view-only links, no agreement
	// on the size, no policy and no password. Default true.
	Understand bool `yaml:"understand"`
	// Clipboard names the directions of clipboard texts: both, in (to the desktop), out (from it) or none. Default both.
	Clipboard string `yaml:"clipboard" validate:"oneof=both in out none"`
	// PasswordEnv is the environment variable by which the image takes the password that its VNC server shall want
	// (VncAuth); every container gets a new one of 8 characters. Without it the server wants none.
	PasswordEnv string `yaml:"password_env" validate:"omitempty,envname"`
}

func (v *Viewing) setDefaults() { *v = Viewing{Understand: true, Clipboard: "both"} }

// Limits are the bounds of one container.
type Limits struct {
	// CPUs is the share of processors: 0.5 is half of one. Default 2.
	CPUs float64 `yaml:"cpus" validate:"gt=0,lte=128"`
	// Memory is in bytes. Default 2 GiB.
	Memory Size `yaml:"memory" validate:"atleast=16m,atmost=1t"`
	// Pids counts processes and threads. Default 512.
	Pids int64 `yaml:"pids" validate:"gte=16,lte=4194304"`
	// Shm is the size of /dev/shm in bytes. Default 256 MiB.
	Shm Size `yaml:"shm" validate:"atleast=1m,atmost=1t"`
}

func (l *Limits) setDefaults() { *l = Limits{CPUs: 2, Memory: 2 << 30, Pids: 512, Shm: 256 << 20} }

// Home is the directory that outlives the container: a volume of its own for every user of the app.
type Home struct {
	// Path is absolute.
	Path string `yaml:"path" validate:"mountpoint"`
}

// Tmpfs is a writable directory in memory that ends with the container.
type Tmpfs struct {
	// Path is absolute, unique in the app.
	Path string `yaml:"path" validate:"mountpoint"`
	// Size is in bytes. Default 64 MiB.
	Size Size `yaml:"size" validate:"atleast=1m,atmost=1t"`
}

func (t *Tmpfs) setDefaults() { t.Size = 64 << 20 }

// Timeouts overrule the daemon's settings for one app. Zero means the daemon's setting.
type Timeouts struct {
	// Start is the time from create to the first answer of the primary endpoint.
	Start Duration `yaml:"start" validate:"omitempty,atleast=1s,atmost=30m"`
	// FirstClient is how long a ready desktop waits for its first client.
	FirstClient Duration `yaml:"first_client" validate:"omitempty,atleast=1s,atmost=24h"`
	// Idle is how long a desktop is kept after its last client has left.
	Idle Duration `yaml:"idle" validate:"omitempty,atleast=1s,atmost=168h"`
	// InputIdle ends a desktop that nobody has touched for so long, even when somebody looks at it. Default: never.
	InputIdle Duration `yaml:"input_idle" validate:"omitempty,atleast=1s,atmost=168h"`
	// Stop is the time between the polite and the hard signal.
	Stop Duration `yaml:"stop" validate:"omitempty,atleast=1s,atmost=10m"`
	// MaxLifetime ends a desktop even when somebody looks at it.
	MaxLifetime Duration `yaml:"max_lifetime" validate:"omitempty,atleast=1m,atmost=720h"`
}

// Variable is one environment variable that a caller may set.
type Variable struct {
	// Name is that of the environment variable.
	Name string `yaml:"name" validate:"envname"`
	// Title and Description are for people, up to 64 and 512 characters.
	Title       string `yaml:"title" validate:"max=64,printable"`
	Description string `yaml:"description" validate:"max=512,printable"`
	// Type is "string" unless the file says otherwise.
	Type VariableType `yaml:"type" validate:"oneof=string integer number boolean list"`
	// Default is used when the caller gives nothing; without one the variable is not set. That of a list is written with spaces
	// between the items.
	Default *string `yaml:"default,scalar"`
	// Allowed lists all permitted values, of a list all permitted items; empty means any that fits the other rules.
	Allowed []string `yaml:"allowed,scalar" validate:"max=1000"`
	// Pattern is a regular expression (RE2) that must match a string, or an item of a list, as a whole; "" means none.
	Pattern string `yaml:"pattern"`
	// Min and Max are inclusive bounds of an integer or number.
	Min *float64 `yaml:"min"`
	Max *float64 `yaml:"max"`
	// MaxLength bounds a string, or an item of a list, in characters. Default 1024.
	MaxLength int `yaml:"max_length" validate:"gte=0,lte=32768"`
	// MaxItems bounds a list. Default 32. Whatever it says, all items together have at most 32 KiB.
	MaxItems int `yaml:"max_items" validate:"gte=0,lte=1024"`
	// Secret values are never repeated in messages.
	Secret bool `yaml:"secret"`
}

func (v *Variable) setDefaults() { v.Type = String }

// VariableType is the type of a Variable's value.
type VariableType string

// The types of a variable, but for List named as in JSON Schema.
const (
	String  VariableType = "string"
	Integer VariableType = "integer"
	Number  VariableType = "number"
	Boolean VariableType = "boolean"
	// List is some strings without white space inside, which the environment holds with one space between them.
	List VariableType = "list"
)
