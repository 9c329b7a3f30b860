package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
)

func TestLogFormats(t *testing.T) {
	for format, isJSON := range map[string]bool{"auto": true, "json": true, "text": false} {
		var out bytes.Buffer
		log, err := newLogger(&out, format, slog.LevelWarn)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("not this")
		log.Warn("this", "uid", "alice")
		var line map[string]any
		if got := json.Unmarshal(out.Bytes(), &line) == nil; got != isJSON || strings.Contains(out.String(), "not this") || !strings.Contains(out.String(), "alice") {
			t.Errorf("%s: %s", format, out.String())
		}
	}
	t.Setenv("SAGE_LOG_FORMAT", "xml")
	sage(t, "serve").want(t, exitUsage, "", `log-format "xml": use auto, text or json`)
}
