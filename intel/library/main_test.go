package library

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// day gives the time of a day of the tests' calendar.
func day(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

func millis(n int) schema.Millis { return schema.FromTime(day(n)) }

// small is a configuration that makes files of tiny runs.
func small() Config {
	c := DefaultConfig()
	c.SortBytes = 1 << 10
	return c
}

func feedOf(name string) *fact.Feed {
	f := fact.DefaultFeed()
	f.Name, f.Transport = name, fact.TransportUpload
	return &f
}

func said(t schema.ObservableType, value, id string) fact.Said {
	return fact.Said{Indicator: schema.Indicator{ID: id, Type: t, Value: value, Verdict: schema.VerdictMalicious, Confidence: 75}}
}

func domain(value string) fact.Said { return said(schema.ObservableDomain, value, "") }

func versioned(value, id string, v schema.Millis) fact.Said {
	s := said(schema.ObservableDomain, value, id)
	s.Version = v
	return s
}

func revocation(id string, v schema.Millis) fact.Said {
	return fact.Said{Indicator: schema.Indicator{ID: id}, Version: v, Revoked: true}
}

// pull imports facts and fails the test if it cannot.
func pull(t testing.TB, l *Library, feed *fact.Feed, mode fact.Mode, at time.Time, facts ...any) Report {
	t.Helper()
	rep, err := tryPull(l, feed, mode, at, facts...)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func tryPull(l *Library, feed *fact.Feed, mode fact.Mode, at time.Time, facts ...any) (Report, error) {
	im, err := l.Begin(context.Background(), feed, "test", mode, at)
	if err != nil {
		return Report{}, err
	}
	for n, f := range facts {
		switch f := f.(type) {
		case fact.Said:
			err = im.Said(n+1, f)
		case fact.Object:
			err = im.Object(n+1, f)
		case fact.Relation:
			err = im.Relation(n+1, f)
		case fact.Sighting:
			err = im.Sighting(n+1, f)
		case fact.Refusal:
			err = im.Refuse(f)
		default:
			err = fmt.Errorf("a %T is no fact", f)
		}
		if err != nil {
			break
		}
	}
	rep, err2 := im.Commit([]byte(`{"etag":"x"}`))
	if err == nil {
		err = err2
	}
	if err == nil {
		err = addsUp(&rep)
	}
	return rep, err
}

// addsUp reports a report in which something that was read is nowhere.
func addsUp(rep *Report) error {
	n := 0
	for _, k := range rep.Became {
		n += k
	}
	if n != rep.Read {
		return fmt.Errorf("%d were read, and %d became something: %v", rep.Read, n, rep.Became)
	}
	return nil
}

// all gives the indicators that count, and fails the test if it cannot.
func all(t testing.TB, l *Library) ([]schema.Indicator, Version) {
	t.Helper()
	var list []schema.Indicator
	v, err := l.Each(context.Background(), func(i schema.Indicator) error {
		list = append(list, i)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list, v
}

// values lists feed and value of what counts.
func values(t testing.TB, l *Library) string {
	t.Helper()
	list, _ := all(t, l)
	var names []string
	for _, i := range list {
		names = append(names, i.Feed+"/"+i.Value)
	}
	return strings.Join(names, " ")
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// files lists what is in a folder of the library.
func files(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	slices.Sort(list)
	return list
}

// copyTree copies a folder.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestNothingYet(t *testing.T) {
	l := Open(filepath.Join(t.TempDir(), "none"), DefaultConfig())
	if got, v := all(t, l); len(got) != 0 || v != "" {
		t.Errorf("an empty library has %v at %q", got, v)
	}
	if list, err := l.Feeds(); err != nil || len(list) != 0 {
		t.Errorf("feeds: %v, %v", list, err)
	}
	if list, err := l.Overrides(); err != nil || len(list) != 0 {
		t.Errorf("overrides: %v, %v", list, err)
	}
	if list, err := l.Check(context.Background(), schema.Observable{Type: schema.ObservableIP, Value: "192.0.2.1"}); err != nil || len(list) != 0 {
		t.Errorf("check: %v, %v", list, err)
	}
}
