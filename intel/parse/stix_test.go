package parse

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// stixText gives a STIX 2.1 object; more are members with a comma before each.
func stixText(typ, id, more string) string {
	return `{"type":"` + typ + `","spec_version":"2.1","id":"` + typ + `--` + id + `","created":"2026-01-01T00:00:00Z","modified":"2026-01-02T00:00:00.5Z"` + more + `}`
}

// said gives an indicator for one address.
func stixSaid(id, addr, more string) string {
	return stixText("indicator", id, `,"pattern_type":"stix","pattern":"[ipv4-addr:value = '`+addr+`']","valid_from":"2026-01-01T00:00:00Z"`+more)
}

func bundled(objects ...string) string {
	return `{"type":"bundle","id":"bundle--1","objects":[` + strings.Join(objects, ",") + `]}`
}

// TestSTIXShapes: every shape in which STIX objects come, and an error for what is
// cut short or something else.
func TestSTIXShapes(t *testing.T) {
	one, two := stixSaid("1", "203.0.113.1", ""), stixSaid("2", "203.0.113.2", "")
	both := []string{"ip=203.0.113.1", "ip=203.0.113.2"}
	for _, c := range []struct {
		name, text string
		want       []string
		fails      string
	}{
		{name: "bundle", text: bundled(one, two), want: both},
		{name: "objects first", text: `{"objects":[` + one + `,` + two + `],"id":"bundle--1","type":"bundle"}`, want: both},
		{name: "envelope", text: `{"more":true,"next":"x","objects":[` + one + `]}`, want: both[:1]},
		{name: "array", text: `[` + one + `,` + two + `]`, want: both},
		{name: "array of bundles", text: `[` + bundled(one) + `,` + bundled(two) + `]`, want: both},
		{name: "one object", text: one, want: both[:1]},
		{name: "objects in lines", text: one + "\n" + two + "\n", want: both},
		{name: "bundles in a row", text: bundled(one) + bundled(two), want: both},
		{name: "byte order mark", text: "\ufeff" + bundled(one), want: both[:1]},
		{name: "cut in the objects", text: `{"type":"bundle","objects":[` + one + `,`, want: both[:1], fails: "unexpected EOF"},
		{name: "cut behind the objects", text: `{"type":"bundle","objects":[` + one + `]`, want: both[:1], fails: "unexpected EOF"},
		{name: "cut before the objects", text: `{"type":"bundle","id":"b"`, fails: "unexpected EOF"},
		{name: "cut array", text: `[` + one, want: both[:1], fails: "unexpected EOF"},
		{name: "comma at the end", text: `[` + one + `,]`, want: both[:1], fails: "where a value belongs"},
		{name: "objects is none", text: `{"objects":{}}`, fails: "objects is no array"},
		{name: "broken object", text: bundled(one, `{"type":indicator}`), want: both[:1], fails: "line 1, byte"},
		{name: "text behind", text: bundled(one) + "x", want: both[:1], fails: "where an object or array belongs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sink
			err := Read(context.Background(), strings.NewReader(c.text), feed(), fact.Part{}, now, &s)
			if (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("error %v, want %q", err, c.fails)
			}
			s.want(t, c.want...).wantRefused(t)
		})
	}
}

func TestSTIXIndicator(t *testing.T) {
	s := read(t, bundled(
		stixText("indicator", "1", `,"pattern":"[ipv4-addr:value = '203.0.113.1' OR domain-name:value = 'a.example']","valid_from":"2026-01-01T00:00:00Z","valid_until":"2026-02-01T00:00:00Z","confidence":55,"labels":["x"],"indicator_types":["anomalous-activity"]`),
		stixSaid("2", "203.0.113.2", `,"indicator_types":["benign"],"confidence":1e400`),
		stixSaid("3", "203.0.113.3", `,"revoked":true`),
		stixSaid("4", "203.0.113.4", `,"confidence":"high","indicator_types":["benign","malicious-activity"]`),
	), func(f *fact.Feed) { f.Verdict = schema.VerdictSuspicious })
	s.want(t, "ip=203.0.113.1", "domain=a.example", "ip=203.0.113.2", "revoked=indicator--3", "ip=203.0.113.4").wantRefused(t)
	a := s.said[0]
	if a.ID != "indicator--1" || s.said[1].ID != a.ID || a.Confidence != 55 || a.Verdict != schema.VerdictSuspicious || a.ValidUntil.String() != "2026-02-01T00:00:00.000Z" ||
		a.Version.String() != "2026-01-02T00:00:00.500Z" || a.Fresh != a.Version || !slices.Equal(a.Labels, []string{"anomalous-activity", "x"}) {
		t.Errorf("first: %+v", a)
	}
	if s.said[2].Verdict != schema.VerdictBenign || s.said[2].Confidence != 75 || s.said[3].Version != a.Version || s.said[4].Verdict != schema.VerdictMalicious || s.said[4].Confidence != 75 {
		t.Errorf("others: %+v", s.said[2:])
	}
	if !slices.Equal(s.lines, []int{1, 1, 2, 3, 4}) {
		t.Errorf("lines %v", s.lines)
	}
}

func TestSTIXRefuses(t *testing.T) {
	s := read(t, bundled(
		`{"type":"indicator","id":7}`,
		`{"id":"x"}`,
		`{"type":"indicator","spec_version":"2.1"}`,
		stixText("indicator", "1", ``),
		stixText("indicator", "1", `,"pattern":"[url:value = 'http://a.example/']"`),
		stixText("indicator", "1", `,"pattern":"rule x {}","pattern_type":"yara","valid_from":"2026-01-01T00:00:00Z"`),
		stixSaid("1", "203.0.113.1", `,"valid_until":"2025-01-01T00:00:00Z"`),
		stixSaid("1", "203.0.113.1", `,"valid_until":"tomorrow"`),
		strings.Replace(stixSaid("1", "203.0.113.1", ""), `"2.1"`, `"3.0"`, 1),
		strings.Replace(stixSaid("1", "203.0.113.1", ""), `indicator--1`, `malware--1`, 1),
		strings.Replace(stixSaid("1", "203.0.113.1", ""), `2026-01-02`, `2025-01-02`, 1),
		strings.Replace(stixSaid("1", "203.0.113.1", ""), `"modified"`, `"x"`, 1),
		stixText("relationship", "1", ``),
		stixText("sighting", "1", ``),
		stixText("sighting", "1", `,"sighting_of_ref":"indicator--1","count":0`),
		stixSaid("1", "127.0.0.1", ""),
		stixText("observed-data", "1", ``),
		`{"type":"ipv4-addr","id":"ipv4-addr--1","value":"203.0.113.1"}`,
		`{"type":"indicator","x":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`,
		stixText("identity", "1", `,"name":"`+strings.Repeat("x", maxObject)+`"`),
		stixSaid("9", "203.0.113.9", ""),
	)).want(t, "ip=203.0.113.9")
	s.wantRefused(t, "STIX:", "no type", "no id", "no pattern", "valid_from is missing", `"yara"`, "valid_until", "not RFC 3339", `"3.0"`, "none of type", "before created", "modified is missing",
		"relationship_type", "sighting_of_ref", "count 0", "single machine", "nested deeper", "longer than")
	if s.refused[0].Line != 1 || s.refused[len(s.refused)-1].Line != 20 || s.refused[3].Value != "indicator--1" {
		t.Errorf("refused %+v", s.refused)
	}
	// STIX 2.0 has no version in its objects, and sloppy feeds no beginning.
	read(t, strings.Replace(stixText("indicator", "1", `,"pattern":"[url:value = 'http://a.example/']"`), `"spec_version":"2.1",`, "", 1)).want(t, "url=http://a.example/")
}

func TestSTIXMarkings(t *testing.T) {
	mark := func(id string) string { return `,"object_marking_refs":["marking-definition--` + id + `"]` }
	define := func(id, how string) string {
		return `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--` + id + `","created":"2026-01-01T00:00:00Z",` + how + `}`
	}
	for _, c := range []struct {
		name  string
		parts []string
		want  schema.TLP
	}{
		{"none: the feed's", []string{stixSaid("1", "203.0.113.1", "")}, schema.TLPGreen},
		{"TLP 1.0", []string{stixSaid("1", "203.0.113.1", mark("f88d31f6-486f-44da-b317-01333bde0b82"))}, schema.TLPAmber},
		{"TLP 1.0 white", []string{stixSaid("1", "203.0.113.1", mark("613f2e26-407d-48c7-9eca-b8e91df99dc9"))}, schema.TLPClear},
		{"TLP 2.0", []string{stixSaid("1", "203.0.113.1", mark("939a9414-2ddd-4d32-a0cd-375ea402b003"))}, schema.TLPAmberStrict},
		{"defined before", []string{define("x", `"definition_type":"tlp","definition":{"tlp":"red"}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPRed},
		{"defined behind", []string{stixSaid("1", "203.0.113.1", mark("x")), define("x", `"definition_type":"tlp","definition":{"tlp":"red"}`)}, schema.TLPRed},
		{"extension", []string{define("x", `"extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"amber+strict"}}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPAmberStrict},
		{"statement", []string{define("x", `"definition_type":"statement","definition":{"statement":"(c)"}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPGreen},
		{"statement of a TLP", []string{define("x", `"definition_type":"statement","definition":{"statement":"TLP:RED"}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPRed},
		{"in capitals", []string{define("x", `"definition_type":"TLP","definition":{"TLP":"RED"}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPRed},
		{"TLP 1.0 in capitals", []string{stixSaid("1", "203.0.113.1", mark("5E57C739-391A-4EB3-B6BE-7D15CA92D5ED"))}, schema.TLPRed},
		{"a TLP that nobody knows", []string{define("x", `"definition_type":"tlp","definition":{"tlp":"purple"}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPAmber},
		{"an extension that nobody knows", []string{define("x", `"extensions":{"extension-definition--y":{"tlp_2_0":"purple"}}`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPAmber},
		{"a TLP without a word", []string{define("x", `"definition_type":"tlp","definition":[]`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPAmber},
		{"never defined", []string{stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPAmber},
		{"OpenCTI's own", []string{stixSaid("1", "203.0.113.1", mark("826578e1-40ad-459f-bc73-ede076f81f37")), define("826578e1-40ad-459f-bc73-ede076f81f37", `"definition_type":"statement","definition":{"statement":"custom"}`)}, schema.TLPAmberStrict},
		{"OpenCTI's words", []string{define("x", `"definition_type":"statement","definition":{"statement":"custom"},"x_opencti_definition_type":"TLP","x_opencti_definition":"TLP:RED"`), stixSaid("1", "203.0.113.1", mark("x"))}, schema.TLPRed},
		{"red and never defined", []string{stixSaid("1", "203.0.113.1", `,"object_marking_refs":["marking-definition--x","marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]`)}, schema.TLPRed},
		{"granular", []string{stixSaid("1", "203.0.113.1", `,"granular_markings":[{"marking_ref":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","selectors":["description"]}]`)}, schema.TLPRed},
		{"the most secret", []string{stixSaid("1", "203.0.113.1", `,"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"]`)}, schema.TLPRed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, bundled(c.parts...), func(f *fact.Feed) { f.TLP, f.Tenant = schema.TLPGreen, "acme" }).want(t, "ip=203.0.113.1")
			if len(s.said) == 1 && s.said[0].TLP != c.want {
				t.Errorf("TLP %s, want %s", s.said[0].TLP, c.want)
			}
			free := read(t, bundled(c.parts...), func(f *fact.Feed) { f.TLP = schema.TLPGreen })
			if (len(free.said) == 0) != c.want.Bound() {
				t.Errorf("without a tenant: said %v, refused %v", free.values(), free.reasons())
			}
		})
	}
}

func TestSTIXThings(t *testing.T) {
	s := read(t, bundled(
		stixText("malware", "1", `,"name":"Bad","aliases":["Bad","Worse"],"malware_types":["trojan"],"description":"`+strings.Repeat("\u00e9", 4000)+`"`),
		stixText("intrusion-set", "1", `,"name":"APT0","first_seen":"2020-01-01T00:00:00Z","last_seen":"nonsense"`),
		stixText("attack-pattern", "1", `,"name":"Phishing","external_references":[{"source_name":"mitre-attack","external_id":"T1566","url":"https://attack.example/T1566"}]`),
		stixText("report", "1", `,"name":"R","published":"2026-01-05T00:00:00Z","object_refs":["indicator--1","malware--1"],"report_types":["threat-report"]`),
		stixText("vulnerability", "1", `,"external_references":[{"source_name":"cve","external_id":"CVE-2026-0001"}]`),
		stixText("identity", "1", `,"name":"ACME","identity_class":["organization"]`),
		stixText("campaign", "1", `,"name":"C","revoked":true`),
		stixText("relationship", "1", `,"relationship_type":"indicates","source_ref":"indicator--1","target_ref":"malware--1"`),
		stixText("relationship", "2", `,"relationship_type":"uses","source_ref":"malware--1","target_ref":"malware--1","revoked":true`),
		stixText("sighting", "1", `,"sighting_of_ref":"indicator--1","last_seen":"2026-01-09T00:00:00Z","count":3,"where_sighted_refs":["identity--1"]`),
		stixText("sighting", "2", `,"sighting_of_ref":"indicator--1","last_seen":"2999-01-09T00:00:00Z"`),
		stixText("x-custom", "1", `,"name":"x"`),
	)).want(t).wantRefused(t)
	var got []string
	for _, o := range s.objects {
		got = append(got, fmt.Sprintf("%s %s %s %s", o.Kind, o.ID, o.Name, o.Technique))
	}
	want := []string{"malware malware--1 Bad ", "actor intrusion-set--1 APT0 ", "technique attack-pattern--1 Phishing T1566", "report report--1 R ", "vulnerability vulnerability--1 CVE-2026-0001 ",
		"unknown identity--1 ACME ", "campaign campaign--1 C "}
	if !slices.Equal(got, want) {
		t.Fatalf("objects %q, want %q", got, want)
	}
	m, r := s.objects[0], s.objects[3]
	if len(m.Desc) > maxDesc || len(m.Desc) < maxDesc-2 || !slices.Equal(m.Aliases, []string{"Worse"}) || !slices.Equal(m.Labels, []string{"trojan"}) || m.Version == 0 {
		t.Errorf("malware: %+v", m)
	}
	if !slices.Equal(r.Refs, []string{"indicator--1", "malware--1"}) || r.First.String() != "2026-01-05T00:00:00.000Z" || !s.objects[6].Revoked || !slices.Equal(s.objects[2].Links, []string{"https://attack.example/T1566"}) {
		t.Errorf("report: %+v", r)
	}
	if len(s.relations) != 2 || s.relations[0].From != "indicator--1" || s.relations[0].To != "malware--1" || s.relations[0].Type != "indicates" || !s.relations[1].Revoked {
		t.Errorf("relations: %+v", s.relations)
	}
	if len(s.sightings) != 2 || s.sightings[0].Count != 3 || s.sightings[0].By != "identity--1" || s.sightings[0].Last.String() != "2026-01-09T00:00:00.000Z" || s.sightings[1].Last != now {
		t.Errorf("sightings: %+v", s.sightings)
	}
}

// TestSTIXWaiting: very many objects may wait for a marking, what waits is bounded, and
// what does not fit is refused and not let through.
func TestSTIXWaiting(t *testing.T) {
	const n = 80_000
	var text strings.Builder
	text.WriteString(`{"type":"bundle","id":"bundle--1","objects":[`)
	for i := range n {
		text.WriteString(stixSaid(fmt.Sprint(i), fmt.Sprintf("198.51.%d.%d", i/256%256, i%256), `,"object_marking_refs":["marking-definition--x"],"description":"`+strings.Repeat("x", 600)+`"`) + ",")
	}
	text.WriteString(`{"type":"marking-definition","id":"marking-definition--x","definition_type":"tlp","definition":{"tlp":"red"}}]}`)
	if text.Len() < 2*maxWaiting {
		t.Fatalf("%d bytes are too few for the test", text.Len())
	}
	var c counter
	if err := Read(context.Background(), strings.NewReader(text.String()), feed(func(f *fact.Feed) { f.Tenant = "acme" }), fact.Part{}, now, &c); err != nil || c.said != n || c.refused != 0 {
		t.Errorf("with a tenant %d said, %d refused (%s), %v", c.said, c.refused, c.reason, err)
	}
	c = counter{}
	if err := Read(context.Background(), strings.NewReader(text.String()), feed(), fact.Part{}, now, &c); err != nil || c.said != 0 || c.refused != n {
		t.Errorf("without a tenant %d said, %d refused, %v", c.said, c.refused, err)
	}
	// Text that does not pack.
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, maxObject-1024)
	var objects []string
	for i := range 20 {
		for k := range noise {
			noise[k] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[random.IntN(64)]
		}
		objects = append(objects, stixSaid(fmt.Sprint(i), fmt.Sprintf("203.0.113.%d", i+1), `,"object_marking_refs":["marking-definition--x"],"description":"`+string(noise)+`"`))
	}
	s := read(t, bundled(objects...))
	if len(s.said) == 0 || len(s.refused) == 0 || len(s.said)+len(s.refused) != len(objects) || s.reasons()[0] != errStixMarking.Error() || len(s.void) != len(s.refused) {
		t.Errorf("said %d, refused %q, void %d", len(s.said), s.reasons(), len(s.void))
	}
}

// TestSTIXMarkingElsewhere: a definition is found wherever it stands in the same text.
func TestSTIXMarkingElsewhere(t *testing.T) {
	const define = `{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--x","created":"2026-01-01T00:00:00Z","name":"x","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":"green"}}}`
	use := stixSaid("1", "203.0.113.1", `,"object_marking_refs":["marking-definition--x"]`)
	for name, text := range map[string]string{
		"objects in an array":    "[" + use + "," + define + "]",
		"objects in lines":       use + "\n" + define + "\n",
		"bundles in an array":    "[" + bundled(use) + "," + bundled(define) + "]",
		"bundles in lines":       bundled(use) + "\n" + bundled(define) + "\n",
		"the definition's first": bundled(define) + "\n" + bundled(use),
		"pages":                  `{"more":true,"objects":[` + use + `]}` + "\n" + `{"more":false,"objects":[` + define + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, text).want(t, "ip=203.0.113.1").wantRefused(t)
			if len(s.said) == 1 && s.said[0].TLP != schema.TLPGreen {
				t.Errorf("TLP %s", s.said[0].TLP)
			}
		})
	}
}

func BenchmarkSTIX(b *testing.B) {
	const n = 20_000
	var objects []string
	for i := range n {
		objects = append(objects, stixSaid(fmt.Sprint(i), fmt.Sprintf("198.51.%d.%d", i/256%256, i%256), `,"labels":["malicious-activity"]`))
	}
	text := bundled(objects...)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var c counter
		if err := Read(b.Context(), strings.NewReader(text), feed(), fact.Part{}, now, &c); err != nil || c.said != n {
			b.Fatal(err, c.said, c.reason)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}

// TestSTIXStream: a bundle of very many relationships passes through, in a cycle,
// without being kept.
func TestSTIXStream(t *testing.T) {
	const n = 200_000
	var c counter
	before := heap()
	err := Read(context.Background(), &generated{head: `{"type":"bundle","objects":[`, tail: `{"type":"identity","id":"identity--1","modified":"2026-01-01T00:00:00Z","name":"x"}]}`, n: n, part: func(i int) string {
		return stixText("relationship", fmt.Sprint(i), fmt.Sprintf(`,"relationship_type":"uses","source_ref":"tool--%d","target_ref":"tool--%d"`, i, (i+1)%n)) + ","
	}}, feed(), fact.Part{}, now, &c)
	if err != nil || c.relations != n || c.objects != 1 || c.refused != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes are kept", grown)
	}
}

// generated is a text that is made while it is read.
type generated struct {
	head, tail string
	n, i       int
	part       func(i int) string
	rest       string
}

func (g *generated) Read(p []byte) (int, error) {
	for g.rest == "" {
		switch {
		case g.head != "":
			g.rest, g.head = g.head, ""
		case g.i < g.n:
			g.rest = g.part(g.i)
			g.i++
		case g.tail != "":
			g.rest, g.tail = g.tail, ""
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// TestVoid: a version of which nothing is taken is told, with its id, so that what an
// older one said does not stand for ever.
func TestVoid(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		void int
	}{
		"pattern":         {stixText("indicator", "1", `,"pattern":"[ipv4-addr:value = '203.0.113.1' AND domain-name:value = 'a.example']","valid_from":"2026-01-01T00:00:00Z"`), 1},
		"pattern type":    {stixText("indicator", "1", `,"pattern":"x","pattern_type":"yara","valid_from":"2026-01-01T00:00:00Z"`), 1},
		"red":             {stixSaid("1", "203.0.113.1", `,"object_marking_refs":["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]`), 1},
		"value":           {stixSaid("1", "127.0.0.1", ""), 1},
		"one of two":      {stixText("indicator", "1", `,"pattern":"[url:value = 'http://a.example/' OR ipv4-addr:value = '10.0.0.0/7']","valid_from":"2026-01-01T00:00:00Z"`), 0},
		"taken":           {stixSaid("1", "203.0.113.1", ""), 0},
		"MISP":            {`{"Event":{"uuid":"5a5a5a5a-0000-4000-8000-000000000000","info":"x","Attribute":[{"uuid":"5a5a5a5a-0000-4000-8000-000000000001","type":"domain","value":"a.example","to_ids":false,"timestamp":"1760000000"}]}}`, 1},
		"MISP, no time":   {`{"Event":{"uuid":"5a5a5a5a-0000-4000-8000-000000000000","info":"x","Attribute":[{"uuid":"5a5a5a5a-0000-4000-8000-000000000001","type":"domain","value":"a.example","to_ids":false}]}}`, 0},
		"MISP, no uuid":   {`{"Event":{"uuid":"5a5a5a5a-0000-4000-8000-000000000000","info":"x","Attribute":[{"type":"domain","value":"a.example","to_ids":false,"timestamp":"1760000000"}]}}`, 0},
		"no modification": {strings.Replace(stixSaid("1", "127.0.0.1", ""), `"modified"`, `"m"`, 1), 0},
	} {
		if s := read(t, bundledOrNot(c.text)); len(s.void) != c.void || c.void > 0 && (len(s.said) > 0 || len(s.refused) == 0) {
			t.Errorf("%s: void %q, said %q, refused %q", name, s.void, s.values(), s.reasons())
		}
	}
}

func bundledOrNot(text string) string {
	if strings.HasPrefix(text, `{"Event"`) {
		return text
	}
	return bundled(text)
}

// TestDeletedWithoutIDs: an attribute is taken back whatever its marks are then.
func TestDeletedWithoutIDs(t *testing.T) {
	read(t, `{"Event":{"uuid":"5a5a5a5a-0000-4000-8000-000000000000","info":"x","Attribute":[{"uuid":"5a5a5a5a-0000-4000-8000-000000000001","type":"domain","value":"","to_ids":false,"deleted":true,"timestamp":"1760000000"}]}}`).
		want(t, "revoked=indicator--5a5a5a5a-0000-4000-8000-000000000001").wantRefused(t)
}

// TestObjectsOfAnObject: only a bundle has objects. An indicator that has some by that
// name is read itself, and what follows keeps its place.
func TestObjectsOfAnObject(t *testing.T) {
	s := read(t, `[`+stixSaid("1", "203.0.113.1", `,"objects":[`+stixSaid("2", "203.0.113.2", "")+`,{},{}]`)+`,`+stixSaid("3", "203.0.113.3", "")+`]`).
		want(t, "ip=203.0.113.1", "ip=203.0.113.3")
	if !slices.Equal(s.lines, []int{1, 2}) {
		t.Errorf("lines %v", s.lines)
	}
}
