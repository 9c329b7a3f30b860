package session_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"sage/runtime"
	"sage/runtime/fake"
	"sage/session"
)

// earlierLabels are those that version 1 wrote, which anybody may write.
func earlierLabels(uid, token string) map[string]string {
	return map[string]string{
		"io.sage.version": "1", "io.sage.instance": "one", "io.sage.base-name": "collab-vm-", "io.sage.uid": uid, "io.sage.app": "desk",
		"io.sage.token": token, "io.sage.endpoints": "vnc=rfb:5900", "io.sage.viewing": "both", "io.sage.home": "/home/sage",
	}
}

// home is the name of a uid's volume.
func (b *bench) home(uid string) string { return b.opts.BaseName + uid + "-home" }

// work leaves in a uid's home what a person would.
func (b *bench) work(uid string) {
	b.t.Helper()
	if !b.engine.WriteVolume(b.home(uid), "thesis", []byte("four years")) {
		b.t.Fatalf("%s has no home", uid)
	}
}

func (b *bench) wantWork(uid string) {
	b.t.Helper()
	if got := b.engine.ReadVolume(b.home(uid), "thesis"); string(got) != "four years" {
		b.t.Errorf("the home of %s holds %q", uid, got)
	}
}

// TestForgedContainers: whoever may run an image becomes nobody's desktop, stops no
// daemon, and loses nothing to it.
func TestForgedContainers(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		owner := b.start("owner")
		genuine := b.container("owner").Labels
		forged := map[string]map[string]string{
			"token that is too long": earlierLabels("victim", strings.Repeat("a", 60)),
			"token that is known":    earlierLabels("victim", "attackerknowsthistokenaaaa"),
			"labels of another":      genuine,
		}
		for label := range genuine {
			changed := maps.Clone(genuine)
			changed[label] += "x"
			forged["changed "+label] = changed
			missing := maps.Clone(genuine)
			delete(missing, label)
			forged["missing "+label] = missing
		}
		var names []string
		for what, labels := range forged {
			name := "tool-" + strings.NewReplacer(" ", "-", "/", "-").Replace(what)
			b.engine.SetImage("hostile:"+name, fake.Image{Program: fake.VNC(vncPort), Labels: labels})
			for i, spec := range []runtime.Spec{
				{Name: name, Image: image, Labels: labels},
				{Name: name + "-inherited", Image: "hostile:" + name},
				{Name: name + "-created", Image: image, Labels: labels},
				{Name: name + "-ended", Image: image, Labels: labels},
			} {
				id, err := b.engine.Create(t.Context(), spec)
				if err != nil {
					t.Fatal(err)
				}
				if i != 2 {
					if err := b.engine.Start(t.Context(), id); err != nil {
						t.Fatal(err)
					}
				}
				if i == 3 {
					b.engine.Kill(id, 0, false)
				}
				names = append(names, spec.Name)
			}
		}
		for range 3 {
			b.pass(reconcile)
		}
		b.reboot()
		b.wantContainers(slices.Concat(names, []string{"collab-vm-owner"})...)
		b.wantState("victim", session.Absent)
		if s := b.start("victim"); s.Container != "collab-vm-victim" || s.Token == "attackerknowsthistokenaaaa" {
			t.Errorf("the victim got %+v", s)
		}
		if err := b.Stop(t.Context(), "victim", session.StopOptions{Purge: true}); err != nil {
			t.Error(err)
		}
		b.attach(owner.Token).Release()
		b.wantContainers(slices.Concat(names, []string{"collab-vm-owner"})...)
	})
}

// TestForgedName: a container that has the name of a uid's desktop is neither taken
// for it nor removed, and the start says so.
func TestForgedName(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.plant("collab-vm-victim", earlierLabels("victim", "attackerknowsthistokenaaaa"), true)
		b.reboot()
		b.wantState("victim", session.Absent)
		if _, err := b.Start(t.Context(), "victim", session.Request{App: "desk"}); !errors.Is(err, runtime.ErrConflict) {
			t.Errorf("start: %v", err)
		}
		if err := b.Stop(t.Context(), "victim", session.StopOptions{}); err != nil && !errors.Is(err, session.ErrNotRunning) {
			t.Error(err)
		}
		b.wantContainers("collab-vm-victim")
	})
}

// TestNoSecretsInLabels: what opens a desktop is in no label of a container or of a
// volume, since every program with the engine's socket may read those.
func TestNoSecretsInLabels(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		token, password := b.RecordOf("alice")
		if token != s.Token || len(password) != 8 || s.ViewToken == "" {
			t.Fatalf("record of %q, %q; the desktop is %+v", token, password, s)
		}
		home, err := b.engine.Volume(t.Context(), b.home("alice"))
		if err != nil {
			t.Fatal(err)
		}
		for _, labels := range []map[string]string{b.container("alice").Labels, home.Labels} {
			for label, value := range labels {
				for _, secret := range []string{token, password, s.ViewToken} {
					if strings.Contains(value, secret) {
						t.Errorf("label %s is %q", label, value)
					}
				}
			}
		}
		if home.Labels["io.sage.uid"] != "alice" {
			t.Errorf("the home's labels are %v", home.Labels)
		}
		err = filepath.WalkDir(b.opts.DataDir, func(path string, entry os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 && path != b.opts.DataDir {
				t.Errorf("%s is %v", path, info.Mode())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}, understood(nil))
}

// TestCopiesOfADesktop: the labels of a desktop open nothing when it is over, under
// whatever name somebody runs a copy of it.
func TestCopiesOfADesktop(t *testing.T) {
	for _, purge := range []bool{false, true} {
		bubble(t, func(t *testing.T, b *bench) {
			token := b.start("alice").Token
			copied, err := b.engine.Copy(b.container("alice").ID, "copy")
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
				t.Fatal(err)
			}
			again, err := b.engine.Copy(copied, "collab-vm-alice")
			if err != nil {
				t.Fatal(err)
			}
			if purge {
				b.engine.Vanish(copied)
				b.engine.Vanish(again)
				if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
					t.Fatal(err)
				}
				if _, err := b.engine.Copy(again, "collab-vm-alice"); err == nil {
					t.Fatal("it has gone")
				}
			}
			b.pass(reconcile)
			b.reboot()
			b.wantState("alice", session.Absent)
			if _, err := b.Attach(t.Context(), token, "vnc"); !errors.Is(err, session.ErrUnknownStream) {
				t.Errorf("the old address leads to %v", err)
			}
			if s := b.start("alice"); s.Token == token {
				t.Error("the next desktop has the old address")
			}
		})
	}
}

// TestCopyUnderTheDesktopsName: where somebody renames a desktop and gives its name
// to a copy while the daemon is away, the desktop is adopted and the copy is not.
func TestCopyUnderTheDesktopsName(t *testing.T) {
	for range 20 { // Containers are looked at in no order.
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			id := b.container("alice").ID
			b.halt()
			b.engine.Rename(id, "mine")
			if _, err := b.engine.Copy(id, "collab-vm-alice"); err != nil {
				t.Fatal(err)
			}
			b.pass(time.Second)
			if sum := b.boot(); sum.Adopted != 1 || sum.Removed != 0 {
				t.Errorf("found %+v", sum)
			}
			if s, err := b.Get("alice"); err != nil || s.Container != "mine" {
				t.Errorf("the desktop is %+v, %v", s, err)
			}
		})
	}
}

// TestEarlierVersion: desktops of version 1, whose labels hold the secrets, are
// adopted by the first daemon of this version and by no later one, which knows them by
// their identifier.
func TestEarlierVersion(t *testing.T) {
	const token = "abcdefghijklmnopqrstuvwxyz"
	bubble(t, func(t *testing.T, b *bench) {
		// What version 1 leaves: settings and a container.
		b.start("alice")
		b.start("bob")
		b.halt()
		for _, c := range b.engine.Containers() {
			b.engine.Vanish(c.ID)
		}
		for _, path := range []string{"key", "desktops"} {
			if err := os.RemoveAll(filepath.Join(b.opts.DataDir, path)); err != nil {
				t.Fatal(err)
			}
		}
		labels := earlierLabels("alice", token)
		labels["io.sage.vnc-password"] = "abcdefgh"
		id := b.plant("collab-vm-alice", labels, true)
		b.plant("their-tool", earlierLabels("bob", "attackerknowsthistokenaaaa"), true)
		b.plant("collab-vm-carol", earlierLabels("carol", "attackerknowsthistokenaaaa"), true) // No settings.

		b.engine.Unavailable(true) // Its first look fails.
		b.boot()
		b.engine.Unavailable(false)
		b.pass(reconcile)
		b.wantState("alice", session.Ready)
		b.attach(token).Release()
		b.wantState("bob", session.Absent)
		b.wantState("carol", session.Absent)
		b.plant("collab-vm-bob", earlierLabels("bob", "attackerknowsthistokenaaaa"), true)
		b.pass(time.Second)
		b.reboot()
		b.wantState("bob", session.Absent)
		if s, err := b.Get("alice"); err != nil || s.Token != token || s.State != session.Ready {
			t.Errorf("alice is %+v, %v", s, err)
		}
		b.halt()
		b.engine.Vanish(id)
		b.plant("collab-vm-alice", labels, true) // Copied.
		b.boot()
		b.wantState("alice", session.Absent)
		b.pass(time.Hour)
		b.wantContainers("collab-vm-alice", "collab-vm-bob", "collab-vm-carol", "their-tool")
	})
}

// TestHomeOfAnother: two daemons on one engine whose names collide do not get into
// each other's homes.
func TestHomeOfAnother(t *testing.T) {
	for name, change := range map[string]func(o *session.Options) (uid string){
		"a base name that is longer": func(o *session.Options) string { o.BaseName = "collab-"; return "vm-alice" },
		"another instance":           func(o *session.Options) string { o.Instance = "two"; return "alice" },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, b *bench) {
				b.start("alice")
				b.work("alice")
				if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
					t.Fatal(err)
				}
				opts := b.opts
				opts.DataDir = t.TempDir()
				uid := change(&opts)
				other, err := session.New(b.engine, opts)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := other.Start(t.Context(), uid, session.Request{App: "desk"}); !errors.Is(err, runtime.ErrConflict) {
					t.Errorf("start: %v", err)
				}
				if err := other.Stop(t.Context(), uid, session.StopOptions{Purge: true}); !errors.Is(err, runtime.ErrConflict) {
					t.Errorf("purge: %v", err)
				}
				b.wantWork("alice")
				b.wantContainers()
				if left, err := os.ReadDir(filepath.Join(opts.DataDir, "sessions")); err != nil || len(left) > 0 {
					t.Errorf("the refused start left %v, %v", left, err)
				}
				if err := other.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestHomeSurvivesABystander: whatever another program does to a container, its home
// stays, and who deletes one says so.
func TestHomeSurvivesABystander(t *testing.T) {
	for name, act := range map[string]func(b *bench, id runtime.ID){
		"recreates it": func(b *bench, id runtime.ID) {
			if _, err := b.engine.Recreate(id); err != nil {
				b.t.Fatal(err)
			}
		},
		"recreates it after a while": func(b *bench, id runtime.ID) {
			copied, err := b.engine.Copy(id, "copy")
			if err != nil {
				b.t.Fatal(err)
			}
			b.engine.Vanish(id)
			b.pass(time.Minute)
			if _, err := b.engine.Copy(copied, "collab-vm-alice"); err != nil {
				b.t.Fatal(err)
			}
			b.engine.Vanish(copied)
		},
		"removes it": func(b *bench, id runtime.ID) { b.engine.Vanish(id) },
		"kills it":   func(b *bench, id runtime.ID) { b.engine.Kill(id, 137, false) },
		"renames it": func(b *bench, id runtime.ID) { b.engine.Rename(id, "mine") },
		"renames it while the daemon is away": func(b *bench, id runtime.ID) {
			b.halt()
			b.engine.Rename(id, "mine")
			b.boot()
			b.wantState("alice", session.Ready)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			bubble(t, func(t *testing.T, b *bench) {
				b.start("alice") // The start that makes the home.
				b.work("alice")
				act(b, b.container("alice").ID)
				b.pass(reconcile)
				b.wantWork("alice")
				b.pass(time.Hour)
				b.wantWork("alice")
				b.start("alice")
				b.wantWork("alice")
				if text := log.String(); strings.Contains(text, "delete-home") {
					t.Errorf("the log tells of a deletion:\n%s", text)
				}
				if err := b.Stop(t.Context(), "alice", session.StopOptions{Purge: true}); err != nil {
					t.Fatal(err)
				}
				if text := log.String(); strings.Count(text, "action=delete-home") != 1 || !strings.Contains(text, "purged by request") {
					t.Errorf("the log does not tell of the purge:\n%s", text)
				}
			}, func(b *bench) { b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		})
	}
}

// TestHomeThatIsUsedByAnother: what a failed start has made is left alone when
// somebody uses it by then.
func TestHomeThatIsUsedByAnother(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.SetImage(image, fake.Image{Program: fake.Silent(vncPort)})
		waiting := b.startSoon("alice", session.Request{App: "desk"})
		b.pass(time.Second)
		if _, err := b.engine.Copy(b.container("alice").ID, "mine"); err != nil {
			t.Fatal(err)
		}
		b.work("alice")
		failureOf(t, (<-waiting).err)
		b.pass(time.Minute)
		b.wantState("alice", session.Failed)
		b.wantWork("alice")
	})
}

// TestLostHome is told where settings say that there was one.
func TestLostHome(t *testing.T) {
	var log strings.Builder
	bubble(t, func(t *testing.T, b *bench) {
		if s := b.start("alice"); s.HomeLost {
			t.Error("a first home is not lost")
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if s := b.start("alice"); s.HomeLost {
			t.Error("it is there")
		}
		if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
			t.Fatal(err)
		}
		if pruned := b.engine.Prune(); len(pruned) != 1 {
			t.Fatalf("pruned %q", pruned)
		}
		if s := b.start("alice"); !s.HomeLost {
			t.Error("the lost home is not told")
		}
		if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "collab-vm-alice-home") {
			t.Errorf("log:\n%s", text)
		}
	}, func(b *bench) { b.opts.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
}

// TestDeadDesktopIsNotHandedOut: also where the engine's list and its events lag
// behind, nobody gets the address of a desktop that has ended.
func TestDeadDesktopIsNotHandedOut(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		b.engine.LagList(time.Hour)
		b.engine.Fail(fake.OpEvents, 0, runtime.ErrUnavailable)
		b.engine.EndEvents()
		b.pass(0)
		for _, kill := range []func(id runtime.ID){
			func(id runtime.ID) { b.engine.Kill(id, 1, false) },
			func(id runtime.ID) { b.engine.Vanish(id) },
		} {
			was := b.start("alice")
			kill(b.container("alice").ID)
			if s, err := b.Find(t.Context(), "alice"); err != nil || s.State.Running() {
				t.Errorf("found %+v, %v", s, err)
			}
			is := b.start("alice")
			if is.Token == was.Token {
				t.Error("start gave the address of the dead one")
			}
			kill(b.container("alice").ID)
			if s := b.start("alice"); s.Token == is.Token {
				t.Error("start gave the address of the dead one")
			}
			if err := b.Stop(t.Context(), "alice", session.StopOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		b.engine.Heal()
	})
}

// TestEndIsNoticedAtOnce: an event makes the Manager look at the container, whatever
// the list says.
func TestEndIsNoticedAtOnce(t *testing.T) {
	bubble(t, func(_ *testing.T, b *bench) {
		b.engine.LagList(time.Minute)
		b.start("alice")
		b.engine.Kill(b.container("alice").ID, 1, false)
		synctest.Wait()
		b.wantState("alice", session.Failed)
	})
}

// TestViewersAreBounded: those who only look leave room for those who work.
func TestViewersAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, b *bench) {
		s := b.start("alice")
		var held []*session.Attachment
		for {
			a, err := b.Attach(t.Context(), s.ViewToken, "vnc")
			if err != nil {
				if !errors.Is(err, session.ErrTooManyViewers) {
					t.Fatal(err)
				}
				break
			}
			if held = append(held, a); len(held) > 50 {
				t.Fatal("there is no end to them")
			}
		}
		for range 50 {
			held = append(held, b.attach(s.Token))
		}
		held[0].Release()
		a, err := b.Attach(t.Context(), s.ViewToken, "vnc")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range append(held, a) {
			a.Release()
		}
	}, understood(nil))
}

// spoil changes a text in one of the ways that readers stumble over.
func spoil(t *rapid.T, text string) string {
	at := rapid.IntRange(0, len(text)).Draw(t, "at")
	switch rapid.IntRange(0, 5).Draw(t, "spoil") {
	case 0:
		return text[:at]
	case 1:
		return text[:at] + rapid.String().Draw(t, "text") + text[at:]
	case 2:
		return text[:at] + string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + text[at:]
	case 3:
		return strings.Repeat(text, rapid.IntRange(0, 3).Draw(t, "times"))
	case 4:
		return text[:at] + rapid.SampledFrom([]string{"0", "-1", "65536", "18446744073709551616", "9e999", ",", "=", ":", "/", "\x00", "[", "{", `"`, "null"}).Draw(t, "token") + text[at:]
	default:
		return rapid.String().Draw(t, "other")
	}
}

// TestRandomLabels: no label ends the process, makes a stranger's container a
// desktop, or has it removed.
func TestRandomLabels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("owner")
			labels := b.container("owner").Labels
			if rapid.Bool().Draw(rt, "earlier") {
				labels = earlierLabels("victim", "abcdefghijklmnopqrstuvwxyz")
			}
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				label := rapid.SampledFrom(slices.Sorted(maps.Keys(labels))).Draw(rt, "label")
				labels[label] = spoil(rt, labels[label])
			}
			b.plant("tool", labels, true)
			b.plant("tool2", labels, false)
			if _, err := b.Reconcile(t.Context()); err != nil {
				t.Errorf("reconcile: %v", err)
			}
			b.reboot()
			b.wantContainers("collab-vm-owner", "tool", "tool2")
			if all := b.List(); len(all) != 1 {
				t.Errorf("with %q there are %+v", labels, all)
			}
		})
	})
}

// TestRandomFiles: nothing that stands in the data directory ends the process, and
// the uid can be used again.
func TestRandomFiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bubble(t, func(t *testing.T, b *bench) {
			b.start("alice")
			b.halt()
			name := rapid.SampledFrom([]string{"desktops/alice.json", "sessions/alice.json", "pictures/alice.png"}).Draw(rt, "file")
			path := filepath.Join(b.opts.DataDir, name)
			data, err := os.ReadFile(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(spoil(rt, string(data))), 0o600); err != nil {
				t.Fatal(err)
			}
			b.boot()
			b.pass(reconcile)
			_, _ = b.Picture(t.Context(), "alice", 100)
			_, _ = b.Start(t.Context(), "alice", session.Request{})
			_, _ = b.Start(t.Context(), "alice", session.Request{App: "desk"})
			_ = b.Stop(t.Context(), "alice", session.StopOptions{Purge: true})
			b.pass(time.Minute)
			b.start("alice")
		})
	})
}
