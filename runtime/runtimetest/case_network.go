package runtimetest

import (
	"testing"

	"sage/runtime"
	"sage/runtime/runtimetest/testapp/app"
)

func networkCases() []testCase {
	return []testCase{
		{"a container on a network that is named", func(t *testing.T, s *scope) {
			spec := s.spec(t, app.HTTPPort, app.EchoPort)
			spec.Network = s.network
			p := s.run(t, spec)
			if err := echo(dial(t, s, p.id, app.EchoPort), []byte("hello")); err != nil {
				t.Error(err)
			}
			if c := s.inspect(t, p.id); !c.Address.IsValid() {
				t.Error("it has no address")
			}
		}},
		{"a network that does not exist", func(t *testing.T, s *scope) {
			spec := s.spec(t)
			spec.Network = "sage-test-" + s.unique
			_, err := s.rt.Create(t.Context(), spec)
			s.want(t, err, "create", runtime.ErrInvalid)
		}},
		{"no network of the host's", func(t *testing.T, s *scope) {
			for _, name := range []string{"host", "none", "container:other", "ns:/proc/1/ns/net"} {
				spec := s.spec(t)
				spec.Network = name
				_, err := s.rt.Create(t.Context(), spec)
				s.want(t, err, "create", runtime.ErrInvalid)
			}
		}},
	}
}
