package session

import (
	"fmt"
	"strconv"
	"strings"

	"sage/catalog"
	"sage/runtime"
	"sage/viewer"
)

// The labels by which a daemon knows its containers again. They are written
// and read in this file only.
const (
	labelVersion   = "io.sage.version"
	labelInstance  = "io.sage.instance"
	labelBaseName  = "io.sage.base-name"
	labelUID       = "io.sage.uid"
	labelApp       = "io.sage.app"
	labelToken     = "io.sage.token"
	labelEndpoints = "io.sage.endpoints"
	// Optional: containers of an earlier sage do not have them.
	labelSpec   = "io.sage.spec"
	labelLimits = "io.sage.limits"
	// How viewers are dealt with: a direction of the clipboard or viewingOff, and
	// the password of the VNC server.
	labelViewing  = "io.sage.viewing"
	labelPassword = "io.sage.vnc-password"
	labelHome     = "io.sage.home"

	labelsVersion = "1"

	// viewingOff is for desktops whose viewers are not understood.
	viewingOff = "off"
	// vncMark is behind the protocol of a websocket endpoint that holds RFB.
	vncMark = "+vnc"
)

// identity is what a container's labels say of it.
type identity struct {
	uid, app, token string
	endpoints       []catalog.Endpoint
	// spec is the fingerprint of the app that it was made from; empty where that
	// is not known.
	spec string
	// limits are without that of /dev/shm, which is nobody's to look at.
	limits runtime.Limits
	// home is where it is in the container; empty for none.
	home string
	// viewing is what its viewers may do; nil where they are not understood.
	viewing *viewing
}

// viewing is what the viewers of a desktop may do.
type viewing struct {
	clipboard viewer.Clipboard
	// password is what the VNC server wants; empty for none.
	password string
}

// identityOf makes an identity for an app's next container.
func identityOf(uid string, app *catalog.App) identity {
	id := identity{
		uid: uid, app: app.ID, token: newToken(), endpoints: app.Endpoints, spec: app.Fingerprint(),
		limits: runtime.Limits{CPUs: app.Limits.CPUs, MemoryBytes: int64(app.Limits.Memory), PIDs: app.Limits.Pids},
	}
	if app.Home != nil {
		id.home = app.Home.Path
	}
	if app.Viewing.Understand {
		clipboard, _ := viewer.ParseClipboard(app.Viewing.Clipboard) // The catalog's rules know the words.
		id.viewing = &viewing{clipboard: clipboard}
		if app.Viewing.PasswordEnv != "" {
			id.viewing.password = newPassword()
		}
	}
	return id
}

// primary is the endpoint whose answer makes a desktop ready.
func (i identity) primary() catalog.Endpoint {
	app := catalog.App{Endpoints: i.endpoints}
	return app.Primary()
}

// selector chooses the containers of this daemon and no others.
func (o *Options) selector() runtime.Selector {
	return runtime.Selector{Labels: map[string]string{labelInstance: o.Instance, labelBaseName: o.BaseName}}
}

// selectorFor chooses the containers of one uid of this daemon.
func (o *Options) selectorFor(uid string) runtime.Selector {
	s := o.selector()
	s.Labels[labelUID] = uid
	return s
}

func (o *Options) labels(id identity) map[string]string {
	labels := map[string]string{
		labelVersion:   labelsVersion,
		labelInstance:  o.Instance,
		labelBaseName:  o.BaseName,
		labelUID:       id.uid,
		labelApp:       id.app,
		labelToken:     id.token,
		labelEndpoints: formatEndpoints(id.endpoints),
		labelSpec:      id.spec,
		labelLimits:    formatLimits(id.limits),
		labelHome:      id.home,
		labelViewing:   viewingOff,
	}
	if v := id.viewing; v != nil {
		labels[labelViewing] = v.clipboard.String()
		if v.password != "" {
			labels[labelPassword] = v.password
		}
	}
	return labels
}

// parseLabels reads what labels wrote. A damaged label is an error and never a
// guess.
func parseLabels(labels map[string]string) (identity, error) {
	if v := labels[labelVersion]; v != labelsVersion {
		return identity{}, fmt.Errorf("label %s is %q, this sage reads %q", labelVersion, v, labelsVersion)
	}
	id := identity{
		uid: labels[labelUID], app: labels[labelApp], token: labels[labelToken], spec: labels[labelSpec], home: labels[labelHome],
	}
	if err := CheckUID(id.uid); err != nil {
		return identity{}, fmt.Errorf("label %s: %w", labelUID, err)
	}
	if id.token == "" {
		return identity{}, fmt.Errorf("label %s is missing", labelToken)
	}
	var err error
	if id.endpoints, err = parseEndpoints(labels[labelEndpoints]); err != nil {
		return identity{}, fmt.Errorf("label %s: %w", labelEndpoints, err)
	}
	// The viewers of an earlier sage's container are not looked at, as before.
	if text, ok := labels[labelViewing]; ok && text != viewingOff {
		id.viewing = &viewing{password: labels[labelPassword]}
		if id.viewing.clipboard, err = viewer.ParseClipboard(text); err != nil {
			return identity{}, fmt.Errorf("label %s: %w", labelViewing, err)
		}
	}
	if text, ok := labels[labelLimits]; ok {
		if id.limits, err = parseLimits(text); err != nil {
			return identity{}, fmt.Errorf("label %s: %w", labelLimits, err)
		}
	}
	return id, nil
}

// The limits are cores, bytes of memory and processes; zero for no limit.
const limitsFormat = "cpus=%g,memory=%d,pids=%d"

func formatLimits(l runtime.Limits) string {
	return fmt.Sprintf(limitsFormat, l.CPUs, l.MemoryBytes, l.PIDs)
}

func parseLimits(text string) (l runtime.Limits, err error) {
	_, err = fmt.Sscanf(text, limitsFormat, &l.CPUs, &l.MemoryBytes, &l.PIDs)
	if err != nil || formatLimits(l) != text || l.CPUs < 0 || l.MemoryBytes < 0 || l.PIDs < 0 {
		return runtime.Limits{}, fmt.Errorf("%q is not cpus=N,memory=N,pids=N", text)
	}
	return l, nil
}

// formatEndpoints writes "name=protocol:port/path", separated by commas, so
// that an adopted desktop can be reached whatever the catalog says by then.
func formatEndpoints(endpoints []catalog.Endpoint) string {
	parts := make([]string, len(endpoints))
	for i, e := range endpoints {
		mark := ""
		if e.VNC {
			mark = vncMark
		}
		parts[i] = fmt.Sprintf("%s=%s%s:%d%s", e.Name, e.Protocol, mark, e.Port, e.Path)
	}
	return strings.Join(parts, ",")
}

func parseEndpoints(text string) ([]catalog.Endpoint, error) {
	var endpoints []catalog.Endpoint
	for part := range strings.SplitSeq(text, ",") {
		name, rest, ok1 := strings.Cut(part, "=")
		protocol, address, ok2 := strings.Cut(rest, ":")
		port, path := address, ""
		if i := strings.IndexByte(address, '/'); i >= 0 {
			port, path = address[:i], address[i:]
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if !ok1 || !ok2 || name == "" || err != nil || number == 0 {
			return nil, fmt.Errorf("%q is not name=protocol:port", part)
		}
		protocol, vnc := strings.CutSuffix(protocol, vncMark)
		switch catalog.Protocol(protocol) {
		case catalog.RFB, catalog.WebSocket, catalog.TCP:
		default:
			return nil, fmt.Errorf("%q has a protocol that this sage does not speak", part)
		}
		endpoints = append(endpoints, catalog.Endpoint{
			Name: name, Protocol: catalog.Protocol(protocol), Port: uint16(number), Path: path, VNC: vnc,
		})
	}
	return endpoints, nil
}
