package doctor

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sage/cmd/internal/daemon"
)

// socketTimeout bounds the opening of a socket of this machine.
const socketTimeout = 5 * time.Second

// examineSocket says what is wrong with an engine's socket and how to mend it;
// nothing where it can be opened.
func examineSocket(host Host, kind, path string) (says, mend string) {
	conn, err := net.DialTimeout("unix", path, socketTimeout)
	switch {
	case err == nil:
		conn.Close()
		return "", ""
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such socket", startMend(kind, path)
	case errors.Is(err, fs.ErrPermission):
		return "this user may not open the socket", permitMend(host, kind, path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens on the socket: the engine has ended", startMend(kind, path)
	default:
		return "the socket cannot be opened: " + oneLine(err), startMend(kind, path)
	}
}

// ofUser tells whether a socket is in a user's runtime directory.
func ofUser(path string) bool { return strings.HasPrefix(path, "/run/user/") }

// startMend is how an engine comes to listen on a socket.
func startMend(kind, path string) string {
	switch {
	case kind == daemon.EngineDocker && ofUser(path):
		return "start rootless Docker: systemctl --user enable --now docker (after dockerd-rootless-setuptool.sh install)"
	case kind == daemon.EngineDocker:
		return "install Docker where it is not there, and start it: sudo systemctl enable --now docker"
	case ofUser(path):
		return "install Podman where it is not there, and let it listen: systemctl --user enable --now podman.socket"
	default:
		return "install Podman where it is not there, and let it listen: sudo systemctl enable --now podman.socket"
	}
}

// permitMend is how a user comes to open a socket.
func permitMend(host Host, kind, path string) string {
	name := host.userName(host.UID)
	switch {
	case ofUser(path):
		return "start sage as the user whose engine that is, or use one of " + name + "'s own"
	case kind == daemon.EngineDocker:
		return "sudo usermod -aG docker " + name + ", then log in anew (that makes " + name + " as good as root), or use a rootless engine"
	default:
		return "use rootless Podman: systemctl --user enable --now podman.socket; or start sage with root"
	}
}

// socketOwner is the user whose socket that is.
func socketOwner(address string) (uid int, known bool) {
	path, local := strings.CutPrefix(address, "unix://")
	if !local {
		return 0, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	stat, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return 0, false
	}
	return int(stat.Uid), true
}

// userName is the name of a user, or the number where there is none.
func (h Host) userName(uid int) string {
	for line := range strings.Lines(h.text("etc/passwd")) {
		fields := strings.Split(line, ":")
		if len(fields) > 2 && fields[2] == strconv.Itoa(uid) {
			return fields[0]
		}
	}
	return strconv.Itoa(uid)
}
