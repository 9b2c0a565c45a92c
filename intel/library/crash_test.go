package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// killEnv makes the test binary a writer that kills itself: what it does, where, and
// at which step.
const killEnv = "LIBRARY_TEST_KILL"

// acts are what is killed, and how it is then seen whether it was done.
func act(l *Library, what string) error {
	ctx := context.Background()
	switch what {
	case "import":
		facts := []any{fact.Object{ID: "malware--1", Kind: schema.ThreatMalware, Name: "Foo"}, fact.Relation{Type: "indicates", From: "indicator--1", To: "malware--1"},
			fact.Refusal{Line: 9, Value: "x", Reason: "is nothing"}, revocation("indicator--2", 2)}
		for n := range 100 {
			facts = append(facts, domain(fmt.Sprintf("new%d.bad.example", n)))
		}
		_, err := tryPull(l, feedOf("acme"), fact.Update, day(2), facts...)
		return err
	case "override":
		_, err := l.Override(ctx, Override{Type: schema.ObservableDomain, Value: "one.bad.example", Confidence: ptr(uint8(0)), By: "ann"})
		return err
	case "remove":
		return l.Remove(ctx, "acme")
	case "failed":
		return l.Failed(ctx, feedOf("acme"), errors.New("it rained"), day(4), day(3))
	}
	return errors.New("nothing to do")
}

// shown is everything that can be seen of a library.
func shown(t *testing.T, l *Library) string {
	t.Helper()
	list, v := all(t, l)
	feeds, err := l.Feeds()
	if err != nil {
		t.Fatal(err)
	}
	known, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableDomain, Value: "a.two.bad.example"})
	if err != nil {
		t.Fatal(err)
	}
	over, err := l.Overrides()
	if err != nil {
		t.Fatal(err)
	}
	for n := range over {
		over[n].Time = 0
	}
	for n := range feeds {
		feeds[n].LastReport.File = ""
	}
	for n := range known {
		known[n].Overrides = nil
	}
	return asJSON(t, []any{list, v, feeds, known, over})
}

// TestKill kills a writer, as kill -9 does, before each of its steps. What is read
// afterwards is the old state or all of the new one, and the next writer is not
// hindered and leaves nothing of it.
func TestKill(t *testing.T) {
	if spec := os.Getenv(killEnv); spec != "" {
		part := strings.Split(spec, "|")
		l := Open(part[1], small())
		n := 0
		l.step = func(string) error {
			if n++; fmt.Sprint(n) == part[2] {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
		if err := act(l, part[0]); err != nil {
			t.Fatal(err)
		}
		return
	}
	base := filepath.Join(t.TempDir(), "base")
	l := Open(base, small())
	pull(t, l, feedOf("acme"), fact.Update, day(0), versioned("one.bad.example", "indicator--1", 1), versioned("two.bad.example", "indicator--2", 1))
	pull(t, l, feedOf("acme"), fact.Update, day(1), versioned("three.bad.example", "indicator--3", 1))
	if _, err := l.Override(context.Background(), Override{Type: schema.ObservableDomain, Value: "three.bad.example", Confidence: ptr(uint8(3)), By: "ann"}); err != nil {
		t.Fatal(err)
	}
	for what, least := range map[string]int{"import": 12, "override": 4, "remove": 5, "failed": 4} {
		t.Run(what, func(t *testing.T) {
			done := filepath.Join(t.TempDir(), "done")
			copyTree(t, base, done)
			if err := act(Open(done, small()), what); err != nil {
				t.Fatal(err)
			}
			before, after := shown(t, Open(base, small())), shown(t, Open(done, small()))
			if before == after {
				t.Fatal("what is killed would change nothing")
			}
			changed := false
			for n := 1; ; n++ {
				dir := filepath.Join(t.TempDir(), "killed")
				copyTree(t, base, dir)
				cmd := exec.Command(os.Args[0], "-test.run=^TestKill$")
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d", killEnv, what, dir, n))
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				killed := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
				if err != nil && !killed {
					t.Fatalf("step %d: %v\n%s", n, err, out)
				}
				l := Open(dir, small())
				switch got := shown(t, l); {
				case got == after:
					changed = true
				case got != before:
					t.Fatalf("after a kill at step %d there is neither the old nor the new state but\n%s", n, got)
				case changed:
					t.Fatalf("step %d: the old state has come back", n)
				}
				pull(t, l, feedOf("acme"), fact.Replace, day(5), domain("last.bad.example"))
				if got := values(t, l); got != "acme/last.bad.example" {
					t.Fatalf("after step %d the next import gives %s", n, got)
				}
				for _, name := range files(t, l.feedDir("acme")) {
					if strings.HasPrefix(name, temporary) {
						t.Errorf("after step %d %s is left", n, name)
					}
				}
				if !killed {
					if n <= least || !changed {
						t.Fatalf("only %d steps; changed: %v", n-1, changed)
					}
					return
				}
			}
		})
	}
}
