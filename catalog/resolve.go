package catalog

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxIconSize bounds an icon, in bytes: icons travel inside of API answers.
const maxIconSize = 64 << 10

// resolve looks at the files that a catalog names, relative to dir, and reports those that are not as they should be.
func (r *report) resolve(c *Catalog, dir string) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		r.fileProblem("its directory cannot be found: "+err.Error(), "")
		return
	}
	for i := range c.Apps {
		a := &c.Apps[i]
		at := fmt.Sprintf("apps[%d]", i)
		if r.present(at+".icon") && !r.spoiled(at+".icon") {
			r.icon(a, dir, at+".icon")
		}
		if a.Build != nil {
			r.build(a.Build, dir, at+".build")
		}
	}
}

func (r *report) icon(a *App, dir, at string) {
	const hint = "give an .svg or .png file of up to 64 KiB, by its path relative to the catalog file"
	types := map[string]string{".svg": "image/svg+xml", ".png": "image/png"}
	mime := types[strings.ToLower(filepath.Ext(a.Icon))]
	if mime == "" || !isLocalPath(a.Icon) {
		r.problem(at, quote(a.Icon)+" is not the path of an icon", hint)
		return
	}
	data, err := readBounded(filepath.Join(dir, filepath.FromSlash(a.Icon)), maxIconSize)
	if err != nil {
		r.problem(at, quote(a.Icon)+" cannot be read: "+reason(err), hint)
		return
	}
	if mime == "image/png" && !bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) ||
		mime == "image/svg+xml" && !bytes.Contains(data, []byte("<svg")) {
		r.problem(at, quote(a.Icon)+" is not what its name says", hint)
		return
	}
	a.iconURI = "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func (r *report) build(b *Build, dir, at string) {
	if r.spoiled(at+".context") || b.Context == "" || hasControl(b.Context) {
		return
	}
	given := b.Context
	b.Context = filepath.FromSlash(given)
	if !filepath.IsAbs(b.Context) {
		b.Context = filepath.Join(dir, b.Context)
	}
	if info, err := os.Stat(b.Context); err != nil {
		r.problem(at+".context", quote(given)+" cannot be used: "+reason(err),
			"give the directory with the Containerfile, relative to the catalog file")
		return
	} else if !info.IsDir() {
		r.problem(at+".context", quote(given)+" is not a directory", "give the directory with the Containerfile")
		return
	}
	if r.spoiled(at+".containerfile") || !isLocalPath(b.Containerfile) {
		return
	}
	file := filepath.Join(b.Context, filepath.FromSlash(b.Containerfile))
	if info, err := os.Stat(file); err != nil {
		r.problem(at+".containerfile", quote(b.Containerfile)+" cannot be used: "+reason(err), "give a file inside "+quote(given))
	} else if !info.Mode().IsRegular() {
		r.problem(at+".containerfile", quote(b.Containerfile)+" is not a regular file", "give a file inside "+quote(given))
	}
}
