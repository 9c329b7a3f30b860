package doctor

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/user"

	"sage/runtime"
)

// needed is how many subordinate ids an engine without root needs: those of one
// container.
const needed = 65536

// delegateMend is how a user's engine comes to set limits on cgroup v2.
const delegateMend = "delegate the controllers: write \"[Service]\" and \"Delegate=cpu cpuset io memory pids\" as two lines into " +
	"/etc/systemd/system/user@.service.d/delegate.conf, then sudo systemctl daemon-reload, and log in anew"

// rootlessOwner tells whether an engine without root is the one that counts,
// and whose it is: the one that answers, or, where none does, that which an
// ordinary user would start.
func rootlessOwner(host Host, info runtime.Info, missing error) (uid int, rootless bool) {
	if missing != nil {
		return host.UID, host.UID != 0
	}
	if uid, known := socketOwner(info.Host); known && uid != 0 {
		return uid, info.Rootless
	}
	return host.UID, info.Rootless
}

// examineRootless looks at what the kernel and the system allow a user's engine.
// Where none answers, it also looks at what an engine tells of itself.
func examineRootless(host Host, uid int, noEngine bool) []Finding {
	name := host.userName(uid)
	found := slices.Concat(examineNamespaces(host), examineSubIDs(host, uid, name), examineTun(host))
	if noEngine {
		found = append(found, examineDelegation(host, uid)...)
	}
	return append(found, examineLinger(host, name)...)
}

// examineNamespaces looks at three switches that keep users from namespaces of
// their own: the kernel's, Debian's older one, Ubuntu's.
func examineNamespaces(host Host) []Finding {
	keep := func(setting string) string {
		return "sudo sysctl -w " + setting + ", and a file with that in /etc/sysctl.d to keep it"
	}
	if n, known := host.number("proc/sys/user/max_user_namespaces"); known && n == 0 {
		return []Finding{fail("userns", keep("user.max_user_namespaces=28633"), "user namespaces are blocked: user.max_user_namespaces is 0")}
	}
	if n, known := host.number("proc/sys/kernel/unprivileged_userns_clone"); known && n == 0 {
		return []Finding{fail("userns", keep("kernel.unprivileged_userns_clone=1"),
			"user namespaces are blocked for users: kernel.unprivileged_userns_clone is 0")}
	}
	if n, known := host.number("proc/sys/kernel/apparmor_restrict_unprivileged_userns"); known && n != 0 {
		return []Finding{warn("userns",
			"give the engine a profile with \"userns,\" in /etc/apparmor.d (the distribution's package has one), or "+keep("kernel.apparmor_restrict_unprivileged_userns=0"),
			"AppArmor keeps programs without a profile from user namespaces, and browsers from their own sandbox")}
	}
	return []Finding{ok("userns", "users may have namespaces of their own")}
}

// examineSubIDs looks at subuid(5) and subgid(5).
func examineSubIDs(host Host, uid int, name string) []Finding {
	var lacking []string
	for _, file := range []string{"etc/subuid", "etc/subgid"} {
		ranges, _ := user.ParseSubIDFileFilter(host.path(file), func(s user.SubID) bool {
			return s.Name == name || s.Name == strconv.Itoa(uid)
		})
		var count int64
		for _, r := range ranges {
			count += r.Count
		}
		if count < needed {
			lacking = append(lacking, "/"+file)
		}
	}
	if len(lacking) > 0 {
		return []Finding{fail("subids",
			"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "+name+" (a range that no other user has), then podman system migrate",
			"%s has no %d subordinate ids in %s", name, needed, strings.Join(lacking, " and "))}
	}
	if !slices.ContainsFunc([]string{"usr/bin/newuidmap", "bin/newuidmap", "usr/local/bin/newuidmap"}, host.has) {
		return []Finding{fail("subids", "install it: the package is uidmap or shadow-utils", "newuidmap, which gives a user the subordinate ids, is missing")}
	}
	return []Finding{ok("subids", "%s has at least %d subordinate user and group ids", name, needed)}
}

// examineTun looks at what a user's network goes through.
func examineTun(host Host) []Finding {
	const device, everybody = "dev/net/tun", 0o006
	info, err := os.Stat(host.path(device))
	switch {
	case err != nil:
		return []Finding{fail("tun", "sudo modprobe tun, and a file with the line \"tun\" in /etc/modules-load.d to keep it (in a container: --device /dev/net/tun)",
			"/%s is missing: containers would have no network", device)}
	case info.Mode().Perm()&everybody != everybody:
		return []Finding{fail("tun", "sudo chmod 666 /dev/net/tun, and a udev rule to keep it: KERNEL==\"tun\", MODE=\"0666\"",
			"/%s is not for everybody (mode %04o): containers would have no network", device, info.Mode().Perm())}
	default:
		return []Finding{ok("tun", "/%s is there", device)}
	}
}

// examineDelegation looks at what systemd lets a user's engine limit.
func examineDelegation(host Host, uid int) []Finding {
	if !host.has("sys/fs/cgroup/cgroup.controllers") {
		return []Finding{warn("limits", bootV2+"; without root, cgroup v1 has no limits", "this machine has cgroup v1: an engine without root ignores limits")}
	}
	id := strconv.Itoa(uid)
	has := strings.Fields(host.text("sys/fs/cgroup/user.slice/user-" + id + ".slice/user@" + id + ".service/cgroup.controllers"))
	var lacking []string
	for _, controller := range []string{"cpu", "memory", "pids"} {
		if !slices.Contains(has, controller) {
			lacking = append(lacking, controller)
		}
	}
	if len(lacking) > 0 {
		return []Finding{warn("limits", delegateMend, "not delegated to the user: %s", strings.Join(lacking, ", "))}
	}
	return []Finding{ok("limits", "cpu, memory and pids are delegated to the user")}
}

// examineLinger looks whether systemd lets a user's processes live on.
func examineLinger(host Host, name string) []Finding {
	switch {
	case !host.has("run/systemd/system"):
		return nil
	case host.has("var/lib/systemd/linger/" + name):
		return []Finding{ok("linger", "%s's processes stay after logging out", name)}
	default:
		return []Finding{warn("linger", "sudo loginctl enable-linger "+name, "engine and desktops end when %s logs out", name)}
	}
}
