package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
)

func doctorCommand() *cli.Command {
	return withFile(&cli.Command{
		Name:     "doctor",
		Usage:    "look whether everything is there that desktops need, and say how to mend what is not",
		Category: groupWorkshop,
		Description: "Takes the settings of \"sage serve\" and looks at what they name. Nothing is changed.\n" +
			"The exit code is 1 where something would keep desktops from starting.",
		Flags: slices.Concat(engineFlags(), catalogFlags(), serverFlags(), desktopFlags()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg, err := config(c)
			if err != nil {
				return err
			}
			return report(c.App.Writer, examine(c.Context, cfg, daemon.OpenRuntime))
		},
	})
}

// mark is what a finding means.
type mark string

// The marks: all is well, something is worse than it could be, desktops will
// not start.
const (
	markOK   mark = "ok"
	markWarn mark = "warn"
	markFail mark = "fail"
)

// finding is one thing that doctor looked at.
type finding struct {
	mark    mark
	subject string
	says    string
	// more are further lines: details, and what to do.
	more []string
}

func ok(subject, format string, args ...any) finding {
	return finding{mark: markOK, subject: subject, says: fmt.Sprintf(format, args...)}
}

// warn and fail come with what to do; "" is for nothing.
func warn(subject, mend, format string, args ...any) finding {
	f := finding{mark: markWarn, subject: subject, says: fmt.Sprintf(format, args...)}
	if mend != "" {
		f.more = []string{"-> " + mend}
	}
	return f
}

func fail(subject, mend, format string, args ...any) finding {
	f := warn(subject, mend, format, args...)
	f.mark = markFail
	return f
}

// report writes the findings and fails where one of them does.
func report(w io.Writer, findings []finding) error {
	marks := map[mark]int{}
	for _, f := range findings {
		marks[f.mark]++
		fmt.Fprintf(w, "%-4s  %-8s  %s\n", f.mark, f.subject, f.says)
		for _, line := range f.more {
			fmt.Fprintf(w, "%16s%s\n", "", line)
		}
	}
	if marks[markFail] > 0 {
		return fmt.Errorf("doctor: %s to mend before desktops start, %s", count(marks[markFail], "thing"), count(marks[markWarn], "warning"))
	}
	verdict := "nothing to mend"
	if marks[markWarn] > 0 {
		verdict = "desktops can start, " + count(marks[markWarn], "warning")
	}
	_, err := fmt.Fprintf(w, "\n%s\n", verdict)
	return err
}
