package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/schema"
)

// folderWorld is a service over a real library and a real folder that feeds it, whose
// pulls a test makes.
type folderWorld struct {
	*world
	s       *Service
	l       *library.Library
	library string // its folder
	dir     string
	now     time.Time
}

func newFolderWorld(t *testing.T, glob string) *folderWorld {
	w := &folderWorld{dir: t.TempDir(), library: t.TempDir(), now: time.Now().Add(time.Hour)}
	f := fact.DefaultFeed()
	f.Name, f.File, f.Silence = "drop", filepath.Join(w.dir, glob), 2*hour
	w.world = newWorld(t, f)
	w.l = library.Open(w.library, library.DefaultConfig())
	client, err := fetch.New(fetch.Config{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.ports.Library, w.ports.Parse, w.ports.Fetch = Folder{w.l}, parse.Read, client
	w.ports.Now = func() time.Time { return w.now }
	w.s = w.service()
	return w
}

func (w *folderWorld) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// tick does what a tick does, a minute after the last.
func (w *folderWorld) tick() FeedStatus {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	if name, f, ok := w.s.claim(); ok {
		w.s.book(w.t.Context(), name, w.s.look(w.t.Context(), f))
	}
	w.s.alarms()
	return w.feedStatus(w.s, "drop")
}

// counts wants values to count, and no others.
func (w *folderWorld) counts(values ...string) {
	w.t.Helper()
	n := 0
	if _, err := w.l.Each(w.t.Context(), func(schema.Indicator) error { n++; return nil }); err != nil {
		w.t.Fatal(err)
	}
	if n != len(values) {
		w.t.Errorf("%d indicators count, want %d", n, len(values))
	}
	for _, v := range values {
		known, err := w.l.Check(w.t.Context(), schema.Observable{Type: schema.ObservableDomain, Value: v})
		if err != nil || len(known) != 1 || known[0].Aside != "" {
			w.t.Errorf("%s: %+v, %v", v, known, err)
		}
	}
}

// TestDropFolder: an empty folder waits, a first file is read, a folder that has lost
// its files says so and keeps what they said, and nothing of that is believed longer
// than it holds.
func TestDropFolder(t *testing.T) {
	w := newFolderWorld(t, "*.txt")
	f := w.tick()
	if f.Failures != 0 || f.Error != "" || !strings.HasPrefix(f.Waiting, "no file yet in ") || f.Silent != 0 {
		t.Errorf("an empty folder: %+v", f)
	}
	if list, err := (Folder{w.l}).Feeds(); err != nil || len(list) != 1 || list[0].Waiting != f.Waiting {
		t.Errorf("the library says %+v, %v", list, err)
	}
	w.now = w.now.Add(2 * hour)
	if f = w.tick(); f.Failures != 0 || f.Silent == 0 {
		t.Errorf("an empty folder behind its silence: %+v", f)
	}
	w.write("a.txt", "a.example\n")
	if f = w.tick(); f.Waiting != "" || f.Silent != 0 || f.Last.Indicators != 1 {
		t.Errorf("a first file: %+v", f)
	}
	if err := os.Rename(filepath.Join(w.dir, "a.txt"), filepath.Join(w.dir, "b.away")); err != nil {
		t.Fatal(err)
	}
	if f = w.tick(); f.Failures != 1 || !strings.Contains(f.Error, "no file is there any more, where there were 1") {
		t.Errorf("no file any more: %+v", f)
	}
	w.counts("a.example")
	w.write("b.txt", "b.example\n")
	if f = w.tick(); f.Failures != 0 || f.Error != "" {
		t.Errorf("a file again: %+v", f)
	}
	w.counts("b.example")
}

// TestBrokenFile: one file that is no feed costs the others nothing. What it said stays,
// what it says in its good half does not count, and it is told of until it is repaired.
func TestBrokenFile(t *testing.T) {
	w := newFolderWorld(t, "")
	half := `{"type":"bundle","id":"bundle--0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c12","objects":[{"type":"indicator","spec_version":"2.1",
"id":"indicator--0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c11","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","valid_from":"2026-03-01T09:00:00.000Z",
"pattern_type":"stix","pattern":"[domain-name:value = 'b2.example']"},`
	w.write("a.txt", "a.example\n")
	w.write("b.json", half) // also in the first pull of all
	if f := w.tick(); f.Failures != 0 || len(f.Broken) != 1 || !strings.HasPrefix(f.Broken[0], "b.json: ") {
		t.Errorf("%+v", f)
	}
	w.counts("a.example")
	w.write("b.json", "b.example\n")
	if f := w.tick(); len(f.Broken) != 0 {
		t.Errorf("%+v", f)
	}
	w.counts("a.example", "b.example")
	w.write("a.txt", "a3.example\n")
	w.write("b.json", half)
	f := w.tick()
	if f.Failures != 0 || len(f.Broken) != 1 || gathered(t, w.s, "interdict_intel_feed_broken", "drop") != 1 {
		t.Errorf("%+v", f)
	}
	w.counts("a.example", "a3.example", "b.example") // what is gone goes when all can be read
	generation := w.generation()
	if f = w.tick(); len(f.Broken) != 1 || w.generation() != generation || w.logged("cannot be used", "b.json") != 2 {
		t.Errorf("the same bytes are read again: %+v", f)
	}
	s := w.service() // who starts or lists knows it too
	if f := w.feedStatus(s, "drop"); len(f.Broken) != 1 {
		t.Errorf("after a restart: %+v", f)
	}
	w.write("b.json", "b.example\nb3.example\n")
	if f = w.tick(); len(f.Broken) != 0 || gathered(t, w.s, "interdict_intel_feed_broken", "drop") != 0 {
		t.Errorf("%+v", f)
	}
	w.counts("a3.example", "b.example", "b3.example")
}

func (w *folderWorld) generation() library.Version {
	w.t.Helper()
	v, err := w.l.Version()
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// fullLibrary has no room for one value.
type fullLibrary struct{ Folder }

func (l fullLibrary) Begin(ctx context.Context, f *fact.Feed, origin string, mode fact.Mode, now time.Time) (Import, error) {
	imp, err := l.Folder.Begin(ctx, f, origin, mode, now)
	return fullImport{imp}, err
}

type fullImport struct{ Import }

var errFull = errors.New("no space left on device")

func (i fullImport) Said(line int, s fact.Said) error {
	if s.Value == "b.example" {
		return errFull
	}
	return i.Import.Said(line, s)
}

// TestBrokenLibrary: an error of the library is not one of the file that was being
// read.
func TestBrokenLibrary(t *testing.T) {
	w := newFolderWorld(t, "")
	w.write("a.txt", "a.example\n")
	w.write("b.txt", "b.example\n")
	w.ports.Library = fullLibrary{Folder{w.l}}
	w.s = w.service()
	if f := w.tick(); f.Failures != 1 || !strings.Contains(f.Error, errFull.Error()) || len(f.Broken) != 0 {
		t.Errorf("%+v", f)
	}
	w.counts()
}
