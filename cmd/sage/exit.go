package main

import (
	"errors"
	"fmt"
	"strings"

	"sage/httpapi/client"
)

// The exit codes beside 0; exitCodes explains them.
const (
	exitFailed = 1
	// exitUsage is for what was typed, set or written wrongly, so that a CI job
	// can tell it from a machine that failed.
	exitUsage       = 2
	exitNotFound    = 3
	exitNoRoom      = 4
	exitUnreachable = 5
	exitDenied      = 6
)

// exitCodes are all of them with their meaning, for the help text and the
// manual page.
func exitCodes() []exitMeaning {
	return []exitMeaning{
		{0, "done; of doctor: desktops can start"},
		{exitFailed, "failed; of doctor: something keeps desktops from starting"},
		{exitUsage, "wrong usage, setting, settings file or catalog"},
		{exitNotFound, "there is no such desktop or app"},
		{exitNoRoom, "no room for another desktop now; a later try may succeed"},
		{exitUnreachable, "no sage answers at that address, or its container engine does not"},
		{exitDenied, "the token is missing or wrong"},
	}
}

// exitMeaning is one exit code and what it means.
type exitMeaning struct {
	Code    int
	Meaning string
}

// exitTable is the table of the help text.
func exitTable() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, e := range exitCodes() {
		fmt.Fprintf(&b, "  %d  %s\n", e.Code, e.Meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// usageError is a mistake of who called the program.
type usageError struct{ error }

// Unwrap gives the mistake itself.
func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode is that of a run which ended with err, the only place that decides
// on it.
func exitCode(err error) int {
	var usage usageError
	var gone *client.UnreachableError
	var refused *client.Error
	switch {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &gone):
		return exitUnreachable
	case errors.As(err, &refused):
		return exitOfRefusal(refused.Code)
	default:
		return exitFailed
	}
}

// exitOfRefusal is the exit code for a code of the API.
func exitOfRefusal(code string) int {
	switch code {
	case client.CodeInvalidUID, client.CodeInvalidEnv, client.CodeInvalidRequest, client.CodeAppMissing:
		return exitUsage
	case client.CodeUnknownApp, client.CodeUnknownUID, client.CodeNotRunning:
		return exitNotFound
	case client.CodeAtCapacity, client.CodeQueueTimeout, client.CodePortsExhausted, client.CodeEngineExhausted:
		return exitNoRoom
	case client.CodeEngineUnavailable, client.CodeShuttingDown:
		return exitUnreachable
	case client.CodeUnauthorized, client.CodeTooManyAttempts:
		return exitDenied
	default:
		return exitFailed
	}
}
