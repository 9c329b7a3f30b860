package daemon

import (
	"context"
)

// ReloadCatalog reads the catalog file again. A bad file changes nothing and is
// told to the log, to /readyz and to /metrics; desktops that run go on as they
// are in any case.
func (d *Daemon) ReloadCatalog() {
	log := d.cfg.Logger
	changes, err := d.catalog.Reload()
	status := d.catalog.Status()
	if err != nil {
		log.Error("the catalog file is bad, the catalog before it stays in use: mend it", "file", d.cfg.Catalog,
			"generation", status.Generation, "error", err)
		return
	}
	for _, c := range changes {
		// Without the values: an environment may hold secrets.
		log.Info("catalog changed", "kind", c.Kind, "path", c.Path)
	}
	log.Info("catalog reloaded", "generation", status.Generation, "changes", len(changes))
}

// watchCatalog reloads the catalog when its file changes, until ctx ends.
func (d *Daemon) watchCatalog(ctx context.Context) {
	if err := d.catalog.Watch(ctx, d.ReloadCatalog); err != nil {
		d.cfg.Logger.Warn("the catalog is only reloaded on SIGHUP", "error", err)
	}
}
