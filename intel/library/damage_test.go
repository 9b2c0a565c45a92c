package library

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// damage flips a byte in the middle of a file of a library, or removes the file.
func damage(t *testing.T, l *Library, name, how string) {
	t.Helper()
	path := filepath.Join(l.dir, filepath.FromSlash(name))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if how == "missing" {
		err = os.Remove(path)
	} else {
		text[len(text)/2] ^= 1
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// twoFeeds is a library of a feed that will be damaged, in its second generation, and
// of one that will not.
func twoFeeds(t *testing.T) *Library {
	t.Helper()
	l := Open(t.TempDir(), small())
	bot := fact.Object{ID: "malware--1", Kind: schema.ThreatMalware, Name: "Foo"}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), domain("old.bad.example"), bot)
	pull(t, l, feedOf("acme"), fact.Replace, day(1), domain("old.bad.example"), domain("new.bad.example"), bot)
	pull(t, l, feedOf("beta"), fact.Replace, day(1), domain("new.bad.example"), domain("b.bad.example"), bot, fact.Refusal{Line: 3, Value: "?", Reason: "is nothing"})
	return l
}

// lacking checks that an error says that this file, and no other, could not be read.
func lacking(t *testing.T, what string, err error, file string) {
	t.Helper()
	p := new(Partial)
	if !errors.As(err, &p) || !errors.Is(err, ErrDamaged) || len(p.Damaged) != 1 || p.Damaged[0].Feed != "acme" || p.Damaged[0].Reason == "" ||
		!strings.HasSuffix(p.Damaged[0].File, filepath.FromSlash(file)) {
		t.Errorf("%s: %v", what, err)
	}
}

// TestOneDamagedFeed: whatever is damaged of one feed, the others answer, the damaged
// one is named with file and reason, and the next pull of it brings it back.
func TestOneDamagedFeed(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		file   string
		counts string // what counts while it is damaged
		check  int    // what a check of new.bad.example finds
	}{
		{"feeds/acme/00000002.current", "acme/old.bad.example beta/b.bad.example beta/new.bad.example", 1},
		{"feeds/acme/00000002.facts", "acme/new.bad.example acme/old.bad.example beta/b.bad.example beta/new.bad.example", 1},
		{"feeds/acme/00000002.objects", "acme/new.bad.example acme/old.bad.example beta/b.bad.example beta/new.bad.example", 2},
		{"feeds/acme/feed.json", "beta/b.bad.example beta/new.bad.example", 1},
	} {
		for _, how := range []string{"flipped", "missing"} {
			if strings.HasSuffix(c.file, "feed.json") && how == "missing" {
				continue // nobody knows of the feed then
			}
			t.Run(filepath.Base(c.file)+" "+how, func(t *testing.T) {
				l := twoFeeds(t)
				damage(t, l, c.file, how)
				known, err := l.Check(ctx, schema.Observable{Type: schema.ObservableDomain, Value: "new.bad.example"})
				if len(known) != c.check || known[len(known)-1].Indicator.Feed != "beta" {
					t.Errorf("a check finds %+v", known)
				}
				if c.check == 1 {
					lacking(t, "check", err, c.file)
				} else if err != nil {
					t.Error("check", err)
				}
				var list []string
				v, err := l.Each(ctx, func(i schema.Indicator) error { list = append(list, i.Feed+"/"+i.Value); return nil })
				if got := strings.Join(list, " "); got != c.counts {
					t.Errorf("what counts is %q", got)
				}
				reads := strings.HasSuffix(c.file, ".current") || strings.HasSuffix(c.file, ".json")
				if reads {
					lacking(t, "each", err, c.file)
				} else if err != nil {
					t.Error("each", err)
				}
				x, iv, err := l.Index(ctx, match.DefaultConfig())
				if x == nil || x.Len() != len(list) || iv != v {
					t.Errorf("the index has %v at %s, not %s", x, iv, v)
				}
				if reads {
					lacking(t, "index", err, c.file)
				} else if err != nil {
					t.Error("index", err)
				}
				reports, err := l.Reports(ctx)
				if len(reports) < 1 || reports[len(reports)-1].Feed != "beta" {
					t.Errorf("reports %+v", reports)
				}
				if strings.HasSuffix(c.file, ".facts") != (err == nil) {
					t.Errorf("reports: %v", err)
				}
				feeds, err := l.Feeds()
				if err != nil || len(feeds) != 2 || len(feeds[0].Damaged) != 1 || !strings.HasSuffix(feeds[0].Damaged[0].File, filepath.FromSlash(c.file)) ||
					feeds[0].Damaged[0].Reason == "" || len(feeds[1].Damaged) != 0 {
					t.Errorf("feeds: %+v, %v", feeds, err)
				}
				pull(t, l, feedOf("acme"), fact.Replace, day(2), domain("new.bad.example"))
				if got := values(t, l); got != "acme/new.bad.example beta/b.bad.example beta/new.bad.example" {
					t.Errorf("after the next pull %q", got)
				}
				if st, err := l.Status("acme"); err != nil || len(st.Damaged) != 0 {
					t.Errorf("after the next pull: %+v, %v", st.Damaged, err)
				}
				if known, err := l.Check(ctx, schema.Observable{Type: schema.ObservableDomain, Value: "new.bad.example"}); err != nil || len(known) != 2 {
					t.Errorf("a check after the next pull: %+v, %v", known, err)
				}
				for _, name := range files(t, l.feedDir("acme")) {
					if strings.HasSuffix(name, noteEnd) {
						t.Errorf("%s is left", name)
					}
				}
			})
		}
	}
}

// TestDamagedExport: an export is well formed and says what it lacks; one of other
// feeds lacks nothing; threats that cannot be told from secret ones are left out.
func TestDamagedExport(t *testing.T) {
	l := twoFeeds(t)
	damage(t, l, "feeds/acme/00000001.current", "missing")
	damage(t, l, "feeds/acme/00000002.current", "flipped")
	var out bytes.Buffer
	done, err := l.Export(context.Background(), ExportOptions{Format: ExportSTIX}, &out)
	lacking(t, "export", err, "00000002.current")
	var bundle struct{ Objects []any }
	if json.Unmarshal(out.Bytes(), &bundle) != nil || len(bundle.Objects) != 3 || done.Written != 2 || len(done.Damaged) != 1 || strings.Contains(string(done.Version), "acme") {
		t.Errorf("%s\n%+v", out.String(), done)
	}
	if done, err := l.Export(context.Background(), ExportOptions{Format: ExportList, Feeds: []string{"beta"}}, &out); err != nil || done.Written != 2 {
		t.Errorf("of the other feed: %+v, %v", done, err)
	}
	damage(t, l, "feeds/acme/feed.json", "flipped")
	if done, err := l.Export(context.Background(), ExportOptions{Format: ExportList, Feeds: []string{"beta"}}, &out); err != nil || done.Written != 2 {
		t.Errorf("of the other feed: %+v, %v", done, err)
	}
	l = Open(t.TempDir(), small())
	s := domain("a.bad.example")
	s.Threats = []schema.Threat{{Kind: schema.ThreatReport, Name: "Operation Secret", ID: "report--1"}}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), s, fact.Object{ID: "report--1", Kind: schema.ThreatReport, Name: "Operation Secret", TLP: schema.TLPRed})
	damage(t, l, "feeds/acme/00000001.objects", "flipped")
	out.Reset()
	_, err = l.Export(context.Background(), ExportOptions{Format: ExportCSV}, &out)
	lacking(t, "export", err, "00000001.objects")
	if text := out.String(); !strings.Contains(text, "a.bad.example") || strings.Contains(text, "Secret") {
		t.Errorf("%s", text)
	}
}

// TestDamageAndChanges follows a library while a feed is damaged: what it said stays,
// other feeds and what analysts set go on, and when it is whole again the follower has
// what counts.
func TestDamageAndChanges(t *testing.T) {
	ctx := context.Background()
	for _, how := range []string{"flipped", "missing"} {
		for _, file := range []string{"00000003.current", "feed.json"} {
			if file == "feed.json" && how == "missing" {
				continue
			}
			t.Run(how+" "+file, func(t *testing.T) {
				l := twoFeeds(t)
				f := l.For("publisher")
				has := map[string]uint8{}
				var at Version
				follow := func() error {
					t.Helper()
					changes := map[string]uint8{}
					removed := []string{}
					to, err := f.Changes(ctx, at, func(c match.Change) error {
						if key := c.Indicator.Feed + "/" + c.Indicator.Value; c.Op == match.Remove {
							removed = append(removed, key)
						} else {
							changes[key] = c.Indicator.Confidence
						}
						return nil
					})
					if errors.Is(err, ErrGone) {
						clear(has)
						to, err = f.Each(ctx, func(i schema.Indicator) error { has[i.Feed+"/"+i.Value] = i.Confidence; return nil })
					}
					for _, key := range removed {
						delete(has, key)
					}
					for key, c := range changes {
						has[key] = c
					}
					at = to
					return err
				}
				want := func(when string, values ...string) {
					t.Helper()
					var got []string
					for key := range has {
						got = append(got, key)
					}
					slices.Sort(got)
					if !slices.Equal(got, values) {
						t.Errorf("%s: %q, want %q", when, got, values)
					}
				}
				if err := follow(); err != nil {
					t.Fatal(err)
				}
				pull(t, l, feedOf("acme"), fact.Replace, day(2), domain("third.bad.example"))
				damage(t, l, "feeds/acme/"+file, how)
				pull(t, l, feedOf("beta"), fact.Replace, day(2), domain("c.bad.example"))
				lacking(t, "changes", follow(), file)
				want("damaged before it was published", "acme/new.bad.example", "acme/old.bad.example", "beta/c.bad.example")
				over := Override{Type: schema.ObservableDomain, Value: "new.bad.example", Confidence: ptr(uint8(3))}
				if _, err := l.Override(ctx, over); err != nil {
					t.Fatal(err)
				}
				pull(t, l, feedOf("beta"), fact.Replace, day(3), domain("new.bad.example"))
				lacking(t, "changes", follow(), file)
				want("what is set", "acme/new.bad.example", "acme/old.bad.example", "beta/new.bad.example")
				if has["beta/new.bad.example"] != 3 {
					t.Error("what an analyst sets has no effect on another feed")
				}
				pull(t, l, feedOf("acme"), fact.Replace, day(4), domain("new.bad.example"))
				if err := follow(); err != nil {
					t.Error(err)
				}
				want("whole again", "acme/new.bad.example", "beta/new.bad.example")
				if has["acme/new.bad.example"] != 3 {
					t.Error("what an analyst set meanwhile was lost")
				}
				if v, err := l.Version(); err != nil || v != at {
					t.Errorf("followed to %s, it is %s, %v", at, v, err)
				}
			})
		}
	}
}

// TestDamagedWhatIsPublished: damage of what was published already, found by a restart,
// takes nothing away; found where all is built anew, what was said before serves.
func TestDamagedWhatIsPublished(t *testing.T) {
	ctx := context.Background()
	l := twoFeeds(t)
	var at Version
	changes := func() (n int, err error) {
		at, err = l.For("publisher").Changes(ctx, at, func(match.Change) error { n++; return nil })
		return n, err
	}
	if n, err := changes(); err != nil || n != 4 {
		t.Fatal(n, err)
	}
	damage(t, l, "feeds/acme/00000002.current", "flipped")
	if _, err := l.Each(ctx, func(schema.Indicator) error { return nil }); err == nil { // it leaves a note
		t.Fatal("not found")
	}
	if _, err := l.Override(ctx, Override{Type: schema.ObservableDomain, Value: "new.bad.example", Confidence: ptr(uint8(3))}); err != nil {
		t.Fatal(err)
	}
	n, err := changes()
	lacking(t, "changes", err, "00000002.current")
	if n != 1 {
		t.Errorf("%d changes of the other feed", n)
	}
	// Any pull derives it anew, also one that builds upon the facts.
	pull(t, l, feedOf("acme"), fact.Update, day(3), domain("third.bad.example"))
	if _, err := changes(); !errors.Is(err, ErrGone) {
		t.Errorf("the way from what is damaged: %v", err)
	}
	if got := values(t, l); got != "acme/new.bad.example acme/old.bad.example acme/third.bad.example beta/b.bad.example beta/new.bad.example" {
		t.Errorf("%s", got)
	}
}

// TestNotModifiedDamaged: a pull that finds its source unchanged derives a damaged
// .current anew.
func TestNotModifiedDamaged(t *testing.T) {
	l := twoFeeds(t)
	damage(t, l, "feeds/acme/00000002.current", "missing")
	if err := l.NotModified(context.Background(), feedOf("acme"), day(2), nil); err != nil {
		t.Fatal(err)
	}
	if got := values(t, l); got != "acme/new.bad.example acme/old.bad.example beta/b.bad.example beta/new.bad.example" {
		t.Errorf("%s", got)
	}
}

// TestDamagedFactsNotBuiltUpon: a pull that says only what is new cannot bring back
// facts, says what does, and changes nothing.
func TestDamagedFactsNotBuiltUpon(t *testing.T) {
	l := twoFeeds(t)
	damage(t, l, "feeds/acme/00000002.facts", "flipped")
	before := files(t, l.feedDir("acme"))
	_, err := tryPull(l, feedOf("acme"), fact.Update, day(2), domain("third.bad.example"))
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "00000002.facts") || !strings.Contains(err.Error(), "interdict intel rm acme") {
		t.Errorf("%v", err)
	}
	if got := values(t, l); got != "acme/new.bad.example acme/old.bad.example beta/b.bad.example beta/new.bad.example" {
		t.Errorf("%s", got)
	}
	after := slices.DeleteFunc(files(t, l.feedDir("acme")), func(name string) bool { return strings.HasSuffix(name, noteEnd) })
	if !slices.Equal(before, after) {
		t.Errorf("left behind: %q, there were %q", after, before)
	}
	if err := l.Remove(context.Background(), "acme"); err != nil {
		t.Fatal(err)
	}
	pull(t, l, feedOf("acme"), fact.Update, day(3), domain("third.bad.example"))
}

// TestRemoveDamaged: a feed whose state is damaged can be removed, and no number of
// its generations is given twice.
func TestRemoveDamaged(t *testing.T) {
	ctx := context.Background()
	l := twoFeeds(t)
	_, at := all(t, l)
	damage(t, l, "feeds/acme/feed.json", "flipped")
	if err := l.Remove(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	if got := values(t, l); got != "beta/b.bad.example beta/new.bad.example" {
		t.Errorf("%s", got)
	}
	pull(t, l, feedOf("acme"), fact.Replace, day(5), domain("a.bad.example"))
	pull(t, l, feedOf("acme"), fact.Replace, day(6), domain("b.bad.example"))
	if _, err := l.Changes(ctx, at, func(match.Change) error { return nil }); !errors.Is(err, ErrGone) {
		t.Errorf("the way from before the damage: %v", err)
	}
}
