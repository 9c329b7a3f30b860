//go:build linux

// Command record makes the recording that bench/stream plays: half a minute of a person who works at a desktop, as a
// viewer with Tight sees it. The desktop is Xtigervnc with Chromium; what the person does is a script (person.go).
//
//	go run ./bench/record -o bench/stream/testdata/working.rfb.gz
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"sage/bench/internal/proc"
	"sage/bench/internal/vnc"
)

const (
	width, height = 1280, 800
	// settle is how long the browser has for its start before the recording begins.
	settle = 8 * time.Second
)

//go:embed page.html
var page []byte

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "record:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("record", flag.ContinueOnError)
	file := flags.String("o", "working.rfb.gz", "the file to write")
	browser := flags.String("chromium", "chromium", "the browser")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := vnc.Start(ctx, width, height)
	if err != nil {
		return err
	}
	defer server.Stop()
	dir, err := os.MkdirTemp("", "bench-record-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := open(ctx, *browser, dir, server.Display); err != nil {
		return err
	}
	rec, err := record(ctx, server.Address)
	if err != nil {
		return err
	}
	w, err := os.Create(*file)
	if err != nil {
		return err
	}
	if err := errors.Join(rec.Write(w), w.Close()); err != nil {
		return err
	}
	updates, size := 0, 0
	for _, m := range rec.Messages {
		if m.Update() {
			updates++
		}
		if !m.FromViewer {
			size += len(m.Bytes)
		}
	}
	fmt.Fprintf(out, "%s: %.1f s, %d messages, %d updates, %d bytes from the server\n", *file, rec.Length().Seconds(),
		len(rec.Messages), updates, size)
	return nil
}

// open shows the page in a browser that fills the screen, and waits until it has settled.
func open(ctx context.Context, browser, dir, display string) error {
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return err
	}
	p, err := proc.StartQuiet(ctx, "env", "DISPLAY="+display, "HOME="+dir, browser, "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--password-store=basic",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--window-position=0,0", fmt.Sprintf("--window-size=%d,%d", width, height),
		"--kiosk", "--disable-smooth-scrolling", "file://"+file)
	if err != nil {
		return err
	}
	select {
	case <-p.Ended():
		return p.Running()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(settle):
		return nil
	}
}
