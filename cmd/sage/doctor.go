package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"sage/cmd/internal/daemon"
	"sage/cmd/internal/doctor"
)

func doctorCommand() *cli.Command {
	return withFile(&cli.Command{
		Name:     "doctor",
		Usage:    "look whether everything is there that desktops need, and say how to mend what is not",
		Category: groupWorkshop,
		Description: "Takes the settings of \"sage serve\" and looks at what they name. Nothing is changed.\n" +
			"The exit code is 0 where desktops can start, and 1 where something keeps them from it;\n" +
			"with --strict it is 1 for warnings, too.",
		Flags: slices.Concat([]cli.Flag{outputFlag(), &cli.BoolFlag{Name: "strict", Usage: "fail for warnings, too"}},
			engineFlags(), catalogFlags(), serverFlags(), desktopFlags()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg, err := config(c)
			if err != nil {
				return err
			}
			d := diagnosis{Findings: doctor.Examine(c.Context, cfg, doctor.ThisHost(), daemon.OpenRuntime)}
			for _, f := range d.Findings {
				switch f.Mark {
				case doctor.Fail:
					d.Failures++
				case doctor.Warn:
					d.Warnings++
				case doctor.OK:
				}
			}
			if err := show(c, d, d.write); err != nil {
				return err
			}
			return d.verdict(c.Bool("strict"))
		},
	})
}

// diagnosis is what doctor found.
type diagnosis struct {
	Failures int              `json:"failures"`
	Warnings int              `json:"warnings"`
	Findings []doctor.Finding `json:"findings"`
}

func (d diagnosis) write(w io.Writer) error {
	for _, f := range d.Findings {
		fmt.Fprintf(w, "%-4s  %-8s  %s\n", f.Mark, f.Subject, f.Says)
		for _, line := range f.Details {
			fmt.Fprintf(w, "%16s%s\n", "", line)
		}
		if f.Mend != "" {
			fmt.Fprintf(w, "%16s-> %s\n", "", f.Mend)
		}
	}
	if d.Failures > 0 {
		return nil // The error is the verdict.
	}
	verdict := "nothing to mend"
	if d.Warnings > 0 {
		verdict = "desktops can start, " + count(d.Warnings, "warning")
	}
	_, err := fmt.Fprintf(w, "\n%s\n", verdict)
	return err
}

// verdict is an error where there is something that must be mended.
func (d diagnosis) verdict(strict bool) error {
	switch {
	case d.Failures > 0:
		return fmt.Errorf("doctor: %s to mend before desktops start, %s", count(d.Failures, "thing"), count(d.Warnings, "warning"))
	case strict && d.Warnings > 0:
		return fmt.Errorf("doctor: %s", count(d.Warnings, "warning"))
	default:
		return nil
	}
}
