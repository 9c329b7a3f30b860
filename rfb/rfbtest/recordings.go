package rfbtest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Recording is what both sides of a real session said after the handshake, in pixels of 32 bits.
type Recording struct {
	Name           string
	Client, Server []byte
}

// Recordings gives those that are kept in dir, package rfb's testdata. Package rfb's TestRecord makes them.
func Recordings(t testing.TB, dir string) (all []Recording) {
	t.Helper()
	const client, server = ".client.gz", ".server.gz"
	files, _ := filepath.Glob(filepath.Join(dir, "*"+client))
	for _, file := range files {
		path := strings.TrimSuffix(file, client)
		all = append(all, Recording{filepath.Base(path), unpack(t, path+client), unpack(t, path+server)})
	}
	if len(all) < 2 {
		t.Fatalf("only %d recordings in %s", len(all), dir)
	}
	return all
}

func unpack(t testing.TB, file string) []byte {
	t.Helper()
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
