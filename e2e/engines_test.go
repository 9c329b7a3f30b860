package e2e_test

import "testing"

// TestEngines proves Sage on every engine, one after the other: they share two
// cores, and one of the cases has a bound in seconds.
func TestEngines(t *testing.T) {
	for _, name := range []string{"docker", "podman", "podman-rootless"} {
		t.Run(name, func(t *testing.T) {
			e := connect(t, name)
			if !t.Run("images", func(t *testing.T) { e.bringImages(t) }) {
				t.FailNow()
			}
			for _, app := range apps() {
				t.Run(app.id, func(t *testing.T) { testApp(t, e, app) })
			}
			for _, c := range []struct {
				name string
				test func(*testing.T, *engine)
			}{
				{"websockify", testWebsockify},
				{"ten starts of one uid", testOneUID},
				{"ten uids at once", testManyUIDs},
				{"uids are exact", testExactUIDs},
				{"killed and started again", testRestart},
				{"drain", testDrain},
				{"events and usage", testEvents},
				{"restart of a desktop", testRestartDesktop},
				{"queue and capacity", testAdmission},
				{"bad requests", testBadRequests},
				{"bad images", testBadImages},
				{"all ports taken", testPortsTaken},
				{"some ports taken", testPortsSkipped},
				{"token and origins", testAccess},
				{"starts in a row", testStartsInARow},
				{"browser", testBrowser},
			} {
				// The page is the same everywhere: two engines stand for all.
				if c.name == "browser" && name == "podman" {
					continue
				}
				t.Run(c.name, func(t *testing.T) { c.test(t, e) })
			}
		})
	}
}
