// Testapp is the program of the conformance suite's image: package app in a
// real container.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sage/runtime/runtimetest/testapp/app"
)

func main() {
	// SIGINT is left alone: engines ask with SIGTERM.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	code := app.Run(ctx, system{})
	stop()
	os.Exit(code)
}
