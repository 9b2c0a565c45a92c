package disrupt

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// A changed policy drops the evidence that was gathered under it; what is
// contained stays contained until its lease ends.
func TestRestoreUnderChangedPolicy(t *testing.T) {
	d := build(t, simpleConfig())
	l := contained(t, d).Leases[0]
	data := state(t, d)
	p := simple("simple")
	p.Conditions = p.Conditions[:1]
	changed := build(t, simpleConfig(p))
	if err := changed.Restore(strings.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if n := len(changed.tenant("acme").suspects.m); n != 0 {
		t.Errorf("%d suspects of the old policy are left", n)
	}
	expect(t, "at the lease's end", commands(tick(t, changed, "acme", l.Until)), []string{"release contain_host host:ws-1"})
}

func TestRestoreRefusesDamage(t *testing.T) {
	d := build(t, simpleConfig())
	contained(t, d)
	run(t, d, verdict(schema.NewAlertID("acme", "x", "y"), "false_positive"))
	good := state(t, d)
	lines := strings.SplitAfter(good, "\n")
	lines = lines[:len(lines)-1]
	bad := map[string]string{
		"empty":           "",
		"half a line":     good[:len(good)/2],
		"no end":          strings.Join(lines[:len(lines)-1], ""),
		"something after": good + "{}\n",
		"no head":         strings.Join(lines[1:], ""),
		"two heads":       lines[0] + good,
		"other version":   strings.Replace(good, `"version":1`, `"version":2`, 1),
		"unknown field":   strings.Replace(good, `"kill"`, `"kil"`, 1),
		"missing line":    lines[0] + strings.Join(lines[2:], ""),
		"doubled line":    strings.Join(lines[:3], "") + strings.Join(lines[2:], ""),
		"foreign lease":   strings.Replace(good, `"action":"contain_host"`, `"action":"isolate_host"`, 1),
	}
	for name, data := range bad {
		if data == good {
			t.Fatalf("%s: nothing was damaged", name)
		}
		if build(t, simpleConfig()).Restore(strings.NewReader(data)) == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

// Whatever a snapshot holds, Restore returns, and what it accepted is a state
// that works and is written again as the same bytes.
func FuzzRestore(f *testing.F) {
	d, err := New(simpleConfig())
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range samples() {
		if err := d.Process(context.Background(), s()); err != nil {
			f.Fatal(err)
		}
		d.Commit()
		f.Add([]byte(state(f, d)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := build(t, simpleConfig())
		if d.Restore(bytes.NewReader(data)) != nil {
			return
		}
		first := state(t, d)
		again := build(t, simpleConfig())
		if err := again.Restore(strings.NewReader(first)); err != nil {
			t.Fatalf("its own snapshot: %v\n%s", err, first)
		}
		if second := state(t, again); second != first {
			t.Fatalf("written again:\n%s\nbefore:\n%s", second, first)
		}
		for _, s := range samples() {
			if err := d.Process(context.Background(), s()); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Advance(context.Background(), stages.Tick{Tenant: "acme", Now: start + schema.Day}, &schema.Batch{}); err != nil {
			t.Fatal(err)
		}
		d.Rollback()
		if third := state(t, d); third != first {
			t.Fatalf("rolled back to:\n%s\nbefore:\n%s", third, first)
		}
	})
}

// A time that a record claims never makes a state that cannot be restored: the
// lane would be without snapshots for good.
func TestAnyTimeCanBeRestored(t *testing.T) {
	for _, at := range []schema.Millis{-1 << 62, 0, start, 1 << 50, 1 << 62} {
		d := build(t, simpleConfig())
		run(t, d, assetControl("acme", "host:ws-1", "workstation", start))
		tick(t, d, "acme", at)
		run(t, d, alert("edr", "e1", at, "T1003.001", "host:ws-1 attested"), alert("ndr", "n1", at, "T1021.002", "host:ws-1"))
		if err := build(t, simpleConfig()).Restore(strings.NewReader(state(t, d))); err != nil {
			t.Errorf("at %d: %v", int64(at), err)
		}
	}
}
