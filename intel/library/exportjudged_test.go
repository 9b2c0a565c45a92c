package library

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// exported exports with everything that may speak against an indicator.
func exported(t *testing.T, l *Library, o ExportOptions) (string, Exported) {
	t.Helper()
	ctx := context.Background()
	x, _, err := l.Index(ctx, match.DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	o.Index, o.Decay = x, match.DefaultConfig().Decay
	var out bytes.Buffer
	done, err := l.Export(ctx, o, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), done
}

// TestExportJudged: what does not count here is given to nobody, whatever speaks against
// it, and is counted by why; asked for, it comes with the reason.
func TestExportJudged(t *testing.T) {
	for name, c := range map[string]struct {
		bad    fact.Said
		others func(*testing.T, *Library)
		tenant string
		at     int    // day
		why    string // empty: it is exported
	}{
		"nothing against it": {bad: said(schema.ObservableIP, "203.0.113.7", "")},
		"on a list":          {bad: said(schema.ObservableIP, "203.0.113.7", ""), others: listing(schema.ObservableIP, "203.0.113.7"), why: `on the benign list "good"`},
		"in a listed network": {bad: said(schema.ObservableIP, "203.0.113.7", ""), others: listing(schema.ObservableCIDR, "203.0.113.0/24"),
			why: `on the benign list "good"`},
		"a network in a listed one": {bad: said(schema.ObservableCIDR, "203.0.113.0/28", ""), others: listing(schema.ObservableCIDR, "203.0.113.0/24"),
			why: `on the benign list "good"`},
		"a socket of a listed address": {bad: said(schema.ObservableSocket, "203.0.113.7:443", ""), others: listing(schema.ObservableIP, "203.0.113.7"),
			why: `on the benign list "good"`},
		"below a listed name":     {bad: domain("www.popular.example"), others: listing(schema.ObservableDomain, "popular.example"), why: `on the benign list "good"`},
		"a page of a listed host": {bad: said(schema.ObservableURL, "http://popular.example/kit/", ""), others: listing(schema.ObservableDomain, "popular.example")},
		"allowed": {bad: domain("bad.example"), others: setting(Override{Type: schema.ObservableDomain, Value: "bad.example", Wish: ptr(schema.WishAllow)}),
			why: "allowed by feed analyst"},
		"allowed for another tenant": {bad: domain("bad.example"), others: setting(Override{Type: schema.ObservableDomain, Value: "bad.example", Tenant: "acme", Wish: ptr(schema.WishAllow)})},
		"allowed for its tenant": {bad: domain("bad.example"), tenant: "acme", why: "allowed by feed analyst",
			others: setting(Override{Type: schema.ObservableDomain, Value: "bad.example", Tenant: "acme", Wish: ptr(schema.WishAllow)})},
		"called benign": {bad: domain("bad.example"), others: setting(Override{Type: schema.ObservableDomain, Value: "bad.example", Verdict: ptr(schema.VerdictBenign)}),
			why: "says benign"},
		"outranked": {bad: domain("bad.example"), why: "outranked by feed good, which says benign", others: func(t *testing.T, l *Library) {
			f, s := feedOf("good"), domain("bad.example")
			f.Rank, s.Verdict = 60, schema.VerdictBenign
			pull(t, l, f, fact.Replace, day(0), s)
		}},
		"decayed":  {bad: seen("203.0.113.7", 0), at: 200, why: "decayed"},
		"aging":    {bad: seen("203.0.113.7", 0), at: 20},
		"ended":    {bad: valid("bad.example", 0, 10), at: 11, why: "not valid at the time"},
		"to come":  {bad: valid("bad.example", 10, 0), at: 9, why: "not valid at the time"},
		"in force": {bad: valid("bad.example", 5, 10), at: 9},
	} {
		t.Run(name, func(t *testing.T) {
			l := Open(t.TempDir(), small())
			pull(t, l, feedOf("bad"), fact.Replace, day(0), c.bad)
			if c.others != nil {
				c.others(t, l)
			}
			o := ExportOptions{Format: ExportList, Feeds: []string{"bad"}, Tenant: c.tenant, At: millis(c.at)}
			text, done := exported(t, l, o)
			if want := c.why == ""; want != (text == c.bad.Value+"\n") || !want && done.Left[c.why] != 1 {
				t.Errorf("%q: %+v", text, done)
			}
			o.Format, o.Doubtful = ExportCSV, true
			text, done = exported(t, l, o)
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(rows) != 2 || (rows[1][17] != "") != (c.why != "") || c.why != "" && done.Doubted[c.why] != 1 {
				t.Errorf("with the doubtful: %v, %q: %+v", err, rows, done)
			}
			o.Format = ExportSTIX
			if text, _ = exported(t, l, o); strings.Contains(text, `"doubt: `) != (c.why != "") {
				t.Errorf("with the doubtful: %s", text)
			}
		})
	}
	if _, err := Open(t.TempDir(), small()).Export(context.Background(), ExportOptions{Format: ExportList, Doubtful: true}, &bytes.Buffer{}); err == nil {
		t.Error("a list of what is doubted")
	}
}

func listing(typ schema.ObservableType, value string) func(*testing.T, *Library) {
	return func(t *testing.T, l *Library) {
		s := said(typ, value, "")
		s.Listed, s.Verdict, s.Labels = true, schema.VerdictBenign, []string{"good"}
		pull(t, l, feedOf("lists"), fact.Replace, day(0), s)
	}
}

func setting(o Override) func(*testing.T, *Library) {
	return func(t *testing.T, l *Library) {
		if _, err := l.Override(context.Background(), o); err != nil {
			t.Fatal(err)
		}
	}
}

func seen(value string, n int) fact.Said {
	s := said(schema.ObservableIP, value, "")
	s.Fresh = millis(n)
	return s
}

func valid(value string, from, until int) fact.Said {
	s := domain(value)
	if from > 0 {
		s.ValidFrom = millis(from)
	}
	if until > 0 {
		s.ValidUntil = millis(until)
	}
	return s
}

// TestExportHarmless: what a terminal would obey does not leave.
func TestExportHarmless(t *testing.T) {
	l := Open(t.TempDir(), small())
	s := domain("bad.example")
	s.Labels, s.Threats = []string{"c2\x1b[31m", "\u202eright"}, []schema.Threat{{Kind: schema.ThreatMalware, Name: "Foo\x07\nBot"}}
	pull(t, l, feedOf("acme"), fact.Replace, day(0), s)
	for _, f := range []ExportFormat{ExportCSV, ExportList} {
		if text, _ := exported(t, l, ExportOptions{Format: f, At: millis(0)}); strings.ContainsAny(text, "\x1b\a\u202e") || !strings.Contains(text, "bad.example") {
			t.Errorf("%s: %q", f, text)
		}
	}
}

// bundle is a STIX bundle as an export writes it.
type bundle struct {
	ID      string
	Objects []map[string]any
}

func bundleOf(t *testing.T, l *Library, o ExportOptions) (bundle, Exported) {
	t.Helper()
	o.Format = ExportSTIX
	text, done := exported(t, l, o)
	checkSTIX(t, []byte(text))
	var b bundle
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	return b, done
}

// find gives the field of the object of a name.
func (b *bundle) find(name, field string) any {
	for _, o := range b.Objects {
		if o["name"] == name {
			return o[field]
		}
	}
	return nil
}

// TestExportTimes: an indicator without times has those of its pulls, and changes when
// somebody changes it; the bundle has the id of its content.
func TestExportTimes(t *testing.T) {
	l, feed := Open(t.TempDir(), small()), feedOf("acme")
	at := func(n int) string { return millis(n).String() }
	had := map[string]bool{}
	want := func(step, name, created, modified, from string) {
		t.Helper()
		b, _ := bundleOf(t, l, ExportOptions{At: millis(40)})
		if c, m, f := b.find(name, "created"), b.find(name, "modified"), b.find(name, "valid_from"); c != created || m != modified || f != from {
			t.Errorf("%s: %s: created %v, modified %v, from %v", step, name, c, m, f)
		}
		if had[b.ID] {
			t.Errorf("%s: another bundle has the id %s", step, b.ID)
		}
		if again, _ := bundleOf(t, l, ExportOptions{At: millis(41)}); again.ID != b.ID {
			t.Errorf("%s: the same bundle has the ids %s and %s", step, b.ID, again.ID)
		}
		had[b.ID] = true
	}
	pull(t, l, feed, fact.Replace, day(1), domain("bad.example"), domain("still.example"))
	want("first", "bad.example", at(1), at(1), at(1))
	pull(t, l, feed, fact.Replace, day(2), domain("bad.example"), domain("still.example"), domain("new.example"))
	want("again", "bad.example", at(1), at(1), at(1))
	surer := domain("bad.example")
	surer.Confidence = 90
	pull(t, l, feed, fact.Replace, day(3), surer, domain("still.example"), domain("new.example"))
	want("surer", "bad.example", at(1), at(3), at(1))
	want2 := func(name, modified string) {
		t.Helper()
		if b, _ := bundleOf(t, l, ExportOptions{At: millis(40)}); b.find(name, "modified") != modified {
			t.Errorf("%s was modified %v", name, b.find(name, "modified"))
		}
	}
	want2("still.example", at(1))
	want2("new.example", at(2))
	setting(Override{Type: schema.ObservableDomain, Value: "bad.example", Confidence: ptr(uint8(50)), Time: millis(5)})(t, l)
	want("set", "bad.example", at(1), at(5), at(1))
	setting(Override{Type: schema.ObservableDomain, Value: "own.example", Feed: Analyst, Verdict: ptr(schema.VerdictMalicious), Time: millis(6)})(t, l)
	want("own", "own.example", at(6), at(6), at(6))
	feed.Confidence = 60
	if _, err := l.Renew(context.Background(), feed, day(7)); err != nil {
		t.Fatal(err)
	}
	want("other settings", "still.example", at(1), at(7), at(1))
	v := versioned("told.example", "indicator--1", millis(4))
	v.ValidFrom, v.ValidUntil, v.Fresh = millis(2), millis(50), millis(4)
	pull(t, l, feed, fact.Update, day(8), v)
	want("told", "told.example", at(2), at(4), at(2))
}

// TestExportThings: what is behind indicators goes with them, as far as it may be shown.
func TestExportThings(t *testing.T) {
	l := Open(t.TempDir(), small())
	const one, two = "indicator--0f0e0d0c-0b0a-4908-8706-050403020101", "indicator--0f0e0d0c-0b0a-4908-8706-050403020102"
	const malware, actor = "malware--0f0e0d0c-0b0a-4908-8706-050403020103", "intrusion-set--0f0e0d0c-0b0a-4908-8706-050403020104"
	named := domain("named.example")
	named.Threats = []schema.Threat{{Kind: schema.ThreatMalware, Name: "NamedBot"}}
	both := named
	both.Value = "both.example"
	pull(t, l, feedOf("acme"), fact.Replace, day(0), named, both, said(schema.ObservableIP, "192.0.2.1", ""),
		versioned("a.example", one, 1), versioned("b.example", one, 1), versioned("c.example", two, 1),
		fact.Object{ID: malware, Kind: schema.ThreatMalware, Name: "FooBot", Version: millis(0), Aliases: []string{"Foo"}}, fact.Object{ID: actor, Kind: schema.ThreatActor, Name: "Bad Gang"},
		fact.Object{ID: "attack-pattern--1", Kind: schema.ThreatTechnique, Name: "Phishing", Technique: "T1566"}, fact.Object{ID: "tool--1", Kind: schema.ThreatTool, Name: "Unused"},
		fact.Object{ID: "malware--2", Kind: schema.ThreatMalware, Name: "Whispered", TLP: schema.TLPAmber}, fact.Object{ID: "identity--1", Name: "Somebody"},
		fact.Object{ID: "report--1", Kind: schema.ThreatReport, Name: "On FooBot", Refs: []string{two, malware, "identity--1", "malware--2"}, First: millis(-9), Links: []string{"https://acme.example/1"}},
		fact.Object{ID: "report--2", Kind: schema.ThreatReport, Name: "Operation Whisper", Refs: []string{two}, TLP: schema.TLPAmber},
		fact.Relation{Type: "indicates", From: one, To: malware}, fact.Relation{Type: "indicates", From: two, To: "malware--2"},
		fact.Relation{ID: "relationship--0f0e0d0c-0b0a-4908-8706-050403020105", Type: "uses", From: actor, To: malware}, fact.Relation{Type: "uses", From: actor, To: "attack-pattern--1"})
	type told struct{ objects, relations []string }
	tell := func(o ExportOptions) (told, Exported) {
		b, done := bundleOf(t, l, o)
		name := map[string]string{}
		var x told
		for _, o := range b.Objects {
			if n, ok := o["name"].(string); ok {
				name[o["id"].(string)] = n
			}
		}
		for _, o := range b.Objects {
			switch o["type"] {
			case "relationship":
				x.relations = append(x.relations, name[o["source_ref"].(string)]+" "+o["relationship_type"].(string)+" "+name[o["target_ref"].(string)])
			case "report":
				var refs []string
				for _, r := range o["object_refs"].([]any) {
					refs = append(refs, name[r.(string)])
				}
				x.objects = append(x.objects, name[o["id"].(string)]+": "+strings.Join(refs, ", "))
			case "indicator", "marking-definition":
			default:
				x.objects = append(x.objects, name[o["id"].(string)])
			}
		}
		slices.Sort(x.objects)
		slices.Sort(x.relations)
		return x, done
	}
	amber := schema.TLPAmber
	for name, c := range map[string]struct {
		o                  ExportOptions
		objects, relations string
		left               map[string]int
	}{
		"green": {ExportOptions{}, "Bad Gang; FooBot; NamedBot; On FooBot: c.example, FooBot; Phishing",
			"Bad Gang uses FooBot; Bad Gang uses Phishing; a.example indicates FooBot; b.example indicates FooBot; both.example indicates NamedBot; named.example indicates NamedBot",
			map[string]int{leftSecret: 2, leftUnlinked: 1, leftEnd: 1}},
		"amber": {ExportOptions{MaxTLP: &amber}, "Bad Gang; FooBot; NamedBot; On FooBot: c.example, FooBot, Whispered; Operation Whisper: c.example; Phishing; Whispered",
			"Bad Gang uses FooBot; Bad Gang uses Phishing; a.example indicates FooBot; b.example indicates FooBot; both.example indicates NamedBot; c.example indicates Whispered; named.example indicates NamedBot",
			map[string]int{leftUnlinked: 1}},
		"none of its indicators": {ExportOptions{Types: []schema.ObservableType{schema.ObservableIP}}, "", "",
			map[string]int{leftSecret: 2, leftUnlinked: 5, leftEnd: 4}},
	} {
		x, done := tell(c.o)
		if a, b := strings.Join(x.objects, "; "), strings.Join(x.relations, "; "); a != c.objects || b != c.relations || !maps.Equal(done.LeftThings, c.left) {
			t.Errorf("%s: objects %s\nrelations %s\nleft out %v", name, a, b, done.LeftThings)
		}
		if done.Objects != len(x.objects) || done.Relations != len(x.relations) {
			t.Errorf("%s: %+v", name, done)
		}
	}
}
