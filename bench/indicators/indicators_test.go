package indicators

import (
	"context"
	"flag"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Sizes; the defaults are those of an ordinary run of the tests.
var (
	count   = flag.Uint64("match.indicators", 100_000, "generated indicators")
	lookups = flag.Uint64("match.lookups", 300_000, "questions that are compared with the oracle")
	rate    = flag.Int("match.rate", 10_000, "changes per second")
	churn   = flag.Duration("match.churn", 300*time.Millisecond, "length of the runs with and without changes")
)

// TestRun runs every measurement and holds what does not depend on the machine: no
// false match, no miss, no wrong record, before and after changes, and a filter that
// keeps to its setting.
func TestRun(t *testing.T) {
	rep, err := Run(context.Background(), Options{Indicators: *count, Lookups: *lookups, Dir: t.TempDir(), Match: match.DefaultConfig(),
		Rate: *rate, Churn: *churn, Progress: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	if c := rep.Oracle; c.Lookups != *lookups || c.Named < c.Lookups/4 || c.Named > c.Lookups*3/4 || c.False+c.Missed+c.Wrong > 0 {
		t.Errorf("beside the oracle: %+v", c)
	}
	if rep.Open.Index.Indicators != int(*count) {
		t.Errorf("opened %d indicators, built %d", rep.Open.Index.Indicators, *count)
	}
	if l := rep.Lookup; l.FalsePositives > 1.5*l.Setting {
		t.Errorf("the filter lets %v through, its setting is %v", l.FalsePositives, l.Setting)
	}
	if c := rep.Churn; c.Checked == 0 || c.Wrong > 0 || c.Applied.Added == 0 || c.Applied.Changed == 0 || c.Applied.Removed == 0 {
		t.Errorf("after changes: %+v", c)
	}
	t.Logf("%+v", rep)
}

// TestNumber holds that the oracle's reading backwards undoes the writing, and only
// that.
func TestNumber(t *testing.T) {
	for i := range uint64(10_000) {
		for _, n := range []uint64{i, i << 12, mix(i) >> 30} {
			v, typ := appendValue(nil, n)
			if got, ok := number(schema.Observable{Type: typ, Value: string(v)}); !ok || got != n {
				t.Fatalf("%d is written as %q and read as %d, %v", n, v, got, ok)
			}
			if err := match.Check(Indicator(n, 0)); err != nil {
				t.Fatalf("%s: %v", v, err)
			}
		}
	}
	for _, o := range []schema.Observable{{Type: schema.ObservableDomain, Value: "d0.example"}, {Type: schema.ObservableDomain, Value: "example"},
		{Type: schema.ObservableHash, Value: "00"}, {Type: schema.ObservableURL, Value: "http://files.example.org/load/0.exe"}} {
		if n, ok := number(o); ok {
			t.Errorf("%v was read as %d", o, n)
		}
	}
}
