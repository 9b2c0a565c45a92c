package stagetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// counter is an honest stage: it numbers the alerts of each title. Its faults,
// switched on one by one, must each be found by the check that is named for it.
type counter struct {
	fault string
	state map[string]uint32
	undo  []func()
}

func newCounter(fault string) func() stages.Stage {
	return func() stages.Stage { return &counter{fault: fault, state: map[string]uint32{}} }
}

func (c *counter) Process(ctx context.Context, b *schema.Batch) error {
	if c.fault == "EmptyBatch" && len(b.Alerts) == 0 {
		b.Drops = append(b.Drops, schema.Drop{})
	}
	for i := range b.Alerts {
		title := strings.Clone(b.Alerts[i].Title)
		if c.fault == "KeepsNoBatchMemory" {
			title = b.Alerts[i].Title
		}
		old, had := c.state[title]
		c.state[title] = old + 1
		if c.fault != "RollbackExact" {
			c.undo = append(c.undo, func() {
				if had {
					c.state[title] = old
				} else {
					delete(c.state, title)
				}
			})
		}
		if c.fault == "CanceledContext" && ctx.Err() != nil {
			return fmt.Errorf("oops")
		}
		e := schema.LedgerEvent{Object: title, After: fmt.Sprint(old + 1)}
		if c.fault == "Deterministic" {
			e.Cause = fmt.Sprint(rand.Uint64())
		}
		b.Ledger = append(b.Ledger, e)
	}
	if c.fault == "InputUnchanged" && len(b.Control) > 0 {
		b.Control[0].Value = "changed"
	}
	return nil
}

func (c *counter) Commit() { c.undo = nil }

func (c *counter) Rollback() {
	for i := len(c.undo) - 1; i >= 0; i-- {
		c.undo[i]()
	}
	c.undo = nil
}

// Snapshot is in order: the samples use the titles a and b.
func (c *counter) Snapshot(w io.Writer) error {
	var out []byte
	for _, k := range []string{"a", "b"} {
		out = binary.BigEndian.AppendUint32(out, c.state[k])
	}
	_, err := w.Write(out)
	return err
}

func (c *counter) Restore(r io.Reader) error {
	var in [8]byte
	if _, err := io.ReadFull(r, in[:]); err != nil {
		return err
	}
	c.state = map[string]uint32{}
	for i, k := range []string{"a", "b"} {
		if n := binary.BigEndian.Uint32(in[4*i:]); n > 0 {
			c.state[k] = n
		}
	}
	if c.fault == "SnapshotRestore" {
		c.state["a"] = 0
	}
	return nil
}

func sample(titles ...string) Sample {
	return func() *schema.Batch {
		b := &schema.Batch{Now: schema.Hour, Control: []schema.Control{{Tenant: "t", Value: "on"}}}
		for _, t := range titles {
			b.NextAlert().Title = t
		}
		return b
	}
}

func samples() []Sample { return []Sample{sample("a", "b", "a"), sample("a"), sample("b", "a")} }

func TestHonestStagePasses(t *testing.T) { Run(t, newCounter(""), samples()...) }

func TestEachFaultIsFound(t *testing.T) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if c.check(newCounter(c.name), samples()) == nil {
				t.Errorf("a stage that breaks %s passes it", c.name)
			}
		})
	}
}

func TestSilentStageFails(t *testing.T) {
	if err := deterministic(newCounter(""), []Sample{sample()}); err == nil {
		t.Error("samples that make the stage do nothing pass")
	}
}

func TestDumpTellsApart(t *testing.T) {
	a, b := &schema.Batch{}, &schema.Batch{}
	b.Alerts = []schema.Alert{}
	if Dump(a) != Dump(b) {
		t.Error("nil and empty differ")
	}
	b.Alerts = append(b.Alerts, schema.Alert{})
	if Dump(a) == Dump(b) {
		t.Error("an empty alert is not seen")
	}
}
