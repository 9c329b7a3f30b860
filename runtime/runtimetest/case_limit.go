package runtimetest

import (
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func limitCases() []testCase {
	return []testCase{
		{"limits arrive where they are claimed and hinder nowhere", testLimits},
		{"a program that uses too much memory is reported", func(t *testing.T, s *scope) {
			if !s.info.Capabilities.OOMReport {
				t.Skip("the report is not claimed")
			}
			if s.inProcess {
				t.Skip("there is no kernel between this runtime and its containers")
			}
			spec := s.spec(t)
			spec.Env[app.EnvMode] = app.ModeOOM
			spec.Limits.MemoryBytes = 48 << 20
			c := s.awaitExit(t, s.start(t, spec))
			if !c.OOMKilled || c.ExitCode != killed {
				t.Errorf("OOM %t, exit code %d, want true, %d", c.OOMKilled, c.ExitCode, killed)
			}
		}},
	}
}

func testLimits(t *testing.T, s *scope) {
	spec := s.spec(t, app.HTTPPort)
	spec.Limits = runtime.Limits{CPUs: 0.5, MemoryBytes: 96 << 20, PIDs: 77}
	// That the program answers at all is the promise of those who claim nothing.
	p := s.run(t, spec)
	if s.inProcess {
		return
	}
	var got app.Limits
	p.getJSON(t, "/limits", &got)
	if s.info.Capabilities.CPULimit && got.CPUs != spec.Limits.CPUs {
		t.Errorf("%v cores, want %v", got.CPUs, spec.Limits.CPUs)
	}
	if s.info.Capabilities.PIDsLimit && got.PIDs != spec.Limits.PIDs {
		t.Errorf("%d processes, want %d", got.PIDs, spec.Limits.PIDs)
	}
	if s.info.Capabilities.MemoryLimit {
		if got.MemoryBytes != spec.Limits.MemoryBytes {
			t.Errorf("%d bytes of memory, want %d", got.MemoryBytes, spec.Limits.MemoryBytes)
		}
		// Kernels without swap accounting do not tell, which is zero.
		if swap := got.MemorySwapBytes; swap != 0 && swap != spec.Limits.MemoryBytes {
			t.Errorf("%d bytes of memory with swap, want %d", swap, spec.Limits.MemoryBytes)
		}
	}
}
