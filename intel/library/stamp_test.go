package library

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// TestStamp: whatever changes what Feeds tells changes the stamp, and nothing else does.
func TestStamp(t *testing.T) {
	dir := t.TempDir()
	l, other := Open(dir, DefaultConfig()), Open(dir, DefaultConfig())
	feed, ctx := feedOf("acme"), context.Background()
	stamp := func() uint64 {
		t.Helper()
		n, err := l.Stamp()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	was := stamp()
	step := func(what string, do func() error) {
		t.Helper()
		if stamp() != was {
			t.Errorf("before %s: another one though nothing was done", what)
		}
		if err := do(); err != nil {
			t.Fatal(what, err)
		}
		now := stamp()
		if now == was {
			t.Errorf("%s: the same", what)
		}
		was = now
	}
	step("a failure", func() error { return other.Failed(ctx, feed, errors.New("away"), day(1), day(0)) })
	step("a pull", func() error { pull(t, other, feed, fact.Replace, day(1), domain("bad.example")); return nil })
	step("no change", func() error { return other.NotModified(ctx, feed, day(2), nil) })
	step("a note of damage", func() error {
		return os.WriteFile(generationFile(l.feedDir("acme"), 1, "facts")+noteEnd, []byte("torn"), 0o600)
	})
	step("a damaged state", func() error { return os.Truncate(l.feedDir("acme")+"/feed.json", 7) })
	step("removal", func() error { return other.Remove(ctx, "acme") })
	if _, err := l.Feeds(); err != nil || stamp() != was {
		t.Errorf("reading changed it: %v", err)
	}
}

// TestNeverAnything: a feed that never brought anything is silent when it may no longer
// be, not from its first pull on.
func TestNeverAnything(t *testing.T) {
	l, feed := Open(t.TempDir(), DefaultConfig()), feedOf("acme")
	feed.Silence = 36 * time.Hour
	for n, want := range []bool{false, false, true, true} {
		if err := l.NotModified(context.Background(), feed, day(n), nil); err != nil {
			t.Fatal(err)
		}
		st, err := l.Status("acme")
		if err != nil || st.SilentAt(day(n)) != want || (st.Silent != 0) != want || st.News().Time() != day(0).UTC() {
			t.Errorf("day %d: %+v, %v", n, st, err)
		}
	}
	pull(t, l, feed, fact.Replace, day(4), domain("bad.example"))
	if st, err := l.Status("acme"); err != nil || st.Silent != 0 || st.SilentAt(day(5)) || !st.SilentAt(day(6)) || st.FirstPull.Time() != day(0).UTC() {
		t.Errorf("%+v, %v", st, err)
	}
}
