package library

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

// TestKeep: what was refused before stands where it is said to, behind what is refused
// now, within the bounds of a report. It makes no pull one of which nothing can be used,
// and one that cannot be read holds up nothing.
func TestKeep(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxListed = 3
	l, feed := Open(t.TempDir(), cfg), feedOf("acme")
	take := func(n int, parts string, keep func(fact.Refusal) bool, facts ...any) (Report, error) {
		t.Helper()
		im, err := l.Begin(context.Background(), feed, "test", fact.Update, day(n))
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		im.Watch(func(fact.Refusal) { told++ })
		im.Keep(keep)
		for _, part := range strings.Fields(parts) {
			if err := im.Refuse(fact.Refusal{Part: part, Line: n, Value: part, Reason: "no"}); err != nil {
				t.Fatal(err)
			}
		}
		for k, f := range facts {
			if err := im.Said(k, f.(fact.Said)); err != nil {
				t.Fatal(err)
			}
		}
		rep, err := im.Commit(nil)
		if told != len(strings.Fields(parts)) {
			t.Errorf("day %d: %d were told", n, told)
		}
		return rep, err
	}
	listed := func() (values []string) {
		t.Helper()
		if err := l.Refusals("acme", func(r fact.Refusal) error { values = append(values, r.Value); return nil }); err != nil {
			t.Fatal(err)
		}
		return values
	}
	want := func(n, count int, list string, rep Report, err error) {
		t.Helper()
		if got := strings.Join(listed(), " "); err != nil || got != list || rep.Refused != count || len(rep.Refusals) != min(count, 3) {
			t.Errorf("day %d: %q are listed, want %q: %+v, %v", n, got, list, rep, err)
		}
	}
	all := func(fact.Refusal) bool { return true }
	rep, err := take(0, "a b c d", all, domain("bad.example"))
	want(0, 4, "a b c d", rep, err)
	rep, err = take(1, "e", func(r fact.Refusal) bool { return r.Part != "b" }, domain("bad.example"))
	want(1, 4, "e a c d", rep, err)
	rep, err = take(2, "", all)
	want(2, 4, "e a c d", rep, err)
	if _, err = take(3, "x", all); err == nil || !strings.Contains(err.Error(), "none of 1 could be used") {
		t.Errorf("%v", err)
	}
	want(3, 4, "e a c d", rep, nil)
	if err := os.Truncate(rep.File, 50); err != nil {
		t.Fatal(err)
	}
	rep, err = take(4, "f", func(r fact.Refusal) bool { return r.Part == "none" }, domain("bad.example"))
	want(4, 1, "f", rep, err)
	rep, err = take(5, "g", nil, domain("bad.example"))
	want(5, 1, "g", rep, err)
}
