package catalog

import (
	"cmp"
	"fmt"
)

// Warning is something in a catalog that can be used and that its writer may not want.
type Warning struct {
	// Path leads to the value: "apps[firefox].viewing".
	Path string
	// Message says what it means, Hint what would be better.
	Message, Hint string
}

// String returns "path: message: hint".
func (w Warning) String() string { return w.Path + ": " + w.Message + ": " + w.Hint }

// Warnings returns what leaves the VNC servers of desktops open to whoever reaches their ports, other desktops among them.
func (c *Catalog) Warnings() []Warning {
	var all []Warning
	for i := range c.Apps {
		a := &c.Apps[i]
		at := "apps[" + a.ID + "]"
		for _, e := range a.Endpoints {
			if e.Protocol == TCP {
				continue
			}
			open := "the endpoint " + e.Name + " asks other desktops, which may reach it, for no password of Sage's"
			switch {
			case !a.Viewing.Understand:
				all = append(all, Warning{at + ".viewing.understand", open, "leave it true and give password_env, or let the image have a password of its own"})
			case !e.SpeaksRFB():
				all = append(all, Warning{at + ".endpoints[" + e.Name + "]", open, "say vnc: true where it holds VNC, and give viewing.password_env"})
			case a.Viewing.PasswordEnv == "":
				all = append(all, Warning{at + ".viewing", open, "give password_env, the variable by which the image takes one"})
			}
		}
	}
	return all
}

// BuildWarnings returns what builds take from elsewhere without a checksum: TurboVNC's package. The given args replace the
// catalog's build arguments.
func (c *Catalog) BuildWarnings(args map[string]string) []Warning {
	const checksum, server = "TURBOVNC_SHA256", "VNC_SERVER"
	var all []Warning
	for i := range c.Apps {
		a := &c.Apps[i]
		if a.Build == nil {
			continue
		}
		given, has := a.Build.Args[checksum]
		if has && cmp.Or(args[checksum], given) == "" && cmp.Or(args[server], a.Build.Args[server]) == "turbovnc" {
			all = append(all, Warning{
				"apps[" + a.ID + "].build.args", "TurboVNC's package is taken without a checksum, so https alone vouches for it",
				fmt.Sprintf("give the build argument %s", checksum),
			})
		}
	}
	return all
}
