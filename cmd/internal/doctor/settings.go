package doctor

import (
	"strings"

	"github.com/hashicorp/go-multierror"

	"sage/catalog"
	"sage/cmd/internal/daemon"
)

func examineSettings(cfg daemon.Config) []Finding {
	err := cfg.Validate()
	if err == nil {
		return []Finding{ok("settings", "no contradiction in flags, environment and settings file")}
	}
	var found []Finding
	for _, problem := range multierror.Append(nil, err).Errors {
		found = append(found, fail("settings", "give it another value: sage serve --help tells how", "%v", problem))
	}
	return found
}

// examineCatalog gives no catalog where there is none to be used.
func examineCatalog(path string) (*catalog.Catalog, []Finding) {
	if err := daemon.CheckNotShared(path); err != nil {
		return nil, []Finding{fail("catalog", "take it away from other accounts with chmod", "%v", err)}
	}
	apps, err := catalog.Load(path)
	if err != nil {
		f := fail("catalog", "mend the file, or choose another one with --catalog or SAGE_CATALOG", "%s cannot be used", path)
		for _, problem := range multierror.Append(nil, err).Errors {
			f.Details = append(f.Details, problem.Error())
		}
		return nil, []Finding{f}
	}
	var ids []string
	for _, app := range apps.Apps {
		ids = append(ids, app.ID)
	}
	found := []Finding{ok("catalog", "%s: %s", path, strings.Join(ids, ", "))}
	if warnings := apps.Warnings(); len(warnings) > 0 {
		f := warn("passwords", "give viewing.password_env: docs/curators.md says how", "desktops may reach each other's VNC servers, and not all want a password")
		for _, w := range warnings {
			f.Details = append(f.Details, w.String())
		}
		found = append(found, f)
	}
	return apps, found
}
