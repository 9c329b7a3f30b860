package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-playground/validator/v10"
)

// The rules between fields. Each reports the later or the dependent value, with a tag of the table in messages.go and
// the parameter that its message needs.

func checkCatalog(sl validator.StructLevel) {
	c := sl.Current().Addr().Interface().(*Catalog)
	ids := map[string]int{}
	owner := map[string]string{}
	for i := range c.Apps {
		id := c.Apps[i].ID
		if id == "" {
			continue
		}
		if first, again := ids[id]; again {
			at := fmt.Sprintf("apps[%d].id", i)
			sl.ReportError(id, at, at, "twice", fmt.Sprintf("entry %d of apps", first+1))
			continue
		}
		ids[id] = i
		owner[id] = "the id of " + id
	}
	for i, a := range c.Apps {
		for j, alias := range a.Aliases {
			at := fmt.Sprintf("apps[%d].aliases[%d]", i, j)
			if first, again := owner[alias]; again {
				sl.ReportError(alias, at, at, "twice", first)
				continue
			}
			owner[alias] = "an alias of " + a.ID
		}
	}
	checkBuildOrder(sl, c, ids)
}

// checkBuildOrder makes sure that every build.from leads to a built image and that following it ends.
func checkBuildOrder(sl validator.StructLevel, c *Catalog, ids map[string]int) {
	var built []string
	for _, a := range c.Apps {
		if a.Build != nil && a.ID != "" {
			built = append(built, a.ID)
		}
	}
	for i, a := range c.Apps {
		if a.Build == nil || a.Build.From == "" {
			continue
		}
		at := fmt.Sprintf("apps[%d].build.from", i)
		if first, ok := ids[a.Build.From]; !ok || c.Apps[first].Build == nil {
			tag := "builtapp"
			if ok {
				tag = "hasbuild"
			}
			sl.ReportError(a.Build.From, at, at, tag, suggest(a.Build.From, without(built, a.ID), "apps with a build:"))
			continue
		}
		// A step more than there are apps means a circle; only apps on the circle itself are reported.
		next, steps := a.Build.From, 0
		for next != a.ID && next != "" && steps <= len(c.Apps) {
			steps++
			j, ok := ids[next]
			if !ok || c.Apps[j].Build == nil {
				break
			}
			next = c.Apps[j].Build.From
		}
		if next == a.ID {
			sl.ReportError(a.Build.From, at, at, "circle", "")
		}
	}
}

func checkApp(sl validator.StructLevel) {
	a := sl.Current().Addr().Interface().(*App)
	names, ports := map[string]int{}, map[uint16]int{}
	for i, e := range a.Endpoints {
		unique(sl, names, e.Name, fmt.Sprintf("endpoints[%d].name", i), i, "endpoints")
		unique(sl, ports, e.Port, fmt.Sprintf("endpoints[%d].port", i), i, "endpoints")
		if e.Secret && a.Viewing.PasswordEnv == "" {
			at := fmt.Sprintf("endpoints[%d].secret", i)
			sl.ReportError(e.Secret, at, at, "onlyfor", "apps with viewing.password_env")
		}
	}
	variables := map[string]int{}
	for i, v := range a.Variables {
		at := fmt.Sprintf("environment[%d].name", i)
		unique(sl, variables, v.Name, at, i, "environment")
		if _, fixed := a.Env[v.Name]; fixed {
			sl.ReportError(v.Name, at, at, "fixedenv", "")
		}
	}
	checkViewing(sl, a)
	mounts := map[string]int{}
	for i, t := range a.Tmpfs {
		at := fmt.Sprintf("tmpfs[%d].path", i)
		unique(sl, mounts, t.Path, at, i, "tmpfs")
		if a.Home != nil && t.Path == a.Home.Path && t.Path != "" {
			sl.ReportError(t.Path, at, at, "twice", "home.path")
		}
	}
}

// checkViewing makes sure that what is asked for can be done.
func checkViewing(sl validator.StructLevel, a *App) {
	v := a.Viewing
	if !v.Understand || !slices.ContainsFunc(a.Endpoints, Endpoint.SpeaksRFB) {
		if v.Clipboard != "both" && v.Clipboard != "" {
			sl.ReportError(v.Clipboard, "viewing.clipboard", "viewing.clipboard", "needsrfb", "")
		}
		if v.PasswordEnv != "" {
			sl.ReportError(v.PasswordEnv, "viewing.password_env", "viewing.password_env", "needsrfb", "")
		}
		if a.Timeouts.InputIdle != 0 {
			sl.ReportError(a.Timeouts.InputIdle, "timeouts.input_idle", "timeouts.input_idle", "needsrfb", "")
		}
	}
	for i, e := range a.Variables {
		if e.Name == v.PasswordEnv && e.Name != "" {
			at := fmt.Sprintf("environment[%d].name", i)
			sl.ReportError(e.Name, at, at, "passwordenv", "")
		}
	}
	if _, fixed := a.Env[v.PasswordEnv]; fixed {
		sl.ReportError(v.PasswordEnv, "viewing.password_env", "viewing.password_env", "fixedenv", "")
	}
}

func unique[T comparable](sl validator.StructLevel, seen map[T]int, value T, at string, i int, list string) {
	var zero T
	if value == zero {
		return
	}
	if first, again := seen[value]; again {
		sl.ReportError(value, at, at, "twice", fmt.Sprintf("entry %d of %s", first+1, list))
		return
	}
	seen[value] = i
}

func checkEndpoint(sl validator.StructLevel) {
	e := sl.Current().Addr().Interface().(*Endpoint)
	if e.VNC && e.Protocol != WebSocket {
		sl.ReportError(e.VNC, "vnc", "VNC", "onlyfor", string(WebSocket))
	}
	if e.Secret && e.Protocol != TCP {
		sl.ReportError(e.Secret, "secret", "Secret", "onlyfor", string(TCP))
	}
	if e.Path != "" && (e.Protocol == RFB || e.Protocol == TCP) {
		sl.ReportError(e.Path, "path", "Path", "onlyfor", string(WebSocket))
	}
}

func checkVariable(sl validator.StructLevel) {
	v := sl.Current().Addr().Interface().(*Variable)
	if !slices.Contains([]VariableType{String, Integer, Number, Boolean, List}, v.Type) {
		return
	}
	textual := v.Type == String || v.Type == List
	if v.Pattern != "" && !textual {
		sl.ReportError(v.Pattern, "pattern", "Pattern", "onlyfor", "string and list")
	}
	if v.MaxLength != 0 && !textual {
		sl.ReportError(v.MaxLength, "max_length", "MaxLength", "onlyfor", "string and list")
	}
	if v.MaxItems != 0 && v.Type != List {
		sl.ReportError(v.MaxItems, "max_items", "MaxItems", "onlyfor", string(List))
	}
	numeric := v.Type == Integer || v.Type == Number
	if v.Min != nil && !numeric {
		sl.ReportError(*v.Min, "min", "Min", "onlyfor", "integer and number")
	}
	if v.Max != nil && !numeric {
		sl.ReportError(*v.Max, "max", "Max", "onlyfor", "integer and number")
	}
	if numeric && v.Min != nil && v.Max != nil && *v.Min > *v.Max {
		sl.ReportError(*v.Max, "max", "Max", "belowmin", formatNumber(*v.Min))
	}
	// The values are judged by the rules that make sense at all; senseless ones were reported above.
	judge := *v
	judge.Allowed = nil
	if _, err := compileWhole(v.Pattern); err != nil {
		sl.ReportError(v.Pattern, "pattern", "Pattern", "regexp", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		judge.Pattern = ""
	}
	accept := judge.accept
	if judge.Type == List {
		accept = judge.acceptItem
	}
	for i, s := range v.Allowed {
		if _, no := accept(s); no != nil {
			at := fmt.Sprintf("allowed[%d]", i)
			sl.ReportError(s, at, at, "fits", no.text())
		}
	}
	if v.Default == nil {
		return
	}
	judge.Allowed = v.Allowed
	if _, no := judge.accept(*v.Default); no != nil {
		sl.ReportError(*v.Default, "default", "Default", "fits", no.text())
	}
}

func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == name })
}
