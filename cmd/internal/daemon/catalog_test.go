package daemon

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"sage/httpapi/api"
)

// TestCatalogIsReloaded: a change of the file is in force without a word to the daemon; a bad file is told and changes
// nothing.
func TestCatalogIsReloaded(t *testing.T) {
	b := drainBench(t, 0)
	good, err := os.ReadFile(b.d.cfg.Catalog)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(from, to string) {
		t.Helper()
		if err := os.WriteFile(b.d.cfg.Catalog, []byte(strings.Replace(string(good), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if s := b.ready(t); s.Generation != 1 || s.Problem != "" {
		t.Errorf("at first: %+v", s)
	}

	rewrite("title: Desk", "title: Bureau")
	eventually(t, "the new title is served", func() bool { return strings.Contains(b.body(t, "/api/catalog"), "Bureau") })
	b.logged(t, "catalog changed", "path=apps[desk].title", "catalog reloaded", "generation=2")

	rewrite("title: Desk", "tittle: Desk")
	eventually(t, "the bad file is told", func() bool { return b.ready(t).Problem != "" })
	if s := b.ready(t); !strings.Contains(s.Problem, "tittle") || s.Generation != 2 {
		t.Errorf("after a bad file: %+v", s)
	}
	b.logged(t, "the catalog file is bad")
	if !strings.Contains(b.body(t, "/api/catalog"), "Bureau") {
		t.Error("the bad file changed the catalog")
	}

	rewrite("", "")
	eventually(t, "the problem is over", func() bool { s := b.ready(t); return s.Problem == "" && s.Generation == 3 })
	b.d.ReloadCatalog() // As SIGHUP does: also without a change of the file, since an icon may have changed.
	if s := b.ready(t); s.Generation != 4 {
		t.Errorf("after a reload by hand: %+v", s)
	}
	if !strings.Contains(b.body(t, "/catalog.schema.json"), "json-schema.org") {
		t.Error("no schema")
	}
}

func (b *drained) ready(t *testing.T) api.CatalogStatus {
	t.Helper()
	var h api.Health
	if err := json.Unmarshal([]byte(b.body(t, "/readyz")), &h); err != nil || h.Catalog == nil {
		t.Fatalf("no catalog in %+v: %v", h, err)
	}
	return *h.Catalog
}

// body gives the text of an answer that has to succeed.
func (b *drained) body(t *testing.T, path string) string {
	t.Helper()
	status, text := b.read(t, path)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d %s", path, status, text)
	}
	return text
}
