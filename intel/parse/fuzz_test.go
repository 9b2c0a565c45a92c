package parse

import (
	"bytes"
	"context"
	"testing"
	"unicode/utf8"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/stages/match"
)

// fuzzSink holds what every fact must keep to.
type fuzzSink struct {
	t *testing.T
	f *fact.Feed
}

func (s fuzzSink) text(texts ...string) {
	for _, x := range texts {
		if !utf8.ValidString(x) {
			s.t.Errorf("%q is not UTF-8", x)
		}
	}
}

func (s fuzzSink) Said(_ int, x fact.Said) error {
	s.text(x.ID, x.Value)
	s.text(x.Labels...)
	if x.Revoked || x.Value == "" { // a version that holds nothing
		if x.ID == "" || x.Version == 0 && !x.Revoked {
			s.t.Errorf("%+v was taken", x)
		}
		return nil
	}
	if err := match.Check(x.Indicator); err != nil {
		s.t.Errorf("%+v was taken: %v", x, err)
	}
	if !s.f.Takes(x.Type) || x.ID == "" || x.Feed != s.f.Name || x.Fresh > now {
		s.t.Errorf("%+v was taken", x)
	}
	if o, err := Value(x.Type, x.Value); err != nil || o.Value != x.Value || o.Type != x.Type {
		s.t.Errorf("%v %q is not canonical: %v %q (%v)", x.Type, x.Value, o.Type, o.Value, err)
	}
	return nil
}

func (s fuzzSink) Object(_ int, o fact.Object) error {
	s.text(o.ID, o.Name, o.Desc)
	s.text(o.Labels...)
	s.text(o.Refs...)
	if len(o.Name) > maxName || len(o.Desc) > maxDesc || len(o.Labels) > maxLabels {
		s.t.Errorf("%+v has no bounds", o)
	}
	return nil
}

func (s fuzzSink) Relation(_ int, r fact.Relation) error {
	s.text(r.ID, r.Type, r.From, r.To)
	return nil
}

func (s fuzzSink) Sighting(_ int, x fact.Sighting) error {
	s.text(x.ID, x.Of, x.By)
	return nil
}

func (s fuzzSink) Refuse(r fact.Refusal) error {
	s.text(r.Value, r.Reason)
	if r.Reason == "" || len(r.Value) > maxShown {
		s.t.Errorf("refusal %+v", r)
	}
	return nil
}

// FuzzRead holds that no feed of any format crashes the reader, that whatever it
// takes may stand in an index, and that every text is bounded UTF-8.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"203.0.113.7 # c2\nbad[.]example\n0.0.0.0 a.example\n||b.example^\n", "id,ioc,tlp\n1,a.example,red\n", "\"a\nb\",203.0.113.7\n",
		bundled(stixSaid("1", "203.0.113.7", ""), stixText("malware", "1", `,"name":"x"`), stixText("sighting", "1", `,"sighting_of_ref":"indicator--1"`)),
		mispEventText(`,"Tag":[{"name":"misp-galaxy:threat-actor=\"x\""}]`, mispText(1, "domain|ip", "a.example|203.0.113.7", `,"Sighting":[{"type":"0","date_sighting":"1"}]`)),
		`{"name":"n","type":"string","list":["a.example",".b.example","com"],"matching_attributes":["domain"]}`, `{"rows":[{"ioc":"a.example","last_seen":"2026-01-01"}]}`, `["a.example"]`,
		"address=/a.example/#\nlocal-zone: \"b.example\" static\nzone \"c.example\" { type master; };\nd.example CNAME rpz-drop.\n24.0.113.0.203.rpz-ip CNAME .\n128.1.zz.db8.2001.rpz-ip CNAME .\n",
		"-A INPUT -s 203.0.113.7 -j DROP\nadd bad 203.0.113.8\ndeny 203.0.113.9;\naccess-list 10 deny 198.51.100.0 0.0.0.255\nblock drop from 203.0.113.10 to any\n",
		`alert tcp any any -> [203.0.113.7,2001:db8::1] [80,443] (msg:"x;\"y"; tls.fingerprint:"0f:0f"; sid:1;)`, "203.0.113.1-203.0.113.9\nx:203.0.113.1-203.0.113.9\n203.0.113.0 255.255.255.0\nMD5: x\n- `a.example`\n",
		iocText(`<Indicator operator="OR">` + iocItemText("contains", "Network/DNS", "a.example") + `<Indicator operator="AND">` + iocItemText("is", "PortItem/remoteIP", "203.0.113.7") + `</Indicator></Indicator>`),
		"\xff\xfea\x00.\x00b\x00\n\x00", "domain,ip,sha256,md5,to_ids,tags,valid_until\na.example,203.0.113.7,,,0,x,2030-01-01\n", `{"results":[{"tags":["x"],"indicators":[{"indicator":"a.example","type":"domain"}]}],"ips":["203.0.113.7"]}`,
	} {
		f.Add([]byte(s), uint8(0))
		f.Add(gzipped(f, []byte(s)), uint8(0))
	}
	f.Add([]byte(`{"type":"indicator","id":"indicator--","modified":"2000-01-01T0:00:00Z"}`), uint8(0x1e))
	f.Add(zipped(f, 8, "a.example\n"), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, format uint8) {
		settings := feed(func(f *fact.Feed) {
			f.Format = fact.Formats()[int(format)%len(fact.Formats())]
			f.Types, f.MaxBytes, f.IDsOnly = allTypes(), 1<<20, format&8 == 0
		})
		// An error is an answer; what was passed before it must hold all the same.
		_ = Read(context.Background(), bytes.NewReader(data), settings, fact.Part{Name: [...]string{"p", "p.md", "p.csv", "p.ioc"}[format>>6]}, now, fuzzSink{t, settings})
	})
}
