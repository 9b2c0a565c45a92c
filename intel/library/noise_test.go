package library

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// TestNoise: a pull of which nearly nothing is a value of any kind is no feed, unless its
// settings say so; what feeds say and is not taken never makes it one.
func TestNoise(t *testing.T) {
	for name, c := range map[string]struct {
		good, noise, known int
		transport          fact.Transport
		most               uint8
		fails              bool
	}{
		"a program":                {21, 2000, 0, fact.TransportFile, 90, true},
		"nine in ten":              {10, 90, 0, fact.TransportFile, 90, false},
		"more than nine in ten":    {10, 91, 0, fact.TransportFile, 90, true},
		"few":                      {1, 20, 0, fact.TransportFile, 90, false},
		"few more":                 {1, 21, 0, fact.TransportFile, 90, true},
		"attributes for people":    {1, 2, 5000, fact.TransportHTTP, 90, false},
		"any may be":               {1, 5000, 0, fact.TransportFile, 100, false},
		"any may be, too":          {1, 5000, 0, fact.TransportHTTP, 0, false},
		"half":                     {49, 51, 0, fact.TransportFile, 50, true},
		"an error page":            {1, 2, 0, fact.TransportHTTP, 90, true},
		"a list with a heading":    {1, 1, 0, fact.TransportHTTP, 90, false},
		"a page of somebody here":  {1, 2, 0, fact.TransportFile, 90, false},
		"a longer list over HTTP":  {10, 15, 0, fact.TransportHTTP, 90, false},
		"a short one, mostly told": {2, 3, 0, fact.TransportHTTP, 90, true},
	} {
		t.Run(name, func(t *testing.T) {
			l, feed := Open(t.TempDir(), small()), feedOf("acme")
			pull(t, l, feed, fact.Replace, day(0), domain("old.example"))
			feed.Transport, feed.MaxRefused = c.transport, c.most
			feed.MaxShrink = 0
			var facts []any
			for n := range c.good {
				facts = append(facts, domain(fmt.Sprintf("d%d.example", n)))
			}
			for range c.noise {
				facts = append(facts, fact.Refusal{Line: 1, Value: "lorem", Reason: "nothing", Noise: true})
			}
			for range c.known {
				facts = append(facts, fact.Refusal{Line: 1, Value: "x", Reason: "not marked for detection"})
			}
			rep, err := tryPull(l, feed, fact.Replace, day(1), facts...)
			if c.fails != (err != nil) || rep.Noise != c.noise {
				t.Fatalf("%+v: %v", rep.Noise, err)
			}
			if err != nil && !(strings.Contains(err.Error(), "max_refused") && strings.Contains(err.Error(), `"lorem"`)) {
				t.Errorf("%v", err)
			}
			if got := values(t, l); c.fails != (got == "acme/old.example") {
				t.Errorf("it has %.100s", got)
			}
		})
	}
}

// TestEndedLongAgo: what a feed says although it has ended is known as long as the feed
// says it, and for as long as other things that ended.
func TestEndedLongAgo(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	old := valid("old.example", 0, 1)
	step := func(n int, why string, facts ...any) {
		t.Helper()
		rep := pull(t, l, feed, fact.Replace, day(n), facts...)
		list, err := l.Check(t.Context(), schema.Observable{Type: old.Type, Value: old.Value})
		if err != nil || (why != "") != (len(list) == 1) || why != "" && !strings.Contains(list[0].Aside, why) {
			t.Errorf("day %d: %+v, %v", n, list, err)
		}
		if len(facts) == 2 && (rep.Became[AsideExpired] != 1 || rep.Became[BecameCounting] != 1) {
			t.Errorf("day %d: %v", n, rep.Became)
		}
	}
	step(500, "ended 2026-01-02", old, domain("bad.example"))
	step(900, "ended 2026-01-02", old, domain("bad.example"))
	step(901, "no longer in its feed", domain("bad.example"))
	step(950, "", domain("bad.example"))
}
