package retro

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// entityPool and indicatorPool meet in every way that match knows.
func entityPool() []schema.Entity {
	e := func(t schema.EntityType, role schema.Role, key string, port uint16) schema.Entity {
		return schema.Entity{Type: t, Role: role, Key: key, Port: port}
	}
	const hash = "d41d8cd98f00b204e9800998ecf8427e"
	return []schema.Entity{
		e(schema.EntityIP, schema.RoleC2, "203.0.113.7", 443), e(schema.EntityIP, schema.RoleC2, "203.0.113.7", 0), e(schema.EntityIP, schema.RoleSource, "198.51.100.9", 8080),
		e(schema.EntityIP, schema.RoleC2, "2001:db8:0:1::7", 443), e(schema.EntityIP, schema.RoleC2, "2001:db8:1:2::7", 0),
		e(schema.EntityDomain, schema.RoleC2, "a.b.bad.example", 0), e(schema.EntityDomain, schema.RoleC2, "bad.example", 0), e(schema.EntityDomain, schema.RoleC2, "good.example", 0),
		e(schema.EntityURL, schema.RoleRelated, "http://www.bad.example/a/b/c.exe?x=1", 0), e(schema.EntityURL, schema.RoleRelated, "https://good.example/a/b/", 0),
		e(schema.EntityURL, schema.RoleRelated, "http://203.0.113.7/x", 0), e(schema.EntityURL, schema.RoleRelated, "https://[2001:db8:0:1::7]:8443/long/path.bin", 0),
		e(schema.EntityURL, schema.RoleRelated, "http://[::ffff:203.0.113.8]/x", 0),
		e(schema.EntityMailbox, schema.RoleSource, "evil@mail.bad.example", 0), e(schema.EntityMailbox, schema.RoleTarget, "bob@bad.example", 0),
		e(schema.EntityMailbox, schema.RoleTarget, "evil@mail.bad.example", 0), // an alert may name one in both roles
		e(schema.EntityFileHash, schema.RoleRelated, hash, 0), e(schema.EntityCertificate, schema.RoleRelated, hash, 0),
		e(schema.EntityTLSFingerprint, schema.RoleSource, "ja3:"+hash, 0), e(schema.EntityUserAgent, schema.RoleSource, "curl/8", 0), e(schema.EntityMutex, schema.RoleRelated, `Global\x`, 0),
		e(schema.EntityRegistryKey, schema.RoleRelated, `HKLM\Software\x`, 0), e(schema.EntityHost, schema.RoleTarget, "bad.example", 0),
	}
}

func indicatorPool() []schema.Indicator {
	const hash = "d41d8cd98f00b204e9800998ecf8427e"
	var list []schema.Indicator
	for t, values := range map[schema.ObservableType][]string{
		schema.ObservableIP:          {"203.0.113.7", "203.0.113.8", "2001:db8:0:1::7"},
		schema.ObservableCIDR:        {"203.0.113.0/24", "203.0.0.0/9", "203.0.113.7/32", "198.51.100.8/30", "2001:db8::/32", "2001:db8:0:1::/64", "2001::/20", "2001:db8:1::/48"},
		schema.ObservableSocket:      {"203.0.113.7:443", "203.0.113.7:80", "[2001:db8:0:1::7]:8443", "[2001:db8:0:1::7]:443"},
		schema.ObservableDomain:      {"bad.example", "b.bad.example", "good.example", "www.bad.example"},
		schema.ObservableSender:      {"bad.example", "mail.bad.example"},
		schema.ObservableURL:         {"http://www.bad.example/a/b/c.exe?x=1", "//www.bad.example/a/b/c.exe?x=1", "https://www.bad.example/a/b/c.exe?x=1", "http://203.0.113.7/x"},
		schema.ObservableURLPrefix:   {"http://www.bad.example/a/", "//good.example/a/", "//good.example/a/b/"},
		schema.ObservableURLPath:     {"/a/b/c.exe", "/a/b/c.exe?x=1", "/long/path.bin"},
		schema.ObservableEmail:       {"evil@mail.bad.example"},
		schema.ObservableHash:        {hash},
		schema.ObservableCertificate: {hash},
		schema.ObservableJA3:         {hash},
		schema.ObservableUserAgent:   {"curl/8"},
		schema.ObservableMutex:       {`Global\x`},
		schema.ObservableRegistry:    {`HKLM\Software\x`},
	} {
		for _, v := range values {
			list = append(list, schema.Indicator{Feed: "feed", Type: t, Value: v, Confidence: 80, Verdict: schema.VerdictMalicious})
		}
	}
	slices.SortFunc(list, func(a, b schema.Indicator) int {
		return strings.Compare(a.Type.String()+a.Value, b.Type.String()+b.Value)
	})
	for i := range list {
		list[i].ID = fmt.Sprintf("i-%d", i)
	}
	return list
}

// TestPoolIsIndexed keeps the tests honest: every indicator of the pool can be in an
// index, and nearly all name an entity of the pool.
func TestPoolIsIndexed(t *testing.T) {
	names := 0
	for _, i := range indicatorPool() {
		if err := match.Check(i); err != nil {
			t.Errorf("%s %s: %v", i.Type, i.Value, err)
		}
		x := index(t, []schema.Indicator{i})
		r := match.NewReader()
		for _, e := range entityPool() {
			found := false
			r.FindEntity(x, &e, func(*schema.Indicator) { found = true })
			if !found {
				continue
			}
			names++
			if !slices.Contains(keys(nil, &e), question(&i)) {
				t.Errorf("%s %s names %s, which is not remembered by it", i.Type, i.Value, e.Ref())
			}
			answered := false
			for _, a := range asks(nil, &i) {
				q := Query{Field: a.field, Values: []string{a.value}}
				answered = answered || q.Answers(&e)
			}
			if !answered {
				t.Errorf("%s %s names %s, which the store would not give", i.Type, i.Value, e.Ref())
			}
		}
	}
	if names < 45 {
		t.Errorf("only %d pairs: the pools do not meet", names)
	}
}

// TestAgainstScan draws alerts and indicators; the oracle runs the match stage over
// every alert. Nothing within the retention may be missed, and nothing may be found
// that the oracle does not find.
func TestAgainstScan(t *testing.T) {
	asked, all := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		cfg := testConfig(t.TempDir())
		cfg.Rows = rapid.SampledFrom([]int{10, 1000}).Draw(rt, "rows")
		s := openSeen(rt, cfg)
		defer func() { _ = s.Close() }()
		m := &memory{}
		pool, named := entityPool(), indicatorPool()
		for n := range rapid.IntRange(1, 60).Draw(rt, "alerts") {
			a := schema.Alert{ID: schema.NewAlertID("t", "s", fmt.Sprint(n)), Tenant: rapid.SampledFrom([]string{"acme", "globex"}).Draw(rt, "tenant"), Source: "ids",
				Created: noon - schema.Millis(rapid.SampledFrom([]int64{0, 1, int64(schema.Hour), int64(schema.Day), int64(29 * schema.Day)}).Draw(rt, "ago")-rapid.Int64Range(0, 5).Draw(rt, "less")), Severity: schema.SeverityMedium, Blocked: rapid.Bool().Draw(rt, "blocked")}
			for range rapid.IntRange(0, 4).Draw(rt, "entities") {
				a.Entities = append(a.Entities, rapid.SampledFrom(pool).Draw(rt, "entity"))
			}
			m.alerts = append(m.alerts, a)
		}
		for _, part := range slices.Collect(slices.Chunk(m.alerts, 20)) {
			if err := s.See(part); err != nil {
				rt.Fatal(err)
			}
			switch rapid.IntRange(0, 2).Draw(rt, "between") {
			case 0:
				s.cfg.Pending = 0 // a fold, from now on with each part
			case 1: // the process ends and begins again
				_ = s.Close()
				s = openSeen(rt, cfg)
			}
		}
		var list []schema.Indicator
		var changes []schema.IndicatorChange
		for _, i := range named {
			if rapid.IntRange(0, 2).Draw(rt, "has") != 0 {
				continue
			}
			i.ValidFrom = noon // after every alert
			i.Tenant = rapid.SampledFrom([]string{"", "", "acme"}).Draw(rt, "owner")
			i.Listed = rapid.IntRange(0, 9).Draw(rt, "listed") == 0
			i.Verdict = rapid.SampledFrom([]schema.Verdict{schema.VerdictMalicious, schema.VerdictSuspicious, schema.VerdictBenign}).Draw(rt, "verdict")
			i.Wish = rapid.SampledFrom([]schema.Wish{schema.WishNone, schema.WishNone, schema.WishBlock, schema.WishAllow}).Draw(rt, "wish")
			list = append(list, i)
			if rapid.IntRange(0, 3).Draw(rt, "new") != 0 { // the others were there before
				changes = append(changes, schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: i})
			}
		}
		x := index(rt, list)
		p, err := finder(rt, cfg, s, m, x, "acme", "globex").Match(t.Context(), changes, 0, nil)
		if err != nil || p.Cut != 0 {
			rt.Fatalf("%+v, %v", p, err)
		}
		var got, want []string
		for _, k := range m.told {
			if !k.Match.Retro || k.Made != noon || k.Incident.IsZero() {
				rt.Fatalf("%+v", k)
			}
			got = append(got, text(k.Alert, k.On, &k.Match))
		}
		reasons := map[string]bool{}
		r := match.NewReader()
		for i := range m.alerts {
			a := &m.alerts[i]
			for k := range a.Entities {
				var found []schema.Indicator
				o, _ := r.FindEntity(x, &a.Entities[k], func(i *schema.Indicator) { found = append(found, *i) })
				for _, ruling := range match.Judge(match.DefaultConfig().Decay, match.SubjectOf(a, true), o, found, nil) {
					isNew := slices.ContainsFunc(changes, func(c schema.IndicatorChange) bool {
						return c.Indicator.ID == ruling.Indicator.ID && bad(&c.Indicator)
					})
					if ruling.Outcome != match.Ignored && isNew {
						m := ruling.Match(0, 0)
						want = append(want, text(a.ID, a.Entities[k].Ref(), &m))
						reasons[want[len(want)-1]+m.Demoted] = true
					}
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		want = slices.Compact(want) // an entity may be named twice
		if n := len(got); n != len(slices.Compact(got)) {
			rt.Fatal("told twice")
		}
		m.stored = len(m.told)
		if !slices.Equal(got, want) {
			rt.Fatalf("found\n%s\nwant\n%s\n%+v", strings.Join(got, "\n"), strings.Join(want, "\n"), p)
		}
		for _, k := range m.told {
			if !reasons[text(k.Alert, k.On, &k.Match)+k.Match.Demoted] {
				rt.Fatalf("a reason that nobody has: %+v", k)
			}
		}
		again := len(m.told)
		if _, err := finder(rt, cfg, s, m, x, "acme", "globex").Match(t.Context(), changes, 0, nil); err != nil || len(m.told) != again {
			rt.Fatalf("a second run finds %d more, %v", len(m.told)-again, err)
		}
		asked += p.HoursAsked
		all += p.Hours * max(1, p.Asked)
	})
	t.Logf("hours asked: %d, of %d hours times indicators", asked, all)
}

// TestBothRoles: whose domain it is that something was sent to says nothing, but an
// alert may also say that something came from there.
func TestBothRoles(t *testing.T) {
	s := openSeen(t, testConfig(t.TempDir()))
	defer s.Close()
	i := schema.Indicator{ID: "i", Feed: "f", Type: schema.ObservableSender, Value: "bad.example", Verdict: schema.VerdictMalicious, Confidence: 90}
	for _, roles := range [][]schema.Role{{schema.RoleTarget, schema.RoleSource}, {schema.RoleSource, schema.RoleTarget}, {schema.RoleTarget}} {
		a := schema.Alert{ID: schema.NewAlertID("acme", "s", fmt.Sprint(roles)), Tenant: "acme", Created: noon}
		for _, r := range roles {
			a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityMailbox, Role: r, Key: "evil@bad.example"})
		}
		m := &memory{alerts: []schema.Alert{a}}
		if err := s.See(m.alerts); err != nil {
			t.Fatal(err)
		}
		if _, err := finder(t, s.cfg, s, m, index(t, []schema.Indicator{i}), "acme").Match(t.Context(), []schema.IndicatorChange{{Op: schema.IndicatorAdd, Indicator: i}}, 0, nil); err != nil {
			t.Fatal(err)
		}
		if got, want := len(m.told), len(roles)-1; got != want {
			t.Errorf("%v: %d matches, want %d", roles, got, want)
		}
	}
}

// TestBounds: many indicators become few queries, in parts that can be gone on
// from, and an answer that is too long is asked for in halves.
func TestBounds(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.Rows = 10
	s := openSeen(t, cfg)
	defer s.Close()
	m := &memory{}
	for n := range 200 {
		m.alerts = append(m.alerts, schema.Alert{ID: schema.NewAlertID("acme", "s", fmt.Sprint(n)), Tenant: "acme", Created: noon - schema.Millis(n)*schema.Minute,
			Entities: []schema.Entity{{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.7"}}})
	}
	if err := s.See(m.alerts); err != nil {
		t.Fatal(err)
	}
	var list []schema.Indicator
	var changes []schema.IndicatorChange
	for n := range 120_000 {
		i := schema.Indicator{ID: fmt.Sprint(n), Feed: "f", Type: schema.ObservableHash, Value: fmt.Sprintf("%032x", n), Verdict: schema.VerdictMalicious, Confidence: 90}
		changes = append(changes, schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: i})
	}
	hit := schema.Indicator{ID: "hit", Feed: "f", Type: schema.ObservableIP, Value: "203.0.113.7", Verdict: schema.VerdictMalicious, Confidence: 90}
	list = append(list, hit)
	changes = append(changes, schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: hit})
	var parts []int
	f := finder(t, cfg, s, m, index(t, list), "acme")
	stop := errors.New("enough")
	p, err := f.Match(t.Context(), changes, 0, func(p Progress) error {
		parts = append(parts, p.Next)
		if p.Next == 100_000 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || p.Next != 100_000 {
		t.Fatalf("%+v, %v", p, err)
	}
	if len(m.told) != 0 {
		t.Error("found before its turn")
	}
	p, err = f.Match(t.Context(), changes, p.Next, func(p Progress) error { parts = append(parts, p.Next); return nil })
	if err != nil || p.Next != len(changes) || !slices.Equal(parts, []int{50_000, 100_000, 120_001}) {
		t.Fatalf("%+v, %v, parts %v", p, err, parts)
	}
	if p.Cut != 0 || p.Found != 200 || p.Queries > 120 {
		t.Errorf("%+v", p)
	}
	t.Logf("%+v", p)
	m.told, f.cfg.Most = nil, 50
	if p, err = f.Match(t.Context(), changes, 100_000, nil); err != nil || p.Cut != 1 || p.Found < 50 || p.Found > 60 {
		t.Errorf("a value that names too much: %+v, %v", p, err)
	}
	m.fail = errors.New("the store is gone")
	if _, err := f.Match(t.Context(), changes, 100_000, nil); !errors.Is(err, m.fail) {
		t.Errorf("got %v", err)
	}
}

// TestLongValues: no question is longer than stores take, however long the values are, and
// what is asked in several is not told again.
func TestLongValues(t *testing.T) {
	cfg := testConfig(t.TempDir())
	s := openSeen(t, cfg)
	defer s.Close()
	m := &memory{}
	var list []schema.Indicator
	var changes []schema.IndicatorChange
	a := schema.Alert{ID: schema.NewAlertID("acme", "s", "1"), Tenant: "acme", Created: noon}
	for n := range 100 {
		i := schema.Indicator{ID: fmt.Sprint(n), Feed: "f", Type: schema.ObservableURL, Value: fmt.Sprintf("http://bad.example/%s%d", strings.Repeat("x", 10_000), n), Verdict: schema.VerdictMalicious, Confidence: 90}
		list, changes = append(list, i), append(changes, schema.IndicatorChange{Op: schema.IndicatorAdd, Indicator: i})
		a.Entities = append(a.Entities, schema.Entity{Type: schema.EntityURL, Key: i.Value})
	}
	m.alerts = []schema.Alert{a}
	if err := s.See(m.alerts); err != nil {
		t.Fatal(err)
	}
	f := finder(t, cfg, s, m, index(t, list), "acme")
	for range 2 {
		if _, err := f.Match(t.Context(), changes, 0, nil); err != nil || len(m.told) != 100 {
			t.Fatalf("%d matches, %v", len(m.told), err)
		}
		m.stored = len(m.told)
	}
	if m.longest > maxText || len(m.queries) < 20 {
		t.Errorf("%d questions, the longest of %d bytes", len(m.queries), m.longest)
	}
}

// TestPace: queries are no closer than the configuration says.
func TestPace(t *testing.T) {
	cfg := testConfig(t.TempDir())
	cfg.QueriesPerSecond = 100
	s := openSeen(t, cfg)
	defer s.Close()
	f := finder(t, cfg, s, &memory{}, nil, "acme")
	f.clock = time.Now
	start := time.Now()
	for range 4 {
		if err := f.pace(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(start); took < 30*time.Millisecond {
		t.Errorf("four queries in %s", took)
	}
}

func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var batch []valueHours
		for n := range rapid.IntRange(1, 20).Draw(t, "values") {
			set := map[int32]bool{}
			for range rapid.IntRange(1, 10).Draw(t, "hours") {
				set[rapid.Int32Range(0, 200).Draw(t, "hour")] = true
			}
			batch = append(batch, valueHours{fmt.Sprint(n), sorted(set)})
		}
		list := spans(batch)
		if len(list) > maxSpans {
			t.Fatalf("%d spans", len(list))
		}
		for i, s := range list {
			if s.from >= s.to || i > 0 && s.from <= list[i-1].to || len(s.values) == 0 {
				t.Fatalf("%+v", list)
			}
		}
		for _, v := range batch {
			for _, h := range v.hours {
				if !slices.ContainsFunc(list, func(s span) bool { return h >= s.from && h < s.to && slices.Contains(s.values, v.value) }) {
					t.Fatalf("hour %d of %s is not asked: %+v", h, v.value, list)
				}
			}
		}
	})
}
