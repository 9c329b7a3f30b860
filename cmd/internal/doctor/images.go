package doctor

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"sage/catalog"
	"sage/runtime"
)

const (
	// labelVNCServer is the label in which an image says which VNC server it has.
	labelVNCServer = "io.sage.vnc-server"
	// argVNCServer is the build argument that chooses it.
	argVNCServer = "VNC_SERVER"
)

// examineImages looks whether the catalog's are on the engine, and which VNC
// server is in them.
func examineImages(ctx context.Context, rt runtime.Runtime, apps *catalog.Catalog, args map[string]string) []Finding {
	var missing, mends []string
	servers := vncServers{args: args}
	for i := range apps.Apps {
		app := &apps.Apps[i]
		image, err := rt.Image(ctx, app.Image)
		switch {
		case err == nil:
			servers.add(app, image)
			continue
		case !errors.Is(err, runtime.ErrImageNotFound):
			return []Finding{fail("images", "look at the engine's log", "app %s: %v", app.ID, err)}
		}
		missing = append(missing, app.Image)
		mend := "sage build"
		if app.Build == nil {
			mend = "sage pull"
		}
		if len(mends) == 0 || mends[len(mends)-1] != mend {
			mends = append(mends, mend)
		}
	}
	found := servers.findings()
	if len(missing) == 0 {
		return append(found, ok("images", "all of the catalog are on the engine; \"sage build\" renews outdated ones"))
	}
	return append(found, warn("images", strings.Join(mends, " and ")+" (else the first start of such an app does it, and takes as long)",
		"missing: %s", strings.Join(missing, ", ")))
}

// vncServers gathers which app's image has which VNC server.
type vncServers struct {
	args map[string]string
	// have are "app: server" of every image that says so, other those where the
	// catalog asks for another one.
	have, other []string
}

func (v *vncServers) add(app *catalog.App, image runtime.Image) {
	has := image.Labels[labelVNCServer]
	if has != "" {
		v.have = append(v.have, app.ID+": "+vncName(has))
	}
	if app.Build == nil || app.Build.Args[argVNCServer] == "" {
		return
	}
	if wanted := cmp.Or(v.args[argVNCServer], app.Build.Args[argVNCServer]); has != wanted {
		v.other = append(v.other, app.ID+" has "+vncName(has)+" instead of "+vncName(wanted))
	}
}

func (v *vncServers) findings() []Finding {
	switch {
	case len(v.other) > 0:
		return []Finding{warn("vnc", "sage build makes it as the settings ask for; --build-arg VNC_SERVER=tigervnc (SAGE_BUILD_ARGS) where TurboVNC's publisher cannot be reached",
			"%s", strings.Join(v.other, ", "))}
	case len(v.have) > 0:
		return []Finding{ok("vnc", "%s", strings.Join(v.have, ", "))}
	default:
		return nil
	}
}

func vncName(server string) string {
	switch server {
	case "turbovnc":
		return "TurboVNC"
	case "tigervnc":
		return "TigerVNC"
	case "":
		return "an unknown VNC server"
	default:
		return server
	}
}
