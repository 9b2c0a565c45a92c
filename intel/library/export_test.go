package library

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// shop fills a library with something of everything.
func shop(t *testing.T) *Library {
	l := Open(t.TempDir(), small())
	one := func(ty schema.ObservableType, value string, change func(*fact.Said)) fact.Said {
		s := said(ty, value, "")
		s.Fresh = millis(0)
		if change != nil {
			change(&s)
		}
		return s
	}
	pull(t, l, feedOf("acme"), fact.Update, day(0),
		one(schema.ObservableIP, "192.0.2.1", func(s *fact.Said) { s.TLP = schema.TLPGreen; s.Labels = []string{"c2", "a,b"} }),
		one(schema.ObservableIP, "2001:db8::7", nil),
		one(schema.ObservableCIDR, "198.51.100.0/24", func(s *fact.Said) { s.ValidUntil = millis(30) }),
		one(schema.ObservableDomain, "bad.example", func(s *fact.Said) {
			s.ID = "indicator--0f0e0d0c-0b0a-4908-8706-050403020100"
			s.Version = millis(1)
		}),
		one(schema.ObservableURL, "http://bad.example/it's\\here", func(s *fact.Said) {
			s.ID = "indicator--0f0e0d0c-0b0a-4908-8706-050403020100"
			s.Version = millis(1)
		}),
		one(schema.ObservableURLPrefix, "//bad.example/kit/", nil),
		one(schema.ObservableURL, "//bad.example/50%", nil),
		one(schema.ObservableHash, strings.Repeat("ab", 16), nil),
		one(schema.ObservableHash, strings.Repeat("ab", 20), nil),
		one(schema.ObservableCertificate, strings.Repeat("ab", 32), nil),
		one(schema.ObservableSocket, "203.0.113.7:443", nil),
		one(schema.ObservableSocket, "[2001:db8::7]:443", nil),
		one(schema.ObservableEmail, "x@bad.example", nil),
		one(schema.ObservableSender, "mail.bad.example", nil),
		one(schema.ObservableUserAgent, "=Evil/1.0", nil),
		one(schema.ObservableMutex, `Global\evil`, nil),
		one(schema.ObservableJA3, strings.Repeat("cd", 16), nil),
		one(schema.ObservableDomain, "amber.bad.example", func(s *fact.Said) { s.TLP = schema.TLPAmber }),
		one(schema.ObservableDomain, "unsure.bad.example", func(s *fact.Said) { s.Confidence = 5 }),
		one(schema.ObservableDomain, "good.example", func(s *fact.Said) { s.Listed, s.Labels, s.Verdict = true, []string{"a list"}, schema.VerdictBenign }))
	own := feedOf("own")
	own.Tenant = "acme"
	pull(t, l, own, fact.Update, day(0), one(schema.ObservableDomain, "red.bad.example", func(s *fact.Said) { s.TLP = schema.TLPRed }),
		one(schema.ObservableDomain, "strict.bad.example", func(s *fact.Said) { s.TLP = schema.TLPAmberStrict }),
		one(schema.ObservableDomain, "ours.bad.example", nil))
	return l
}

func TestExport(t *testing.T) {
	l := shop(t)
	red := schema.TLPRed
	for name, o := range map[string]ExportOptions{
		"stix":    {Format: ExportSTIX, MinConfidence: 10},
		"tenant":  {Format: ExportSTIX, Tenant: "acme", MaxTLP: &red, Feeds: []string{"own"}},
		"csv":     {Format: ExportCSV, At: millis(40)},
		"list":    {Format: ExportList, MaxTLP: &red, Types: []schema.ObservableType{schema.ObservableDomain}, Listed: true},
		"another": {Format: ExportList, MaxTLP: &red, Tenant: "other", Feeds: []string{"own"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			done, err := l.Export(context.Background(), o, &out)
			if err != nil {
				t.Fatal(err)
			}
			got := out.String() + "\n" + asJSON(t, done) + "\n"
			golden := filepath.Join("testdata", "export", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if o.Tenant != "acme" && (strings.Contains(got, "red.bad") || strings.Contains(got, "strict.bad") || strings.Contains(got, "ours.bad")) {
				t.Error("what belongs to a tenant was given to others")
			}
			if o.Format == ExportSTIX {
				checkSTIX(t, out.Bytes())
			}
		})
	}
	if _, err := l.Export(context.Background(), ExportOptions{Format: "xml"}, &bytes.Buffer{}); err == nil {
		t.Error("an unknown format")
	}
	l.cfg.MaxExport = 2
	if done, err := l.Export(context.Background(), ExportOptions{Format: ExportList}, &bytes.Buffer{}); err != nil || done.Written != 2 || done.Left["more than 2"] == 0 {
		t.Errorf("bounded: %+v, %v", done, err)
	}
}

// checkSTIX checks what the schemas of STIX 2.1 demand of a bundle and of what is in
// ours: required fields, forms of ids and times, references that are there, an id once.
func checkSTIX(t *testing.T, text []byte) {
	t.Helper()
	var b struct {
		Type, ID string
		Objects  []map[string]any
	}
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`^[a-z][a-z0-9-]+[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	stamp := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	pattern := regexp.MustCompile(`^\[[a-z0-9-]+:[^=]+ (=|LIKE|MATCHES) '(\\.|[^'\\])*'( AND .*)?\]$`)
	if b.Type != "bundle" || !id.MatchString(b.ID) || len(b.Objects) == 0 {
		t.Errorf("bundle %s %s of %d", b.Type, b.ID, len(b.Objects))
	}
	have, named := map[string]bool{}, map[string]string{}
	for _, o := range b.Objects {
		name, _ := o["id"].(string)
		if !id.MatchString(name) || have[name] || o["spec_version"] != "2.1" || !strings.HasPrefix(name, o["type"].(string)+"--") {
			t.Errorf("%v", o)
		}
		have[name] = true
		for _, field := range []string{"source_ref", "target_ref"} {
			if ref, ok := o[field].(string); ok {
				named[ref] = name
			}
		}
		if refs, ok := o["object_refs"].([]any); ok {
			for _, ref := range refs {
				named[ref.(string)] = name
			}
		}
		if created, ok := o["created"].(string); ok && o["modified"] != nil && o["modified"].(string) < created {
			t.Errorf("%s was modified before it was created", name)
		}
		for _, field := range []string{"created", "modified", "valid_from", "valid_until"} {
			if v, ok := o[field]; ok && !stamp.MatchString(v.(string)) {
				t.Errorf("%s: %s is %v", name, field, v)
			}
		}
		if o["type"] != "indicator" {
			continue
		}
		for _, field := range []string{"created", "modified", "valid_from", "pattern", "pattern_type"} {
			if o[field] == nil {
				t.Errorf("%s has no %s", name, field)
			}
		}
		if p := o["pattern"].(string); !pattern.MatchString(p) {
			t.Errorf("%s: pattern %s", name, p)
		}
		if until, ok := o["valid_until"]; ok && until.(string) <= o["valid_from"].(string) {
			t.Errorf("%s ends before it begins", name)
		}
		for _, ref := range o["object_marking_refs"].([]any) {
			if !have[ref.(string)] {
				t.Errorf("%s: marking %v does not stand before it", name, ref)
			}
		}
	}
	for ref, by := range named {
		if !have[ref] {
			t.Errorf("%s names %s, which is not there", by, ref)
		}
	}
}

func TestReports(t *testing.T) {
	ctx := context.Background()
	l := Open(t.TempDir(), small())
	pull(t, l, feedOf("acme"), fact.Update, day(0),
		versioned("a.bad.example", "indicator--1", 1), versioned("b.bad.example", "indicator--2", 1), said(schema.ObservableIP, "192.0.2.1", "indicator--3"),
		fact.Object{ID: "malware--1", Kind: schema.ThreatMalware, Name: "FooBot"}, fact.Object{ID: "threat-actor--1", Kind: schema.ThreatActor, Name: "Bad Gang"},
		fact.Object{ID: "attack-pattern--1", Kind: schema.ThreatTechnique, Name: "Phishing", Technique: "T1566"},
		fact.Object{ID: "identity--1", Name: "Somebody"},
		fact.Object{ID: "report--1", Kind: schema.ThreatReport, Name: "On FooBot", Refs: []string{"indicator--3", "malware--1", "identity--1"}},
		fact.Relation{Type: "indicates", From: "indicator--1", To: "malware--1"}, fact.Relation{Type: "uses", From: "threat-actor--1", To: "malware--1"},
		fact.Relation{Type: "uses", From: "threat-actor--1", To: "attack-pattern--1"})
	list, err := l.Reports(ctx)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range list {
		if r.Listed != nil {
			t.Errorf("%s lists indicators in an overview", r.Object.ID)
		}
		got[r.Object.ID] = asJSON(t, []any{r.Indicators, r.Types, len(r.Techniques), len(r.Actors), len(r.Malware)})
	}
	want := map[string]string{"malware--1": `[1,{"domain":1},1,1,0]`, "threat-actor--1": `[1,{"domain":1},1,0,1]`, "report--1": `[2,{"domain":1,"ip":1},1,1,1]`}
	if a, b := asJSON(t, got), asJSON(t, want); a != b {
		t.Errorf("reports %s, want %s", a, b)
	}
	one, err := l.ReportOf(ctx, "report--1")
	if err != nil || len(one) != 1 || len(one[0].Listed) != 2 {
		t.Errorf("one report: %+v, %v", one, err)
	}
	if _, err := l.ReportOf(ctx, "report--2"); err == nil {
		t.Error("a report that is not there")
	}
	// A revoked indicator no longer belongs to it.
	pull(t, l, feedOf("acme"), fact.Update, day(1), revocation("indicator--1", 2))
	if one, err = l.ReportOf(ctx, "malware--1"); err != nil || one[0].Indicators != 0 {
		t.Errorf("after a revocation: %+v, %v", one, err)
	}
}

// TestHostileRelations imports rings, stars and loops of relations.
func TestHostileRelations(t *testing.T) {
	l := Open(t.TempDir(), DefaultConfig())
	const n = 20_000
	id := func(kind string, k int) string {
		return kind + "--" + strings.Repeat("x", k%7) + string(rune('a'+k%26)) + "-" + asJSON(t, k%n)
	}
	var facts []any
	for k := range n {
		facts = append(facts, fact.Object{ID: id("malware", k), Kind: schema.ThreatMalware, Name: "M"},
			fact.Relation{Type: "uses", From: id("malware", k), To: id("malware", k+1)},                     // a ring
			fact.Relation{Type: "uses", From: "threat-actor--1", To: id("malware", k)},                      // a star, both ways
			fact.Relation{Type: "indicates", From: id("indicator", k%500), To: id("malware", k)},            // many from few
			fact.Relation{Type: "indicates", From: id("indicator", k%500), To: id("indicator", (k+1)%500)},  // to what is no threat
			fact.Relation{Type: "attributed-to", From: "threat-actor--1", To: "threat-actor--1"},            // a loop
			fact.Object{ID: id("report", k), Kind: schema.ThreatReport, Refs: []string{id("indicator", 1)}}) // many reports of one
	}
	facts = append(facts, fact.Object{ID: "threat-actor--1", Kind: schema.ThreatActor, Name: "A"})
	for k := range 500 {
		facts = append(facts, said(schema.ObservableDomain, strings.ReplaceAll(id("d", k), "--", "")+".bad.example", id("indicator", k)))
	}
	pull(t, l, feedOf("acme"), fact.Update, day(0), facts...)
	list, _ := all(t, l)
	if len(list) != 500 {
		t.Fatalf("%d indicators", len(list))
	}
	for _, i := range list {
		if len(i.Threats) != DefaultConfig().MaxThreats {
			t.Fatalf("%s has %d threats", i.Value, len(i.Threats))
		}
	}
	if list, err := l.ReportOf(context.Background(), "threat-actor--1"); err != nil || len(list) != 1 || len(list[0].Malware) == 0 {
		t.Errorf("%d reports, %v", len(list), err)
	}
}

// TestExportHidesThreats: an indicator may be everybody's while what is behind it is
// not.
func TestExportHidesThreats(t *testing.T) {
	l := Open(t.TempDir(), small())
	feed := feedOf("acme")
	feed.Tenant = "acme"
	s := versioned("a.bad.example", "indicator--1", 1)
	s.Threats = []schema.Threat{{Kind: schema.ThreatMalware, Name: "Plain"}}
	relate := func(to string) fact.Relation {
		return fact.Relation{ID: "relationship--" + to, Type: "indicates", From: "indicator--1", To: to}
	}
	pull(t, l, feed, fact.Replace, day(0), s,
		fact.Object{ID: "malware--1", Kind: schema.ThreatMalware, Name: "Known"}, relate("malware--1"),
		fact.Object{ID: "threat-actor--1", Kind: schema.ThreatActor, Name: "Whispered", TLP: schema.TLPAmber}, relate("threat-actor--1"),
		fact.Object{ID: "report--1", Kind: schema.ThreatReport, Name: "Operation Secret", TLP: schema.TLPRed, Refs: []string{"indicator--1"}})
	red, amber := schema.TLPRed, schema.TLPAmber
	for _, c := range []struct {
		limit *schema.TLP
		want  string
	}{{nil, "malware:Plain;malware:Known"}, {&amber, "malware:Plain;malware:Known;actor:Whispered"}, {&red, "malware:Plain;malware:Known;actor:Whispered;report:Operation Secret"}} {
		var out bytes.Buffer
		if _, err := l.Export(context.Background(), ExportOptions{Format: ExportCSV, Tenant: "acme", MaxTLP: c.limit}, &out); err != nil {
			t.Fatal(err)
		}
		if row := strings.Split(strings.Split(out.String(), "\n")[1], ","); row[16] != c.want {
			t.Errorf("%s", row)
		}
	}
}
