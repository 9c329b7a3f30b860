package docker

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// pack writes a build context as a tar archive, without what its ignore file
// names. Everything belongs to root in it, so that the same files make the same
// layers for whoever builds.
func pack(w io.Writer, dir, containerfile string) error {
	ignored, err := ignore(dir)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || name == "." {
			return err
		}
		// The engine needs the Containerfile, whatever the ignore file says.
		if name != filepath.Clean(containerfile) {
			skip, err := ignored.MatchesOrParentMatches(name)
			if err != nil {
				return fmt.Errorf("ignore file: %w", err)
			}
			if skip {
				return skipped(entry, ignored, name, containerfile)
			}
		}
		return add(archive, path, filepath.ToSlash(name), entry)
	})
	if err != nil {
		return fmt.Errorf("build context: %w", err)
	}
	return archive.Close()
}

// ignore reads the ignore file of a context, if it has one.
func ignore(dir string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range []string{".containerignore", ".dockerignore"} {
		file, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		defer file.Close()
		patterns, err := ignorefile.ReadAll(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return patternmatcher.New(patterns)
	}
	return patternmatcher.New(nil)
}

// skipped goes on into an ignored directory only where something in it may be
// wanted.
func skipped(entry fs.DirEntry, ignored *patternmatcher.PatternMatcher, name, containerfile string) error {
	if !entry.IsDir() || ignored.Exclusions() {
		return nil
	}
	if inside, err := filepath.Rel(name, containerfile); err == nil && filepath.IsLocal(inside) {
		return nil
	}
	return filepath.SkipDir
}

// add writes one entry; what is neither file, directory nor symbolic link has
// no place in an image.
func add(archive *tar.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	target := ""
	switch info.Mode().Type() {
	case 0:
	case fs.ModeDir:
		name += "/"
	case fs.ModeSymlink:
		if target, err = os.Readlink(path); err != nil {
			return err
		}
	default:
		return nil
	}
	header, err := tar.FileInfoHeader(info, target)
	if err != nil {
		return err
	}
	header.Name = name
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(archive, file)
	return err
}
