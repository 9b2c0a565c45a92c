package library

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// TestShrink: a feed that suddenly lacks most of what it had is not believed at once,
// nor is it never.
func TestShrink(t *testing.T) {
	some := func(n int) (list []any) {
		for k := range n {
			list = append(list, domain(fmt.Sprintf("v%d.bad.example", k)))
		}
		return list
	}
	feed := feedOf("acme")
	feed.Transport, feed.URL = fact.TransportHTTP, "https://feeds.example/a.txt"
	hour := func(n int) time.Time { return day(0).Add(time.Duration(n) * time.Hour) }
	type step struct {
		hour, size int // size -1: not modified
		taken      bool
	}
	for name, c := range map[string]struct {
		set   func(*fact.Feed)
		steps []step
	}{
		"believed after a day":      {nil, []step{{0, 1000, true}, {1, 99, false}, {2, 99, false}, {24, 90, false}, {25, 80, true}, {26, 80, true}}},
		"as much as it may":         {nil, []step{{0, 1000, true}, {1, 100, true}}},
		"the day begins anew":       {nil, []step{{0, 1000, true}, {1, 99, false}, {2, 1000, true}, {26, 99, false}, {49, 99, false}, {50, 99, true}}},
		"as it was in between":      {nil, []step{{0, 1000, true}, {1, 99, false}, {2, -1, true}, {26, 99, false}}},
		"the clock was set back":    {nil, []step{{100, 1000, true}, {200, 99, false}, {101, 99, false}, {125, 99, true}}},
		"empty":                     {nil, []step{{0, 1000, true}, {1, 0, false}}},
		"small feeds":               {nil, []step{{0, 99, true}, {1, 1, true}}},
		"off":                       {func(f *fact.Feed) { f.MaxShrink = 0 }, []step{{0, 1000, true}, {1, 1, true}}},
		"all of it":                 {func(f *fact.Feed) { f.MaxShrink = 100 }, []step{{0, 1000, true}, {1, 0, true}}},
		"half":                      {func(f *fact.Feed) { f.MaxShrink = 50 }, []step{{0, 1000, true}, {1, 499, false}, {2, 500, true}}},
		"a file is somebody's here": {func(f *fact.Feed) { f.Transport = fact.TransportFile }, []step{{0, 1000, true}, {1, 1, true}}},
	} {
		f := *feed
		if c.set != nil {
			c.set(&f)
		}
		l := Open(t.TempDir(), DefaultConfig())
		have := 0
		for _, s := range c.steps {
			if s.size < 0 {
				if err := l.NotModified(context.Background(), &f, hour(s.hour), nil); err != nil {
					t.Fatal(err)
				}
				continue
			}
			_, err := tryPull(l, &f, fact.Replace, hour(s.hour), some(s.size)...)
			if (err == nil) != s.taken || err != nil && !strings.Contains(err.Error(), "max_shrink") {
				t.Errorf("%s, hour %d: %v, want it taken: %v", name, s.hour, err, s.taken)
			}
			if s.taken {
				have = s.size
			}
			if list, _ := all(t, l); len(list) != have {
				t.Errorf("%s, hour %d: %d indicators, want %d", name, s.hour, len(list), have)
			}
		}
	}
}

// TestShrinkByChoice: what the settings leave out, or time, is not the server's doing;
// an update that takes back says so for each.
func TestShrinkByChoice(t *testing.T) {
	feed := feedOf("acme")
	feed.Transport, feed.URL = fact.TransportTAXII, "https://feeds.example/"
	l := Open(t.TempDir(), DefaultConfig())
	var list, back []any
	for k := range 200 {
		id := fmt.Sprint("i", k)
		s := versioned(fmt.Sprintf("v%d.bad.example", k), id, 10)
		if k > 0 {
			s.ValidUntil = millis(3)
		}
		list, back = append(list, s), append(back, revocation(id, 20))
	}
	pull(t, l, feed, fact.Replace, day(0), list...)
	if rep := pull(t, l, feed, fact.Replace, day(9), list...); rep.Expired != 199 {
		t.Errorf("%+v", rep)
	}
	l = Open(t.TempDir(), DefaultConfig())
	pull(t, l, feed, fact.Replace, day(0), list...)
	pull(t, l, feed, fact.Update, day(1), back...)
	l = Open(t.TempDir(), DefaultConfig())
	pull(t, l, feed, fact.Replace, day(0), list...)
	other := *feed
	other.Types = []string{"ip"}
	pull(t, l, &other, fact.Replace, day(1), list...)
}
