package correlate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// sample is a state with everything in it: levels, holds, pins, two tenants.
func sample(tb testing.TB) *Correlator {
	c := must(tb, small())
	ctx := context.Background()
	b := &schema.Batch{}
	for i := range 12 {
		d := doc(fmt.Sprint(i), schema.Millis(i)*20*schema.Minute, "source>host:x target>user:u target>ip:10.0.0.1 url:u")
		d.Tenant = []string{"acme", "umbrella"}[i%2]
		d.Techniques = []schema.Technique{{ID: "T1021", Tactic: "TA0008"}}
		*b.NextAlert() = d
	}
	if err := c.Advance(ctx, stages.Tick{Tenant: "acme", Watermark: t0}, b); err != nil {
		tb.Fatal(err)
	}
	if err := c.Process(ctx, b); err != nil {
		tb.Fatal(err)
	}
	b2 := &schema.Batch{Control: use(b.Members[0].Incident)}
	*b2.NextAlert() = doc("more", 5*schema.Hour, "host:x user:u")
	if err := c.Process(ctx, b2); err != nil {
		tb.Fatal(err)
	}
	c.Commit()
	return c
}

func TestSnapshotRefuses(t *testing.T) {
	c := sample(t)
	good := snapshot(t, c)
	if err := must(t, Default()).Restore(bytes.NewReader(good)); !errors.Is(err, ErrSnapshot) {
		t.Errorf("another configuration: %v", err)
	}
	for n := range good {
		if err := must(t, small()).Restore(bytes.NewReader(good[:n])); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if err := must(t, small()).Restore(bytes.NewReader(append(good, 0))); !errors.Is(err, ErrSnapshot) {
		t.Errorf("too long: %v", err)
	}
	_, _ = c.observe(c.tenant("acme"), &schema.Alert{Tenant: "acme"})
	if err := c.Snapshot(io.Discard); err == nil {
		t.Error("uncommitted state was written")
	}
}

// FuzzRestore damages a snapshot: an error, or a state that still works.
func FuzzRestore(f *testing.F) {
	good := snapshot(f, sample(f))
	f.Add(good, 0, byte(0))
	for i := 0; i < len(good); i += 37 {
		f.Add(good, i, byte(1<<(i%8)))
	}
	f.Fuzz(func(t *testing.T, data []byte, at int, flip byte) {
		if at >= 0 && at < len(data) {
			data = bytes.Clone(data)
			data[at] ^= flip
		}
		c := must(t, small())
		if err := c.Restore(bytes.NewReader(data)); err != nil {
			if !errors.Is(err, ErrSnapshot) {
				t.Fatal(err)
			}
			return
		}
		one := snapshot(t, c)
		again := must(t, small())
		if err := again.Restore(bytes.NewReader(one)); err != nil || !bytes.Equal(one, snapshot(t, again)) {
			t.Fatalf("the restored state does not restore: %v", err)
		}
		b := &schema.Batch{}
		*b.NextAlert() = doc("fuzz", 6*schema.Hour, "host:x user:u ip:10.0.0.1 url:u")
		if err := c.Process(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"acme", "umbrella"} {
			if err := c.Advance(context.Background(), stages.Tick{Tenant: name, Watermark: t0 + 1000*schema.Hour}, b); err != nil {
				t.Fatal(err)
			}
		}
		c.Commit()
	})
}
