package parse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

const mispUUID = "5a5a5a5a-0000-4000-8000-%012d"

// mispText gives an attribute; more are members with a comma before each.
func mispText(n int, typ, value, more string) string {
	return fmt.Sprintf(`{"uuid":"`+mispUUID+`","type":%q,"value":%q,"to_ids":true,"timestamp":"1767225600"%s}`, n, typ, value, more)
}

// mispEventText gives an event of attributes.
func mispEventText(more string, attributes ...string) string {
	return `{"Event":{"uuid":"` + fmt.Sprintf(mispUUID, 999) + `","info":"Bad campaign","date":"2026-01-05","threat_level_id":"1","timestamp":"1767225600"` + more +
		`,"Attribute":[` + strings.Join(attributes, ",") + `]}}`
}

func TestMISPTypes(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	for _, c := range []struct {
		typ, value string
		want       []string // values, or "!" and a part of the reason
	}{
		{"ip-src", "203.0.113.7", []string{"ip=203.0.113.7"}},
		{"ip-dst", "203.0.113.0/24", []string{"cidr=203.0.113.0/24"}},
		{"ip-dst|port", "203.0.113.7|443", []string{"socket=203.0.113.7:443"}},
		{"ip-src|port", "2001:db8::7|443", []string{"socket=[2001:db8::7]:443"}},
		{"domain", "Bad.Example", []string{"domain=bad.example"}},
		{"hostname", "www.bad.example", []string{"domain=www.bad.example"}},
		{"hostname|port", "bad.example|443", []string{"!\"hostname|port\" is not matched"}},
		{"domain|ip", "bad.example|203.0.113.7", []string{"domain=bad.example", "ip=203.0.113.7"}},
		{"domain|ip", "bad.example|nonsense", []string{"domain=bad.example", "!no address"}},
		{"url", "hxxp://bad.example/x", []string{"url=http://bad.example/x"}},
		{"uri", "/gate.php", []string{"url_path=/gate.php"}},
		{"md5", sha[:32], []string{"hash=" + sha[:32]}},
		{"filename|sha256", "a|b.exe|" + sha, []string{"hash=" + sha}},
		{"malware-sample", "x.exe|" + sha[:32], []string{"hash=" + sha[:32]}},
		{"filename|ssdeep", "x.exe|3:ab:cd", []string{"ssdeep=3:ab:cd"}},
		{"email-src", "A@bad.example", []string{"email=a@bad.example"}},
		{"email-src-display-name", "Joe", []string{"!\"email-src-display-name\" is not matched"}},
		{"x509-fingerprint-sha1", sha[:40], []string{"certificate=" + sha[:40]}},
		{"ja3-fingerprint-md5", sha[:32], []string{"ja3=" + sha[:32]}},
		{"jarm", sha[:62], []string{"!\"jarm\" is not matched"}},
		{"user-agent", "Bad/1.0", []string{"user_agent=Bad/1.0"}},
		{"mutex", `Global\Bad`, []string{`mutex=Global\Bad`}},
		{"regkey", `HKLM\Software\Bad`, []string{`registry=hkey_local_machine\software\bad`}},
		{"regkey|value", `HKLM\Software\Run|bad.exe`, []string{"!\"regkey|value\" is not matched"}},
		{"link", "https://blog.example/x", []string{"!kept with the event"}},
		{"comment", "text", []string{"!\"comment\" is not matched"}},
		{"md5", "short", []string{"!no MD5"}},
		{"md5", "", []string{"!no type or no value"}},
	} {
		s := read(t, mispEventText("", mispText(1, c.typ, c.value, "")), func(f *fact.Feed) { f.Types = allTypes() })
		var values, reasons []string
		for _, w := range c.want {
			if reason, ok := strings.CutPrefix(w, "!"); ok {
				reasons = append(reasons, reason)
			} else {
				values = append(values, w)
			}
		}
		s.want(t, values...).wantRefused(t, reasons...)
		if len(s.objects) != 1 || (len(values) > 0) != (len(s.objects[0].Refs) == 1) || (c.typ == "link") != (len(s.objects[0].Links) == 1) {
			t.Errorf("%s: event %+v", c.typ, s.objects)
		}
	}
}

func TestMISPEvent(t *testing.T) {
	tags := `,"Tag":[{"name":"tlp:amber"},{"name":"misp-galaxy:threat-actor=\"APT0\""},{"name":"misp-galaxy:mitre-attack-pattern=\"Phishing - T1566\""},{"name":"misp-galaxy:sector=\"x\""},{"name":"type:OSINT"}]`
	object := `,"Object":[{"name":"file","Attribute":[` + mispText(7, "domain", "obj.example", "") + `]},{"deleted":true,"Attribute":[` + mispText(8, "domain", "gone.example", "") + `]}]`
	s := read(t, mispEventText(tags+object,
		mispText(1, "domain", "a.example", `,"last_seen":"2026-02-01T00:00:00.000000+00:00","Sighting":[{"type":"0","date_sighting":"1769904001","Organisation":{"name":"ACME"}},{"type":"1","date_sighting":"1769904001"},{"type":"2","date_sighting":"1775000000"}]`),
		mispText(2, "domain", "b.example", `,"Tag":[{"name":"tlp:white"},{"name":"misp-galaxy:malpedia=\"Loki\""}]`),
		mispText(3, "domain", "c.example", `,"deleted":"1"`),
		strings.Replace(mispText(4, "domain", "d.example", ""), `"to_ids":true`, `"to_ids":false`, 1),
		mispText(5, "vulnerability", "CVE-2026-0001", ""),
		`{"type":"domain","value":"e.example","to_ids":"1","timestamp":9999999999999999999999}`,
	)).want(t, "domain=a.example", "domain=b.example", "revoked=indicator--"+fmt.Sprintf(mispUUID, 3), "domain=e.example", "domain=obj.example", "revoked=indicator--"+fmt.Sprintf(mispUUID, 8))
	s.wantRefused(t, "false positive", "to_ids")
	a, b := s.said[0], s.said[1]
	if a.ID != "indicator--"+fmt.Sprintf(mispUUID, 1) || a.TLP != schema.TLPAmber || a.Version.String() != "2026-01-01T00:00:00.000Z" || a.Fresh.String() != "2026-02-01T00:00:00.000Z" || a.ValidUntil == 0 ||
		len(a.Threats) != 2 || a.Threats[1].Name != "T1566" || !slices.Contains(a.Labels, "type:OSINT") {
		t.Errorf("first: %+v", a)
	}
	if b.TLP != schema.TLPAmber || len(b.Threats) != 3 || b.Threats[2] != (schema.Threat{Kind: schema.ThreatMalware, ID: b.Threats[2].ID, Name: "Loki"}) {
		t.Errorf("second: %+v", b)
	}
	if e := s.said[3]; e.Version != 0 || !strings.HasPrefix(e.ID, "indicator--") {
		t.Errorf("without uuid: %+v", e)
	}
	var kinds []string
	for _, o := range s.objects {
		kinds = append(kinds, o.Kind.String()+" "+o.Name+" "+o.Technique)
	}
	if want := []string{"actor APT0 ", "technique T1566 T1566", "malware Loki ", "vulnerability CVE-2026-0001 ", "report Bad campaign "}; !slices.Equal(kinds, want) {
		t.Fatalf("objects %q, want %q", kinds, want)
	}
	r := s.objects[4]
	if r.ID != "misp-event--"+fmt.Sprintf(mispUUID, 999) || r.TLP != schema.TLPAmber || r.First.String() != "2026-01-05T00:00:00.000Z" || len(r.Refs) != 4 || r.Refs[0] != a.ID ||
		!slices.Contains(r.Labels, "threat-level:high") {
		t.Errorf("report: %+v", r)
	}
	var relations []string
	for _, x := range s.relations {
		if x.From != r.ID {
			t.Errorf("relation %+v", x)
		}
		relations = append(relations, x.Type)
	}
	if !slices.Equal(relations, []string{"related-to", "attributed-to", "uses"}) {
		t.Errorf("relations %q", relations)
	}
	if len(s.sightings) != 1 || s.sightings[0].Of != a.ID || s.sightings[0].By != "ACME" || s.sightings[0].Last != 1_769_904_001_000 {
		t.Errorf("sightings: %+v", s.sightings)
	}
}

func TestMISPShapes(t *testing.T) {
	event := mispEventText("", mispText(1, "domain", "a.example", ""))
	bare := strings.TrimSuffix(strings.TrimPrefix(event, `{"Event":`), "}")
	one := mispText(1, "domain", "a.example", `,"Event":{"id":"1","info":"x"}`)
	for _, text := range []string{event, bare, `[` + event + `]`, `{"response":[` + event + `]}`, `{"response":{"Attribute":[` + one + `],"x":1}}`, `[` + one + `]`, event + "\n"} {
		read(t, text).want(t, "domain=a.example").wantRefused(t)
		read(t, text, func(f *fact.Feed) { f.Format = fact.FormatMISP }).want(t, "domain=a.example").wantRefused(t)
	}
	read(t, `{"response":[`+event+`,{"x":1}]}`, func(f *fact.Feed) { f.Format = fact.FormatMISP }).want(t, "domain=a.example").wantRefused(t, "neither a MISP event")
}

func TestWarninglist(t *testing.T) {
	list := func(typ, attributes string, values ...string) string {
		return `{"description":"d","list":["` + strings.Join(values, `","`) + `"],"matching_attributes":[` + attributes + `],"name":"Known good","type":"` + typ + `","version":7}`
	}
	sha := strings.Repeat("0f", 20)
	s := read(t, list("hostname", `"domain","hostname","url"`, "good.example", ".Deep.example", "co.uk", "com", "203.0.113.7", "page.example/x"), func(f *fact.Feed) {
		f.Severity, f.Wish, f.Labels = schema.SeverityHigh, schema.WishBlock, []string{"l"}
	}).want(t, "domain=good.example", "domain=deep.example", "domain=co.uk", "url=//page.example/x").wantRefused(t, "single label", "no kind")
	for i, exact := range []bool{false, false, true, false} {
		x := s.said[i]
		if x.Exact != exact || !x.Listed || x.Verdict != schema.VerdictBenign || x.Severity != schema.SeverityUnknown || x.Wish != schema.WishNone || !slices.Equal(x.Labels, []string{"Known good", "l"}) {
			t.Errorf("%s: %+v", x.Value, x)
		}
	}
	s = read(t, list("string", `"domain","hostname"`, "good.example", ".deep.example")).want(t, "domain=good.example", "domain=deep.example")
	if !s.said[0].Exact || s.said[1].Exact {
		t.Errorf("exact: %+v", s.said)
	}
	s = read(t, list("cidr", `"ip-src","ip-dst"`, "198.51.100.0/24", "203.0.113.7", "127.0.0.1", "2001:DB8::/32")).want(t, "cidr=198.51.100.0/24", "ip=203.0.113.7", "cidr=2001:db8::/32").wantRefused(t, "single machine")
	if s.said[0].Exact {
		t.Errorf("a network is exact: %+v", s.said[0])
	}
	read(t, list("string", `"sha1","x509-fingerprint-sha1"`, sha)).want(t, "hash="+sha, "certificate="+sha)
	read(t, list("string", `"x509-fingerprint-sha1"`, sha)).want(t, "certificate="+sha)
	read(t, list("regex", `"domain"`, "^x")).want(t).wantRefused(t, "never patterns")
	read(t, list("substring", `"domain"`, "x", "y")).want(t).wantRefused(t, "never patterns")
	a := read(t, list("string", ``, "good.example")).want(t, "domain=good.example").said[0]
	b := read(t, strings.Replace(list("string", ``, "good.example"), "Known good", "Other", 1)).said[0]
	if a.ID == b.ID {
		t.Error("two lists share the id of a value")
	}
	read(t, list("string", `"hostname"`, "localhost.localdomain", "good.js")).want(t, "domain=localhost.localdomain", "domain=good.js").wantRefused(t)
}
