package parse

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

func TestCSV(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, text string
		csv        fact.CSV
		want       []string
	}{
		{name: "header names a column", text: "Domain,Malware\na.example,loki\n b.example,x\n", want: []string{"domain=a.example", "domain=b.example"}},
		{name: "header in a comment", text: "# title\n# id,ioc_value,x\n1,a.example,y\n", want: []string{"domain=a.example"}},
		{name: "no header, third column", text: "2021-03-10,x," + sha + ",White\n2021-03-10,y," + sha[:40] + ",White\n", want: []string{"hash=" + sha, "hash=" + sha[:40]}},
		{name: "type column", text: "IndicatorType,Indicator\nFileHash-SHA256," + sha + "\nipv4-addr,203.0.113.7\nURL,bad.example\nfilepath,c:\\x\nJA3," + sha[:32] + "\n",
			want: []string{"hash=" + sha, "ip=203.0.113.7", "url=//bad.example/", "!\"filepath\" is no type", "ja3=" + sha[:32]}},
		{name: "column of a kind that looks like another", text: "sslbl,ja3,why\nx," + sha[:32] + ",y\n", want: []string{"ja3=" + sha[:32]}},
		{name: "by number", text: "a.example,b.example\n", csv: fact.CSV{Value: "2"}, want: []string{"domain=b.example"}},
		{name: "by header", text: "x,Bad Host\na.example,b.example\n", csv: fact.CSV{Value: "bad host"}, want: []string{"domain=b.example"}},
		{name: "tabs", text: "host\tx\na.example\ty\n", csv: fact.CSV{Comma: "tab", Value: "host"}, want: []string{"domain=a.example"}},
		{name: "tabs by looks", text: "ioc\tx\na.example\ty\n", csv: fact.CSV{Value: "ioc"}, want: []string{"domain=a.example"}},
		{name: "semicolons", text: "ioc;x\na.example;y\n", csv: fact.CSV{Value: "ioc"}, want: []string{"domain=a.example"}},
		{name: "quotes", text: "ioc,x\n\"a.example\",\"say \"\"hi\"\", you\"\n\"http://b.example/a,b\",\"two\nlines\"\nc.example, \"x\" y\n", want: []string{"domain=a.example", "url=http://b.example/a,b", "domain=c.example"}},
		{name: "quote without an end", text: "ioc,x\na.example,\"never\nb.example,x\n", want: []string{"!without its end"}},
		{name: "short rows", text: "x,ioc\n1,a.example\n2\n", want: []string{"domain=a.example", "!no value"}},
		{name: "byte order mark", text: "\ufeffioc,x\na.example,y\n", want: []string{"domain=a.example"}},
		{name: "nothing is a value", text: "1,2\n3,4\n", csv: fact.CSV{Header: "no"}, want: nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, c.text, func(f *fact.Feed) {
				f.Format = fact.FormatCSV
				if f.CSV.Value, f.CSV.Comma = c.csv.Value, c.csv.Comma; c.csv.Header != "" {
					f.CSV.Header = c.csv.Header
				}
			})
			var values, reasons []string
			for _, w := range c.want {
				if reason, ok := strings.CutPrefix(w, "!"); ok {
					reasons = append(reasons, reason)
				} else {
					values = append(values, w)
				}
			}
			if c.want == nil {
				reasons = []string{"no field is a value", "no field is a value"}
			}
			s.want(t, values...).wantRefused(t, reasons...)
		})
	}
}

func TestCSVColumns(t *testing.T) {
	text := "v,ty,ve,se,co,tl,la,ma,ac,fi,un,ls\n" +
		`a.example,domain,suspicious,high,60,TLP:AMBER,"one, two",loki,apt0,2026-01-02T03:04:05Z,2026-02-01,2026-01-05` + "\n"
	s := read(t, text, func(f *fact.Feed) {
		f.CSV = fact.CSV{Header: "auto", Value: "v", Type: "ty", Verdict: "ve", Severity: "se", Confidence: "co", TLP: "tl", Label: "la", Malware: "ma", Actor: "ac", First: "fi", Until: "un", Seen: "ls"}
	}).want(t, "domain=a.example").wantRefused(t)
	i := s.said[0].Indicator
	if i.Verdict != schema.VerdictSuspicious || i.Severity != schema.SeverityHigh || i.Confidence != 60 || i.TLP != schema.TLPAmber || !slices.Equal(i.Labels, []string{"one", "two"}) ||
		!slices.Equal(i.Threats, []schema.Threat{{Kind: schema.ThreatMalware, Name: "loki"}, {Kind: schema.ThreatActor, Name: "apt0"}}) ||
		i.ValidFrom.String() != "2026-01-02T03:04:05.000Z" || i.ValidUntil.String() != "2026-02-01T00:00:00.000Z" || i.Fresh.String() != "2026-01-05T00:00:00.000Z" {
		t.Errorf("got %+v", i)
	}
}

// TestCSVTimes: a time that could be two is not guessed.
func TestCSVTimes(t *testing.T) {
	set := func(f *fact.Feed) { f.CSV = fact.CSV{Value: "ioc", First: "from", Until: "to", Seen: "seen"} }
	s := read(t, "ioc,from,to,seen\na.example,03/04/2021,,never\nb.example,03/04/2021,-,2100-01-01\nc.example,,03/04/2021,\nd.example,2026-02-01,2026-01-01,\n", set)
	s.want(t, "domain=a.example", "domain=b.example").wantRefused(t, "column first", "column until", "not after")
	if s.said[0].ValidFrom != 0 || s.said[1].Fresh != now {
		t.Errorf("times: %+v", s.said)
	}
	// A column that is found by its name costs no row.
	s = read(t, "ioc,valid_from,valid_until\na.example,2026-01-02,03/04/2021\nb.example,2026-02-01,2026-02-01\n").want(t, "domain=a.example", "domain=b.example").wantRefused(t, "column until")
	if s.said[0].ValidFrom == 0 || s.said[0].ValidUntil != 0 || s.said[1].ValidFrom != 0 || s.said[1].ValidUntil == 0 {
		t.Errorf("times: %+v", s.said)
	}
}

func TestCSVErrors(t *testing.T) {
	for _, c := range []fact.CSV{{Value: "nope"}, {Value: "0"}, {Comma: "ab"}, {Value: "99999"}} {
		var s sink
		err := Read(context.Background(), strings.NewReader("x,y\na.example,z\n"), feed(func(f *fact.Feed) { f.CSV, f.Format = c, fact.FormatCSV }), fact.Part{}, now, &s)
		if err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
	read(t, "ioc,tlp\na.example,purple\n").want(t).wantRefused(t, "TLP")
}

// TestCSVLongRecord: a quote that nobody closes costs a bounded part of the feed.
func TestCSVLongRecord(t *testing.T) {
	text := "ioc,x\na.example,\"" + strings.Repeat("line of a note\n", 20_000) + "b.example,y\nc.example,z\n"
	s := read(t, text)
	if len(s.said) != 2 || s.reasons()[0] != errRecord.Error() || s.refused[0].Line != 2 {
		t.Errorf("said %v, first refusal %+v", s.values(), s.refused[0])
	}
}

func TestRows(t *testing.T) {
	s := read(t, `{"Metadata":{"a":1},"Rows":[{"Indicator":"a.example","IndicatorType":"domain","TLP":"white","More":{"x":[1]}},{"Indicator":"203.0.113.7","Confidence":80},{"x":1}]}`)
	s.want(t, "domain=a.example", "ip=203.0.113.7").wantRefused(t, "no field is a value")
	if s.said[1].Confidence != 80 {
		t.Errorf("confidence %d", s.said[1].Confidence)
	}
	read(t, `[{"url":"http://a.example/x"},{"url":"b"}]`).want(t, "url=http://a.example/x").wantRefused(t, "neither")
	read(t, `{"ioc":"a.example"}`+"\n"+`{"ioc":"b.example"}`+"\n").want(t, "domain=a.example", "domain=b.example")
}
