package service

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/schema"
)

// TestDamagedFeed: a feed whose files are damaged is told of in status and metrics, and
// the next pull gets all of it although its source has not changed, whatever it is.
func TestDamagedFeed(t *testing.T) {
	for _, transport := range []fact.Transport{fact.TransportHTTP, fact.TransportTAXII, fact.TransportMISP} {
		for _, file := range []string{"00000001.facts", "00000001.current", "feed.json"} {
			t.Run(string(transport)+" "+file, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, httpFeed("a", func(f *fact.Feed) {
						if f.Transport = transport; transport == fact.TransportTAXII {
							f.Collection = "c"
						}
					}))
					dir := t.TempDir()
					l := library.Open(dir, library.DefaultConfig())
					w.ports.Library, w.ports.Parse = Folder{l}, parse.Read
					w.scripts["a"] = func(_ context.Context, n int) pullScript {
						mode := fact.Update
						if transport == fact.TransportHTTP {
							mode = fact.Replace
						}
						if w.states["a"][n-1] != "" {
							return pullScript{res: fetch.Result{Mode: mode, NotModified: true}}
						}
						return pullScript{text: "a.bad.example\nb.bad.example\n", res: fetch.Result{Mode: mode, Full: true}}
					}
					w.run(w.service(), 90*time.Minute)
					path := filepath.Join(dir, "feeds", "a", file)
					text, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					text[len(text)/2] ^= 1
					if err := os.WriteFile(path, text, 0o644); err != nil {
						t.Fatal(err)
					}
					check := func() ([]library.Known, error) {
						return l.Check(t.Context(), schema.Observable{Type: schema.ObservableDomain, Value: "a.bad.example"})
					}
					if _, err := check(); !errors.Is(err, library.ErrDamaged) {
						t.Fatal(err)
					}
					s := w.service()
					if f := w.feedStatus(s, "a"); len(f.Damaged) != 1 || !strings.Contains(f.Damaged[0], file+": ") || gathered(t, s, "interdict_intel_feed_damaged", "a") != 1 {
						t.Errorf("status %+v", f)
					}
					w.run(s, 2*time.Hour)
					if known, err := check(); err != nil || len(known) != 1 || known[0].Aside != "" {
						t.Errorf("after the next pull: %+v, %v", known, err)
					}
					if f := w.feedStatus(s, "a"); len(f.Damaged) != 0 || f.Failures != 0 || gathered(t, s, "interdict_intel_feed_damaged", "a") != 0 {
						t.Errorf("status %+v", f)
					}
					if states := w.states["a"]; states[0] != "" || states[1] == "" || states[2] != "" || states[len(states)-1] == "" {
						t.Errorf("pulled with the states %q", states)
					}
				})
			})
		}
	}
}
