package retro

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestThereAndBack draws alerts that were matched live with one library, makes another of
// it, and then the first again. After each step every match is worth what the match stage
// says of it by the library of then; whoever has dropped an indicator counts as still
// saying it, and what was demoted live stays so unless its own indicator has changed.
func TestThereAndBack(t *testing.T) {
	taken, back := 0, 0
	cfg := testConfig(t.TempDir())
	s := openSeen(t, cfg) // what it remembers of other draws makes questions in vain, no more
	defer func() { _ = s.Close() }()
	rapid.Check(t, func(rt *rapid.T) {
		cfg.Rows = rapid.SampledFrom([]int{10, 1000}).Draw(rt, "rows")
		draw := func(i schema.Indicator) schema.Indicator {
			i.Tenant = rapid.SampledFrom([]string{"", "", "acme"}).Draw(rt, "owner")
			i.Listed = rapid.IntRange(0, 5).Draw(rt, "listed") == 0
			i.Verdict = rapid.SampledFrom([]schema.Verdict{schema.VerdictMalicious, schema.VerdictMalicious, schema.VerdictSuspicious, schema.VerdictBenign}).Draw(rt, "verdict")
			i.Wish = rapid.SampledFrom([]schema.Wish{schema.WishNone, schema.WishNone, schema.WishNone, schema.WishAllow}).Draw(rt, "wish")
			i.Rank = rapid.SampledFrom([]uint8{10, 90, match.RankAnalyst}).Draw(rt, "rank")
			return i
		}
		first, second := map[identity]schema.Indicator{}, map[identity]schema.Indicator{}
		var pool []schema.Indicator
		for _, i := range indicatorPool() { // of some values two feeds speak
			pool = append(pool, i)
			i.Feed = "other"
			pool = append(pool, i)
		}
		for _, i := range pool {
			switch rapid.IntRange(0, 9).Draw(rt, "where") {
			case 0, 1, 2:
				i = draw(i)
				first[identityOf(&i)], second[identityOf(&i)] = i, i
			case 3:
				first[identityOf(&i)] = draw(i)
			case 4:
				second[identityOf(&i)] = draw(i)
			case 5:
				first[identityOf(&i)] = draw(i)
				i = draw(i)
				i.Tenant = first[identityOf(&i)].Tenant // as an override leaves it
				second[identityOf(&i)] = i
			}
		}
		m := &memory{}
		x := index(rt, slices.Collect(maps.Values(first)))
		r := match.NewReader()
		for n := range rapid.IntRange(1, 12).Draw(rt, "alerts") {
			a := schema.Alert{ID: schema.NewAlertID("t", "s", fmt.Sprint(n)), Tenant: rapid.SampledFrom([]string{"acme", "globex"}).Draw(rt, "tenant"), Source: "ids",
				Created: noon - schema.Millis(n)*schema.Hour}
			for range rapid.IntRange(1, 4).Draw(rt, "entities") {
				a.Entities = append(a.Entities, rapid.SampledFrom(entityPool()).Draw(rt, "entity"))
			}
			for k := range a.Entities {
				var found []schema.Indicator
				o, _ := r.FindEntity(x, &a.Entities[k], func(i *schema.Indicator) { found = append(found, *i) })
				for _, ruling := range match.Judge(match.DefaultConfig().Decay, match.SubjectOf(&a, false), o, found, nil) {
					if ruling.Outcome != match.Ignored {
						a.Matches = append(a.Matches, ruling.Match(uint16(k), x.ID()))
					}
				}
			}
			slices.SortStableFunc(a.Matches, func(p, q schema.Match) int { // the store keeps the last of those it cannot tell apart
				return map[bool]int{false: 0, true: 1}[p.Counts()] - map[bool]int{false: 0, true: 1}[q.Counts()]
			})
			m.alerts = append(m.alerts, a)
		}
		if err := s.See(m.alerts); err != nil {
			rt.Fatal(err)
		}
		step := func(from, to map[identity]schema.Indicator) Progress {
			var changes []schema.IndicatorChange
			for id, i := range to {
				if old, ok := from[id]; !ok || fmt.Sprint(old) != fmt.Sprint(i) {
					changes = append(changes, added(i))
				}
			}
			for id, i := range from {
				if _, ok := to[id]; !ok {
					changes = append(changes, dropped(i))
				}
			}
			x := index(rt, slices.Collect(maps.Values(to)))
			f := finder(rt, cfg, s, m, x, "acme", "globex")
			f.cfg.QueriesPerSecond = 1e9 // the clock of the test stands, waiting does not
			before := len(m.told)
			p, err := f.Match(t.Context(), changes, 0, nil)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range m.told[before:] {
				m.told[before+i].Made += schema.Millis(before)
			}
			m.stored = len(m.told)
			if _, err := f.Match(t.Context(), changes, 0, nil); err != nil || len(m.told) != m.stored {
				rt.Fatalf("told again: %+v, %v", m.told[m.stored:], err)
			}
			return p
		}
		counting := func() map[string]bool {
			all := map[string]bool{}
			for k := range m.alerts {
				for _, h := range m.matched(&m.alerts[k]) {
					if h.Match.Counts() && h.Match.Demoted != "" || h.Withdrawn && h.Match.Demoted == "" {
						rt.Fatalf("%+v", h)
					}
					if !h.Match.Retro {
						all[fmt.Sprintf("%s %s %v", m.alerts[k].ID, h.On, h.identity())] = h.Match.Counts()
					}
				}
			}
			return all
		}
		live := counting()
		p := step(first, second)
		taken += p.Withdrawn
		x = index(rt, slices.Collect(maps.Values(second)))
		for k := range m.alerts {
			a := &m.alerts[k]
			for _, h := range m.matched(a) {
				key := fmt.Sprintf("%s %s %v", a.ID, h.On, h.identity())
				old, was := first[h.identity()]
				now, is := second[h.identity()]
				if h.Match.Retro || is && fmt.Sprint(old) == fmt.Sprint(now) && !live[key] {
					continue // what was demoted live stays so
				}
				if want, known := worthOf(rt, x, a, &h, was && !is); known && want != h.Match.Counts() && (live[key] || is) {
					rt.Fatalf("%s counts %t, want %t: %+v", key, h.Match.Counts(), want, h)
				}
			}
		}
		p = step(second, first)
		back += p.Reinstated
		for key, now := range counting() {
			if was, ok := live[key]; ok && was != now {
				rt.Fatalf("%s counted %t, and there and back %t", key, was, now)
			}
		}
	})
	if taken == 0 || back == 0 { // 1.4 of each a draw
		t.Errorf("only %d matches were taken back and %d put back: the pools do not meet", taken, back)
	}
	t.Logf("%d taken back, %d put back", taken, back)
}

// worthOf judges a match anew: whether it counts for any of the entities that it may be of.
// Where its feed has dropped the indicator, it is put back as strong as a feed's can be.
func worthOf(t rapid.TB, x *match.Index, a *schema.Alert, h *Matched, lost bool) (counts, known bool) {
	r := match.NewReader()
	for k := range a.Entities {
		if a.Entities[k].Ref() != h.On {
			continue
		}
		var found []schema.Indicator
		o, _ := r.FindEntity(x, &a.Entities[k], func(i *schema.Indicator) { found = append(found, *i) })
		if lost {
			found = append(found, schema.Indicator{ID: h.Match.Indicator, Feed: h.Match.Feed, Type: h.Match.Type, Value: h.Match.Value, Verdict: h.Match.Verdict,
				Wish: h.Match.Wish, Confidence: 100, Rank: match.RankAnalyst - 1})
		}
		for _, ruling := range match.Judge(match.DefaultConfig().Decay, match.SubjectOf(a, true), o, found, nil) {
			if identityOf(ruling.Indicator) == h.identity() {
				counts, known = counts || ruling.Outcome == match.Counts, true
			}
		}
	}
	return counts, known
}
