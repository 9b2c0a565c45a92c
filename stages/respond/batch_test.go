package respond

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// slow is an executor that takes its time: for ever where pace is zero.
type slow struct {
	pace  time.Duration
	calls map[string]int // carried out, by target
}

func (s *slow) Apply(ctx context.Context, a schema.Action) (schema.ActionResult, error) {
	if s.pace == 0 {
		<-ctx.Done()
		return schema.ActionResult{}, ctx.Err()
	}
	if err := sleep(ctx, s.pace); err != nil {
		return schema.ActionResult{}, err
	}
	s.calls[strings.Clone(a.Target.Key)]++
	return schema.ActionResult{}, nil
}

func commands(n int) (list []schema.Action) {
	for i := range n {
		list = append(list, action(schema.VerbApply, 1, fmt.Sprintf("ws-%d", i)))
	}
	return list
}

// An executor that answers nothing costs a batch BatchTimeout, however many
// commands it holds: more would outlast the transaction, and the same batch
// would come again for ever.
func TestSilentExecutorIsBounded(t *testing.T) { synctest.Test(t, silentExecutorIsBounded) }

func silentExecutorIsBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.BatchTimeout = 200 * time.Millisecond
	r, err := NewWith(cfg, "test", &slow{})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	list := commands(50)
	refused := action(schema.VerbApply, 1, "over")
	refused.Until = now
	res := process(t, r, now, append(list, refused)...)
	if took := time.Since(began); took > cfg.BatchTimeout {
		t.Errorf("50 commands took %v of %v", took, cfg.BatchTimeout)
	}
	for i, x := range res[:len(list)] {
		if x.Status != StatusFailed {
			t.Errorf("command %d: %+v", i, x)
		}
	}
	if x := res[len(list)]; x.Status != StatusRefused {
		t.Errorf("a command that needs no executor: %+v", x)
	}
}

// An executor that is slow makes the batch come again, and each time gets
// further, until every command is carried out, once.
func TestSlowExecutorFinishes(t *testing.T) { synctest.Test(t, slowExecutorFinishes) }

func slowExecutorFinishes(t *testing.T) {
	cfg := DefaultConfig()
	cfg.BatchTimeout = 150 * time.Millisecond
	e := &slow{pace: 40 * time.Millisecond, calls: map[string]int{}}
	r, err := NewWith(cfg, "test", e)
	if err != nil {
		t.Fatal(err)
	}
	b := &schema.Batch{Now: now, Actions: commands(8)}
	again := 0
	for {
		b.Results, b.Ledger = nil, nil
		done := len(e.calls)
		if err = r.Process(context.Background(), b); err == nil {
			break
		}
		if stages.IsPermanent(err) || len(e.calls) == done {
			t.Fatalf("after %d commands: %v", len(e.calls), err)
		}
		again++
	}
	if again == 0 || len(b.Results) != len(b.Actions) {
		t.Errorf("%d results, came again %d times", len(b.Results), again)
	}
	for _, x := range b.Results {
		if x.Status != StatusDone || e.calls[x.Target.Key] != 1 {
			t.Errorf("%+v, carried out %d times", x, e.calls[x.Target.Key])
		}
	}
}
