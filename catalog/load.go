package catalog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// maxFileSize bounds a catalog file, in bytes.
const maxFileSize = 16 << 20

// Load reads the catalog file at path. Relative paths in it start from the file's own directory. An error is a
// *multierror.Error of *Problem; one about a file that is not there also is [fs.ErrNotExist].
func Load(path string) (*Catalog, error) {
	data, err := readBounded(path, maxFileSize)
	if err != nil {
		p := &Problem{File: path, Message: "cannot be read: " + reason(err), cause: err}
		if errors.Is(err, fs.ErrNotExist) {
			p.Hint = "give the path of a catalog file"
		}
		return nil, joinProblems([]*Problem{p})
	}
	return Parse(path, data, filepath.Dir(path))
}

// Parse reads a catalog from memory. The name stands for the file in problems; relative paths in data start from dir.
// An error is a *multierror.Error of *Problem.
func Parse(name string, data []byte, dir string) (*Catalog, error) {
	r := newReport(name)
	if len(data) > maxFileSize {
		r.fileProblem(fmt.Sprintf("is larger than %s", Size(maxFileSize)), "split the catalog")
		return nil, r.err(nil)
	}
	if !utf8.Valid(data) {
		r.fileProblem("is not UTF-8 text", "save it as UTF-8")
		return nil, r.err(nil)
	}
	root := r.parse(data)
	if root == nil {
		return nil, r.err(nil)
	}
	c := &Catalog{}
	(&decoder{report: r}).document(root, c)
	r.validate(c)
	r.resolve(c, dir)
	if err := r.err(c); err != nil {
		return nil, err
	}
	c.complete()
	return c, nil
}

// complete fills in the defaults that depend on other values, and what follows from all of them.
func (c *Catalog) complete() {
	for i := range c.Apps {
		for j := range c.Apps[i].Endpoints {
			if e := &c.Apps[i].Endpoints[j]; e.Protocol == WebSocket && e.Path == "" {
				e.Path = "/websockify"
			}
		}
		for j := range c.Apps[i].Variables {
			if v := &c.Apps[i].Variables[j]; v.MaxLength == 0 {
				v.MaxLength = defaultMaxLength
			}
		}
		c.Apps[i].fingerprint = c.Apps[i].Fingerprint()
	}
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	// Opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("larger than %s", Size(limit))
	}
	return data, err
}

// reason strips the operation and the path from a file error.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
