package intel

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// feedOf gives a feed of a file.
func feedOf(t *testing.T, name, text string) fact.Feed {
	t.Helper()
	f := fact.DefaultFeed()
	f.Name, f.File = name, filepath.Join(t.TempDir(), name+".txt")
	if err := os.WriteFile(f.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	return f
}

func libraryOf(t *testing.T) *library.Library {
	return library.Open(filepath.Join(t.TempDir(), "indicators"), library.DefaultConfig())
}

// TestPullOnceReadsAnew: text that has not changed is read again when the settings
// say something else of it, and only then.
func TestPullOnceReadsAnew(t *testing.T) {
	l, cfg, ctx := libraryOf(t), DefaultConfig(), context.Background()
	f := feedOf(t, "f", "203.0.113.7\nbad.example\n")
	pull := func(change func(*fact.Feed), origin string, changed int) {
		t.Helper()
		change(&f)
		rep, err := PullOnce(ctx, l, cfg, f, Once{})
		if err != nil || rep.Origin != origin || rep.Changed != changed || rep.Indicators != 2 {
			t.Fatalf("%v: %+v, want origin %q and %d changed", err, rep, origin, changed)
		}
	}
	pull(func(*fact.Feed) {}, "pull", 0)
	pull(func(*fact.Feed) {}, NotModified, 0)
	pull(func(f *fact.Feed) { f.Every, f.Auth.User = 2*f.Every, "ann" }, NotModified, 0)
	pull(func(f *fact.Feed) { f.Confidence = 40 }, "pull", 2)
	pull(func(f *fact.Feed) { f.Verdict = schema.VerdictSuspicious }, "pull", 2)
	pull(func(f *fact.Feed) { f.TLP, f.Tenant = schema.TLPRed, "acme" }, "pull", 2)
	pull(func(*fact.Feed) {}, NotModified, 0)
	_, err := l.Each(ctx, func(i schema.Indicator) error {
		if i.TLP != schema.TLPRed || i.Tenant != "acme" || i.Confidence != 40 || i.Verdict != schema.VerdictSuspicious {
			t.Errorf("%+v", i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPullOnceTells: the counts that are told run over all parts, and a pull that
// fails is booked and leaves what was there.
func TestPullOnceTells(t *testing.T) {
	l, cfg, ctx := libraryOf(t), DefaultConfig(), context.Background()
	f := feedOf(t, "f", strings.Repeat("nonsense\n", 5000)+"203.0.113.7\n")
	f.MaxRefused = 100
	var last Taken
	if _, err := PullOnce(ctx, l, cfg, f, Once{Tell: func(n Taken) {
		if n.Refused < last.Refused || n.Facts < last.Facts {
			t.Errorf("%+v after %+v", n, last)
		}
		last = n
	}}); err != nil || last.Refused < 4000 {
		t.Fatalf("%v: told %+v", err, last)
	}
	if err := os.Remove(f.File); err != nil {
		t.Fatal(err)
	}
	if _, err := PullOnce(ctx, l, cfg, f, Once{}); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("a file that is gone: %v", err)
	}
	st, err := l.Status("f")
	if err != nil || st.Errors != 1 || st.Standing.Indicators != 1 {
		t.Fatalf("%v: %+v", err, st)
	}
}

// TestWith: texts count beside an index as they would if imported, and leave nothing
// behind.
func TestWith(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f := fact.DefaultFeed()
	f.Name, f.Transport = "text", fact.TransportUpload
	x, err := match.Build(match.DefaultConfig(), nil)
	if err != nil {
		t.Fatal(err)
	}
	with, err := With(context.Background(), x, library.DefaultConfig(), time.Now(), Text{f, "a text", strings.NewReader("203.0.113.7\nnonsense\n")})
	if err != nil {
		t.Fatal(err)
	}
	var found []schema.Indicator
	match.NewReader().Find(with, schema.Observable{Type: schema.ObservableIP, Value: "203.0.113.7"}, func(i *schema.Indicator) { found = append(found, *i) })
	if len(found) != 1 || found[0].Feed != "text" {
		t.Errorf("found %+v", found)
	}
	if _, err := With(context.Background(), x, library.DefaultConfig(), time.Now(), Text{f, "a text", strings.NewReader("nonsense\n")}); err == nil {
		t.Error("a text without an indicator is no error")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	if same, err := With(context.Background(), x, library.DefaultConfig(), time.Now()); err != nil || same != x {
		t.Errorf("no texts: %v", err)
	}
}

// TestExplain: what is the same for a socket and its address is told once, what is
// not both times; who refused a text is found.
func TestExplain(t *testing.T) {
	l, ctx := libraryOf(t), context.Background()
	for _, f := range []fact.Feed{feedOf(t, "f", "203.0.113.7\n203.0.113.7:443\nnonsense\nNONSENSE\n"), feedOf(t, "g", "203.0.113.0/24\n")} {
		if _, err := PullOnce(ctx, l, DefaultConfig(), f, Once{}); err != nil {
			t.Fatal(err)
		}
	}
	s := match.Subject{Created: schema.FromTime(time.Now())}
	list, err := Explain(ctx, l, match.DefaultConfig().Decay, s, schema.Observable{Type: schema.ObservableSocket, Value: "203.0.113.7:443"})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for _, e := range list {
		told[e.Indicator.Value]++
		if !e.Counts() {
			t.Errorf("%+v does not count", e)
		}
	}
	if len(told) != 3 || len(list) != 3 {
		t.Errorf("told %v", told)
	}
	list, err = ExplainRefused(ctx, l, "nonsense")
	if err != nil || len(list) != 2 || list[0].Refusal.Line != 3 || list[1].Refusal.Line != 4 || list[0].Counts() {
		t.Errorf("%v: %+v", err, list)
	}
	if list, err = ExplainRefused(ctx, l, "other"); err != nil || len(list) != 0 {
		t.Errorf("%v: %+v", err, list)
	}
}

// TestConfigValidate: every fault is told with its place.
func TestConfigValidate(t *testing.T) {
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatalf("the default: %v", err)
	}
	good, twice, bad := fact.DefaultFeed(), fact.DefaultFeed(), fact.DefaultFeed()
	good.Name, good.URL = "a", "https://ti.example/list.txt"
	twice.Name, twice.File = "a", "list.txt"
	bad.Name, bad.URL, bad.TLP = "b", "https://ti.example/", schema.TLPRed
	cfg.Feeds = []fact.Feed{good, twice, bad}
	cfg.Library.Keep = 1
	cfg.Snapshots.Listen = "127.0.0.1:0"
	err := cfg.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"intel.feeds[1]: name: feed a is configured twice", "intel.feeds[2]: feed b: tlp: red needs tenant", "intel.library: keep: 1", "intel.snapshots: "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if cfg.Feeds[0].Transport != fact.TransportHTTP || cfg.Feeds[1].Transport != fact.TransportFile {
		t.Errorf("transports %q and %q", cfg.Feeds[0].Transport, cfg.Feeds[1].Transport)
	}
}
