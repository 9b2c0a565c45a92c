package retro

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// added and dropped make changes of the library.
func added(i schema.Indicator) schema.IndicatorChange {
	return schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: i}
}

func dropped(i schema.Indicator) schema.IndicatorChange {
	return schema.IndicatorChange{Op: schema.IndicatorRemove, Indicator: i}
}

func with(i schema.Indicator, change func(*schema.Indicator)) schema.Indicator {
	change(&i)
	return i
}

// matchedAlert is an alert that names an address, with the match that hop 1 made of an
// indicator.
func matchedAlert(i schema.Indicator, entities ...schema.Entity) schema.Alert {
	a := schema.Alert{ID: schema.NewAlertID("acme", "s", "1"), Tenant: "acme", Source: "s", Created: noon, Severity: schema.SeverityLow, Entities: entities}
	a.Matches = []schema.Match{{Type: i.Type, Value: i.Value, Indicator: i.ID, Feed: i.Feed, Verdict: i.Verdict, Severity: schema.SeverityHigh, Confidence: 77, Snapshot: 5}}
	return a
}

// TestTakenBack: what becomes of a match that counted, by what is known now and by what
// has changed.
func TestTakenBack(t *testing.T) {
	address := schema.Entity{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.7"}
	was := schema.Indicator{ID: "i", Feed: "f", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictMalicious, Confidence: 90, Rank: 50}
	allow := schema.Indicator{ID: "a", Feed: "analyst", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictBenign, Wish: schema.WishAllow, Confidence: 100, Rank: match.RankAnalyst}
	list := schema.Indicator{ID: "l", Feed: "lists", Type: schema.ObservableCIDR, Value: "203.0.113.0/24", Listed: true, Labels: []string{"Scanners"}, Confidence: 100}
	good := schema.Indicator{ID: "g", Feed: "good", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictBenign, Confidence: 100, Rank: 60}
	ended := func(i *schema.Indicator) { i.ValidUntil = noon - schema.Hour }
	revoked := func(i *schema.Indicator) { i.Verdict = schema.VerdictBenign }
	for name, tc := range map[string]struct {
		now     []schema.Indicator // in the index
		changes []schema.IndicatorChange
		why, by string // empty: it stands
	}{
		"an analyst allows it":                      {[]schema.Indicator{was, allow}, []schema.IndicatorChange{added(allow)}, "allowed by feed analyst", "analyst"},
		"allowed, and its feed has dropped it":      {[]schema.Indicator{allow}, []schema.IndicatorChange{added(allow)}, "allowed by feed analyst", "analyst"},
		"allowed for another tenant":                {[]schema.Indicator{was, with(allow, func(i *schema.Indicator) { i.Tenant = "globex" })}, []schema.IndicatorChange{added(with(allow, func(i *schema.Indicator) { i.Tenant = "globex" }))}, "", ""},
		"allowed until before the alert":            {[]schema.Indicator{was, with(allow, ended)}, []schema.IndicatorChange{added(with(allow, ended))}, "", ""},
		"on a benign list":                          {[]schema.Indicator{was, list}, []schema.IndicatorChange{added(list)}, `on the benign list "Scanners"`, "lists"},
		"outranked":                                 {[]schema.Indicator{was, good}, []schema.IndicatorChange{added(good)}, "outranked by feed good, which says benign", "good"},
		"not outranked":                             {[]schema.Indicator{was, with(good, func(i *schema.Indicator) { i.Rank = 50 })}, []schema.IndicatorChange{added(with(good, func(i *schema.Indicator) { i.Rank = 50 }))}, "", ""},
		"a feed does not outrank what is gone":      {[]schema.Indicator{good}, []schema.IndicatorChange{added(good)}, "", ""},
		"an analyst outranks what is gone":          {[]schema.Indicator{with(good, func(i *schema.Indicator) { i.Rank = match.RankAnalyst })}, []schema.IndicatorChange{added(with(good, func(i *schema.Indicator) { i.Rank = match.RankAnalyst }))}, "outranked by feed good, which says benign", "good"},
		"its feed says benign by now":               {[]schema.Indicator{with(was, revoked)}, []schema.IndicatorChange{added(with(was, revoked))}, "feed f: says benign, and nothing says otherwise", "f"},
		"its feed gave it a lower rank":             {[]schema.Indicator{with(was, func(i *schema.Indicator) { i.Rank = 10 }), good}, []schema.IndicatorChange{added(with(was, func(i *schema.Indicator) { i.Rank = 10 }))}, "outranked by feed good, which says benign", "good"},
		"its feed has dropped it":                   {nil, []schema.IndicatorChange{dropped(was)}, "", ""},
		"its feed ended it":                         {[]schema.Indicator{with(was, ended)}, []schema.IndicatorChange{added(with(was, ended))}, "", ""},
		"it has faded":                              {[]schema.Indicator{with(was, func(i *schema.Indicator) { i.Fresh = noon - 1000*schema.Day })}, []schema.IndicatorChange{added(with(was, func(i *schema.Indicator) { i.Fresh = noon - 1000*schema.Day }))}, "", ""},
		"revoked":                                   {nil, []schema.IndicatorChange{dropped(with(was, func(i *schema.Indicator) { i.ID = "taken back" }))}, "revoked by its feed", "f"},
		"revoked, and another of its feed counts":   {[]schema.Indicator{was}, []schema.IndicatorChange{dropped(with(was, func(i *schema.Indicator) { i.ID = "taken back" }))}, "revoked by its feed", "f"},
		"revoked, and back in the index since":      {[]schema.Indicator{with(was, func(i *schema.Indicator) { i.ID = "taken back" })}, []schema.IndicatorChange{dropped(with(was, func(i *schema.Indicator) { i.ID = "taken back" }))}, "", ""},
		"something that has nothing to do with it":  {[]schema.Indicator{was, with(list, func(i *schema.Indicator) { i.Value = "198.51.100.0/24" })}, []schema.IndicatorChange{added(with(list, func(i *schema.Indicator) { i.Value = "198.51.100.0/24" }))}, "", ""},
		"allowed before, and now asked about again": {[]schema.Indicator{was, allow}, []schema.IndicatorChange{added(was)}, "allowed by feed analyst", "analyst"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSeen(t, testConfig(t.TempDir()))
			defer s.Close()
			h := was
			if c := tc.changes[0]; c.Indicator.ID == "taken back" {
				h = c.Indicator
			}
			m := &memory{alerts: []schema.Alert{matchedAlert(h, address)}}
			if err := s.See(m.alerts); err != nil {
				t.Fatal(err)
			}
			f := finder(t, s.cfg, s, m, index(t, tc.now), "acme")
			f.revoked = func(_ context.Context, _ schema.ObservableType, _, feed, id string) (string, string, error) {
				if id == "taken back" {
					return "revoked by its feed", feed, nil
				}
				return "", "", nil
			}
			p, err := f.Match(t.Context(), tc.changes, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			told := slices.DeleteFunc(m.told, func(k schema.RetroMatch) bool { return k.Kind == schema.RetroFound })
			if tc.why == "" {
				if len(told) != 0 || p.Withdrawn != 0 {
					t.Fatalf("%+v", told)
				}
				return
			}
			if len(told) != 1 || p.Withdrawn != 1 {
				t.Fatalf("told %+v, %+v", told, p)
			}
			want := schema.RetroMatch{Tenant: "acme", Alert: m.alerts[0].ID, Source: "s", Created: noon, Incident: schema.NewIncidentID("acme", m.alerts[0].ID), On: address.Ref(),
				Match: m.alerts[0].Matches[0], Made: noon, Kind: schema.RetroWithdrawn, By: tc.by}
			want.Match.Demoted, want.Match.Snapshot = tc.why, f.index().ID()
			if got := told[0]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			m.told, m.stored = told, 1
			if _, err := f.Match(t.Context(), tc.changes, 0, nil); err != nil || len(m.told) != 1 {
				t.Errorf("told again: %+v, %v", m.told, err)
			}
		})
	}
}

// TestPutBack: a match that was taken back counts again when what took it back is gone,
// and one that was demoted when the alert came does not.
func TestPutBack(t *testing.T) {
	address := schema.Entity{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.7"}
	was := schema.Indicator{ID: "i", Feed: "f", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictMalicious, Confidence: 90}
	allow := schema.Indicator{ID: "a", Feed: "analyst", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictBenign, Wish: schema.WishAllow, Confidence: 100, Rank: match.RankAnalyst}
	step := func(t *testing.T, s *Seen, m *memory, now []schema.Indicator, c schema.IndicatorChange) []schema.RetroMatch {
		t.Helper()
		before := len(m.told)
		f := finder(t, s.cfg, s, m, index(t, now), "acme")
		f.revoked = func(context.Context, schema.ObservableType, string, string, string) (string, string, error) {
			return "revoked by ann", "analyst", nil
		}
		if _, err := f.Match(t.Context(), []schema.IndicatorChange{c}, 0, nil); err != nil {
			t.Fatal(err)
		}
		m.stored = len(m.told)
		for i := range m.told[before:] { // the clock of the test stands
			m.told[before+i].Made += schema.Millis(before)
		}
		return m.told[before:]
	}
	for name, take := range map[string]struct {
		during         []schema.Indicator
		taken, putBack schema.IndicatorChange
	}{
		"allowed":             {[]schema.Indicator{was, allow}, added(allow), dropped(allow)},
		"revoked":             {nil, dropped(was), added(was)},
		"called benign":       {[]schema.Indicator{with(was, func(i *schema.Indicator) { i.Verdict = schema.VerdictBenign })}, added(with(was, func(i *schema.Indicator) { i.Verdict = schema.VerdictBenign })), added(was)},
		"of a list since":     {[]schema.Indicator{was, with(allow, func(i *schema.Indicator) { i.Listed, i.Wish, i.Rank = true, schema.WishNone, 50 })}, added(with(allow, func(i *schema.Indicator) { i.Listed, i.Wish, i.Rank = true, schema.WishNone, 50 })), dropped(with(allow, func(i *schema.Indicator) { i.Listed, i.Wish, i.Rank = true, schema.WishNone, 50 }))},
		"allowed for a while": {[]schema.Indicator{was, with(allow, func(i *schema.Indicator) { i.ValidUntil = noon + schema.Day })}, added(allow), dropped(allow)},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSeen(t, testConfig(t.TempDir()))
			defer s.Close()
			m := &memory{alerts: []schema.Alert{matchedAlert(was, address)}}
			if err := s.See(m.alerts); err != nil {
				t.Fatal(err)
			}
			if told := step(t, s, m, take.during, take.taken); len(told) != 1 || told[0].Kind != schema.RetroWithdrawn {
				t.Fatalf("taken back: %+v", told)
			}
			// Its end in time, and that its feed drops it, put nothing back.
			if told := step(t, s, m, nil, dropped(with(allow, func(i *schema.Indicator) { i.ValidUntil = noon }))); len(told) != 0 {
				t.Fatalf("put back by an end: %+v", told)
			}
			told := step(t, s, m, []schema.Indicator{was}, take.putBack)
			if len(told) != 1 || told[0].Kind != schema.RetroReinstated || !told[0].Match.Counts() || told[0].Match.Retro || told[0].Match.Severity != schema.SeverityHigh {
				t.Fatalf("put back: %+v", told)
			}
			if told := step(t, s, m, []schema.Indicator{was}, take.putBack); len(told) != 0 {
				t.Fatalf("put back twice: %+v", told)
			}
			if told := step(t, s, m, take.during, take.taken); len(told) != 1 || told[0].Kind != schema.RetroWithdrawn {
				t.Fatalf("taken back again: %+v", told)
			}
		})
	}
	t.Run("demoted when it came", func(t *testing.T) {
		s := openSeen(t, testConfig(t.TempDir()))
		defer s.Close()
		a := matchedAlert(was, address)
		a.Matches[0].Demoted = "allowed by feed analyst"
		m := &memory{alerts: []schema.Alert{a}}
		if err := s.See(m.alerts); err != nil {
			t.Fatal(err)
		}
		if told := step(t, s, m, []schema.Indicator{was}, dropped(allow)); len(told) != 0 {
			t.Errorf("what was said at the time stands: %+v", told)
		}
		told := step(t, s, m, []schema.Indicator{with(was, func(i *schema.Indicator) { i.Rank = match.RankAnalyst })}, added(was))
		if len(told) != 1 || told[0].Kind != schema.RetroReinstated {
			t.Errorf("an analyst's own word: %+v", told)
		}
	})
}

// TestOneOfTwoPorts: a match of an address that the alert names with two ports stands as
// long as it stands with one of them.
func TestOneOfTwoPorts(t *testing.T) {
	s := openSeen(t, testConfig(t.TempDir()))
	defer s.Close()
	was := schema.Indicator{ID: "i", Feed: "f", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictMalicious, Confidence: 90}
	list := schema.Indicator{ID: "l", Feed: "lists", Type: schema.ObservableSocket, Value: "203.0.113.7:443", Listed: true, Confidence: 100}
	m := &memory{alerts: []schema.Alert{matchedAlert(was, schema.Entity{Type: schema.EntityIP, Key: "203.0.113.7", Port: 443}, schema.Entity{Type: schema.EntityIP, Key: "203.0.113.7", Port: 80})}}
	if err := s.See(m.alerts); err != nil {
		t.Fatal(err)
	}
	f := finder(t, s.cfg, s, m, index(t, []schema.Indicator{was, list}), "acme")
	if _, err := f.Match(t.Context(), []schema.IndicatorChange{added(list)}, 0, nil); err != nil || len(m.told) != 0 {
		t.Errorf("%+v, %v", m.told, err)
	}
}

// TestWrongListTakenBack: what takes matches back asks for those that have some, however
// many name the value, and gives none of them up.
func TestWrongListTakenBack(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.Rows, cfg.Most = 10, 50
	s := openSeen(t, cfg)
	defer s.Close()
	was := schema.Indicator{ID: "i", Feed: "f", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictMalicious, Confidence: 90}
	allow := schema.Indicator{ID: "a", Feed: "analyst", Type: schema.ObservableIP, Value: "203.0.113.7", Wish: schema.WishAllow, Confidence: 100, Rank: match.RankAnalyst}
	m := &memory{}
	for n := range 300 {
		a := matchedAlert(was, schema.Entity{Type: schema.EntityIP, Key: "203.0.113.7"})
		a.ID, a.Created = schema.NewAlertID("acme", "s", fmt.Sprint(n)), noon-schema.Millis(n)*schema.Minute
		if n%3 != 0 {
			a.Matches = nil // before the indicator came
		}
		m.alerts = append(m.alerts, a)
	}
	if err := s.See(m.alerts); err != nil {
		t.Fatal(err)
	}
	f := finder(t, cfg, s, m, index(t, []schema.Indicator{was, allow}), "acme")
	p, err := f.Match(t.Context(), []schema.IndicatorChange{added(allow)}, 0, nil)
	if err != nil || p.Withdrawn != 100 || len(m.told) != 100 || p.Cut != 0 || p.Rows >= 300 {
		t.Errorf("%+v, %v", p, err)
	}
	f.revoked = func(context.Context, schema.ObservableType, string, string, string) (string, string, error) {
		return "", "", errors.New("the library is away")
	}
	f.index = func() *match.Index { return index(t, nil) }
	if _, err := f.Match(t.Context(), []schema.IndicatorChange{dropped(was)}, 0, nil); err == nil {
		t.Error("a library that cannot be asked says nothing against an indicator")
	}
}
