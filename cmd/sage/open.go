package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	goruntime "runtime"
	"syscall"

	"github.com/urfave/cli/v2"

	"sage/httpapi/client"
)

func openCommand() *cli.Command {
	return remote(&cli.Command{
		Name:      "open",
		Usage:     "open a desktop in the browser, and print its address",
		ArgsUsage: "UID",
	}, func(c *cli.Context, sage *client.Client) error {
		uid, err := argument(c, "UID")
		if err != nil {
			return err
		}
		if _, err := sage.Describe(c.Context, uid); err != nil {
			return err
		}
		page := sage.Page(uid)
		if _, err := fmt.Fprintln(c.App.Writer, page); err != nil {
			return err
		}
		return openBrowser(page)
	})
}

// errNoScreen is for a session in which no browser could be seen. There the
// system's opener would take a browser for terminals, if there is one.
var errNoScreen = errors.New("no browser was opened, as there is no screen here (DISPLAY and WAYLAND_DISPLAY are empty): open the address elsewhere")

// openBrowser asks the system to show a page, and does not wait until it does.
func openBrowser(page string) error {
	opener := "xdg-open"
	switch {
	case goruntime.GOOS == "darwin":
		opener = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errNoScreen
	}
	cmd := exec.Command(opener, page)
	// The browser outlives this program and its terminal.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("no browser was opened: %w: open the address by hand", err)
	}
	return cmd.Process.Release()
}
