package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/intel/upload"
	"github.com/interdict/interdict/schema"
)

// drawnRequest draws objects of few ids and versions, so that they contradict each other.
func drawnRequest(t *rapid.T) (list []json.RawMessage) {
	word := func(words ...string) string { return rapid.SampledFrom(words).Draw(t, "word") }
	for range rapid.IntRange(1, 3).Draw(t, "objects") {
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", rapid.IntRange(1, 3).Draw(t, "id"))
		o := map[string]any{"spec_version": "2.1", "created": "2026-01-01T00:00:00Z", "modified": fmt.Sprintf("2026-01-0%dT00:00:00Z", rapid.IntRange(1, 3).Draw(t, "version"))}
		if rapid.IntRange(0, 5).Draw(t, "revoked") == 0 {
			o["revoked"] = true
		}
		switch kind := word("indicator", "indicator", "indicator", "relationship", "attack-pattern"); kind {
		case "indicator":
			o["pattern"] = fmt.Sprintf("[domain-name:value = '%s.bad.example'] OR [domain-name:value = '%s.bad.example']", word("a", "b", "c"), word("a", "b", "c"))
			o["pattern_type"] = word("stix", "stix", "stix", "snort")
			o["valid_from"], o["labels"], o["confidence"] = word("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "1960-01-01T00:00:00Z"), []string{word("x", "y")}, rapid.IntRange(50, 52).Draw(t, "confidence")
			o["type"], o["id"] = kind, "indicator--"+id
		case "relationship":
			o["relationship_type"], o["source_ref"], o["target_ref"] = "indicates", "indicator--"+id, "attack-pattern--00000000-0000-4000-8000-00000000000"+word("1", "2")
			o["type"], o["id"] = kind, "relationship--"+id
		case "attack-pattern":
			o["name"], o["type"], o["id"] = word("Phishing", "Drive-by"), kind, "attack-pattern--"+id
		}
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return list
}

// directly takes a request into a library at once, without a journal.
func directly(t *rapid.T, l *library.Library, f *fact.Feed, now time.Time, objects []json.RawMessage) {
	imp, err := l.Begin(context.Background(), f, "upload", fact.Update, now)
	if err == nil {
		err = parse.Read(context.Background(), array(objects), f, fact.Part{Format: fact.FormatSTIX}, schema.FromTime(now), imp)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := imp.Commit(nil); err != nil && !strings.Contains(err.Error(), "could be used") {
		t.Fatal(err)
	}
}

// content is what of a library counts.
func content(t *rapid.T, l *library.Library) string {
	var out bytes.Buffer
	_, err := l.Each(context.Background(), func(i schema.Indicator) error {
		text, err := json.Marshal(i)
		fmt.Fprintf(&out, "%s\n", text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	feeds, err := l.Feeds()
	if err != nil {
		t.Fatal(err)
	}
	for i := range feeds {
		s := &feeds[i].Standing
		fmt.Fprintf(&out, "%s: %d indicators, %d objects, %d relations\n", feeds[i].Feed, s.Indicators, s.Objects, s.Relations)
	}
	return out.String()
}

// crash is what a failpoint panics with, in place of the end of a process.
type crash struct{}

// TestFoldedAsDirect sends drawn requests, folds them in drawn parts, and ends the process
// at drawn steps: the sender repeats what was not answered, and in the end the library has
// what it would have if each request had been committed as it came.
func TestFoldedAsDirect(t *testing.T) {
	folds, crashes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "uploads-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		now := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
		f := fact.DefaultFeed()
		f.Name, f.Transport, f.Format = "upload-acme", fact.TransportUpload, fact.FormatSTIX
		direct, folded := library.Open(filepath.Join(dir, "direct"), library.DefaultConfig()), library.Open(filepath.Join(dir, "folded"), library.DefaultConfig())
		var s *Service
		var q *upload.Queue
		var ops []string
		left := 0 // steps to the next crash; none where it is not positive
		start := func() {
			cfg := DefaultConfig()
			cfg.Feeds, cfg.UploadDir = []fact.Feed{f}, filepath.Join(dir, "uploads")
			ports := diskPorts(t, folded, library.Open(filepath.Join(dir, "trial"), library.DefaultConfig()), &published{})
			ports.Now = func() time.Time { return now }
			ports.Failpoint = func(string) {
				if left--; left == 0 {
					panic(crash{})
				}
			}
			if s, err = New(cfg, ports, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			q = s.journal.Queue(f.Name)
		}
		// try does something, and again after each crash.
		try := func(do func() error) {
			left = rapid.IntRange(0, 12).Draw(t, "crash")
			for again := true; again; {
				again = false
				func() {
					defer func() {
						switch p := recover(); p.(type) {
						case nil:
						case crash:
							again = true
							ops = append(ops, "crash")
							crashes++
							left = 0
							start()
						default:
							panic(p)
						}
					}()
					if err := do(); err != nil {
						t.Fatal(err)
					}
				}()
			}
			left = 0
		}
		start()
		send := func() {
			objects := drawnRequest(t)
			ops = append(ops, fmt.Sprintf("send %s", objects))
			directly(t, direct, &f, now, objects)
			try(func() error {
				useful, _, err := s.Check(context.Background(), f, objects)
				r := &upload.Record{Time: schema.FromTime(now), Feed: f}
				for n, o := range objects {
					if err == nil && useful[n] {
						r.Objects = append(r.Objects, o)
					}
				}
				if err == nil && len(r.Objects) > 0 {
					_, err = q.Append(r)
				}
				return err
			})
		}
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			switch rapid.IntRange(0, 6).Draw(t, "turn") {
			case 0:
				ops = append(ops, "restart")
				start()
			case 1, 2:
				folds++
				limit := rapid.IntRange(0, 3).Draw(t, "limit")
				ops = append(ops, fmt.Sprint("fold ", limit))
				try(func() error {
					_, _, err := (&folder{s: s, q: q, limit: limit}).front(context.Background())
					return err
				})
			default:
				send()
			}
		}
		for n := 0; len(s.Waiting()) > 0; n++ {
			if _, _, err := (&folder{s: s, q: q}).front(context.Background()); err != nil || n > 100 {
				t.Fatal(n, err)
			}
		}
		if got, want := content(t, folded), content(t, direct); got != want {
			t.Fatalf("%s\nfolded:\n%s\ndirectly:\n%s", strings.Join(ops, "\n"), got, want)
		}
	})
	if folds == 0 || crashes == 0 {
		t.Errorf("%d folds, %d crashes", folds, crashes)
	}
}
