package session

import (
	"fmt"
	"strconv"
	"strings"

	"sage/catalog"
	"sage/runtime"
	"sage/viewer"
)

// The labels by which a daemon recognizes its containers and homes. They are
// written and read in this file only. They hold no secret: see record.
const (
	labelVersion   = "io.sage.version"
	labelInstance  = "io.sage.instance"
	labelBaseName  = "io.sage.base-name"
	labelUID       = "io.sage.uid"
	labelApp       = "io.sage.app"
	labelEndpoints = "io.sage.endpoints"
	labelSpec      = "io.sage.spec"
	labelLimits    = "io.sage.limits"
	labelHome      = "io.sage.home"
	// How viewers are dealt with: a direction of the clipboard or viewingOff.
	labelViewing = "io.sage.viewing"
	// labelDesktop tells one desktop of a uid from the next one. On a home it names
	// the desktop whose start made the home.
	labelDesktop = "io.sage.desktop"
	// labelCode authenticates the other ones and the container's name.
	labelCode = "io.sage.code"

	labelsVersion = "2"

	// The secrets of version 1, which Sage does not write any more.
	labelToken    = "io.sage.token"
	labelPassword = "io.sage.vnc-password"

	earlierLabelsVersion = "1"

	// viewingOff is for desktops whose viewers are not understood.
	viewingOff = "off"
	// vncMark is behind the protocol of a websocket endpoint that holds RFB, secretMark
	// behind that of a tcp endpoint that wants the password first.
	vncMark, secretMark = "+vnc", "+secret"
)

// identity is what makes a container the desktop of a uid.
type identity struct {
	uid, app string
	// desktop is different for every desktop of a uid; empty for one of version 1.
	desktop string
	// token is the secret part of the stream's address. It is in no label.
	token     string
	endpoints []catalog.Endpoint
	// spec is the fingerprint of the app that it was made from; empty where that
	// is not known.
	spec string
	// limits are without that of /dev/shm, which no part of the API shows.
	limits runtime.Limits
	// home is where it is in the container; empty for none.
	home string
	// viewing is what its viewers may do; nil where they are not understood.
	viewing *viewing
}

// viewing is what the viewers of a desktop may do.
type viewing struct {
	clipboard viewer.Clipboard
	// password is what the VNC server wants; empty for none. It is in no label.
	password string
}

// identityOf makes an identity for an app's next container.
func identityOf(uid string, app *catalog.App) identity {
	id := identity{
		uid: uid, app: app.ID, desktop: newToken(), token: newToken(), endpoints: app.Endpoints, spec: app.Fingerprint(),
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

// record returns what is kept of the identity and is in no label.
func (i identity) record() record {
	r := record{UID: i.uid, Desktop: i.desktop, Token: i.token}
	if i.viewing != nil {
		r.Password = i.viewing.password
	}
	return r
}

// withSecrets returns the identity with what its record holds.
func (i identity) withSecrets(r record) identity {
	i.token = r.Token
	if i.viewing != nil {
		i.viewing = &viewing{clipboard: i.viewing.clipboard, password: r.Password}
	}
	return i
}

// primary is the endpoint whose answer makes a desktop ready.
func (i identity) primary() catalog.Endpoint {
	app := catalog.App{Endpoints: i.endpoints}
	return app.Primary()
}

// selector chooses the containers that carry this daemon's labels. Whoever may run
// an image may make one, so it is only a first sieve; see Manager.identify.
func (o *Options) selector() runtime.Selector {
	return runtime.Selector{Labels: map[string]string{labelInstance: o.Instance, labelBaseName: o.BaseName}}
}

// selectorFor chooses those of one uid.
func (o *Options) selectorFor(uid string) runtime.Selector {
	s := o.selector()
	s.Labels[labelUID] = uid
	return s
}

// containerName names a uid's container.
func (o *Options) containerName(uid string) string { return o.BaseName + uid }

// labels returns the labels of a container, with their code under k.
func (o *Options) labels(id identity, k key) map[string]string {
	labels := map[string]string{
		labelVersion:   labelsVersion,
		labelInstance:  o.Instance,
		labelBaseName:  o.BaseName,
		labelUID:       id.uid,
		labelApp:       id.app,
		labelDesktop:   id.desktop,
		labelEndpoints: formatEndpoints(id.endpoints),
		labelSpec:      id.spec,
		labelLimits:    formatLimits(id.limits),
		labelHome:      id.home,
		labelViewing:   viewingOff,
		// Programs that replace containers whose image has moved leave these alone: what
		// they made would be no desktop.
		"com.centurylinklabs.watchtower.enable": "false",
		"io.containers.autoupdate":              "disabled",
	}
	if id.viewing != nil {
		labels[labelViewing] = id.viewing.clipboard.String()
	}
	labels[labelCode] = k.sign(authenticated(o.containerName(id.uid), labels)...)
	return labels
}

// authenticated lists what the code of a container's labels is for.
func authenticated(name string, labels map[string]string) []string {
	texts := []string{"container", name}
	for _, label := range []string{
		labelVersion, labelInstance, labelBaseName, labelUID, labelApp, labelDesktop, labelEndpoints, labelSpec, labelLimits, labelHome,
		labelViewing,
	} {
		texts = append(texts, label, labels[label])
	}
	return texts
}

// homeLabels returns the labels of a home that the start of that identity makes.
func (o *Options) homeLabels(id identity) map[string]string {
	return map[string]string{
		labelInstance: o.Instance, labelBaseName: o.BaseName, labelUID: id.uid, labelDesktop: id.desktop,
	}
}

// checkHome refuses a volume that was made as the home of another uid, base name
// or instance. One without labels was made by a person, perhaps from a backup.
//
// Errors: runtime.ErrConflict.
func (o *Options) checkHome(uid string, v runtime.Volume) error {
	for label, want := range map[string]string{labelInstance: o.Instance, labelBaseName: o.BaseName, labelUID: uid} {
		if got, ok := v.Labels[label]; ok && got != want {
			return fmt.Errorf("volume %s is the home of uid %q of instance %q with base name %q: set another CONTAINER_BASE_NAME for one of the two: %w",
				v.Name, v.Labels[labelUID], v.Labels[labelInstance], v.Labels[labelBaseName], runtime.ErrConflict)
		}
	}
	return nil
}

// parseLabels reads what labels wrote, without the secrets. A damaged label is an
// error and never a guess. It does not say whether Sage wrote them.
func parseLabels(labels map[string]string) (identity, error) {
	if v := labels[labelVersion]; v != labelsVersion {
		return identity{}, fmt.Errorf("label %s is %q, this sage reads %q", labelVersion, v, labelsVersion)
	}
	id, err := parseCommon(labels)
	if err != nil {
		return identity{}, err
	}
	if id.desktop = labels[labelDesktop]; !isToken(id.desktop) {
		return identity{}, fmt.Errorf("label %s is %q", labelDesktop, id.desktop)
	}
	return id, nil
}

// parseEarlierLabels reads labels of version 1, which hold the secrets.
func parseEarlierLabels(labels map[string]string) (identity, error) {
	id, err := parseCommon(labels)
	if err != nil {
		return identity{}, err
	}
	if id.token = labels[labelToken]; !isToken(id.token) {
		return identity{}, fmt.Errorf("label %s is damaged", labelToken)
	}
	if password := labels[labelPassword]; id.viewing != nil && password != "" {
		if !isPassword(password) {
			return identity{}, fmt.Errorf("label %s is damaged", labelPassword)
		}
		id.viewing.password = password
	}
	return id, nil
}

// parseCommon reads what both versions have.
func parseCommon(labels map[string]string) (identity, error) {
	id := identity{uid: labels[labelUID], app: labels[labelApp], spec: labels[labelSpec], home: labels[labelHome]}
	if err := CheckUID(id.uid); err != nil {
		return identity{}, fmt.Errorf("label %s: %w", labelUID, err)
	}
	var err error
	if id.endpoints, err = parseEndpoints(labels[labelEndpoints]); err != nil {
		return identity{}, fmt.Errorf("label %s: %w", labelEndpoints, err)
	}
	if text, ok := labels[labelViewing]; ok && text != viewingOff {
		id.viewing = &viewing{}
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
		switch {
		case e.VNC:
			mark = vncMark
		case e.Secret:
			mark = secretMark
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
		protocol, secret := strings.CutSuffix(protocol, secretMark)
		switch catalog.Protocol(protocol) {
		case catalog.RFB, catalog.WebSocket, catalog.TCP:
		default:
			return nil, fmt.Errorf("%q has a protocol that this sage does not speak", part)
		}
		endpoints = append(endpoints, catalog.Endpoint{
			Name: name, Protocol: catalog.Protocol(protocol), Port: uint16(number), Path: path, VNC: vnc, Secret: secret,
		})
	}
	return endpoints, nil
}
