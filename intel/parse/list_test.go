package parse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

func TestList(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // values, or "!" and a part of a reason
	}{
		{"comments", "\ufeff# feed of the day\r\n203.0.113.7 # c2\r\n! title\n; zone\n// note\n[Adblock Plus 2.0]\n\n", []string{"ip=203.0.113.7"}},
		{"notes", "bad[.]example ; note\nb.example,x\nc.example;x\nd.example\tlabel\ne.example text\n", []string{"domain=bad.example", "domain=b.example", "domain=c.example", "domain=d.example", "domain=e.example"}},
		{"quotes", `"a.example","x"` + "\n'b.example'\n", []string{"domain=a.example", "domain=b.example"}},
		{"url keeps its commas", "http://a.example/x,y;z\nhttp://a.example/x, note\nhttp://a.example,x\na.example/x;y\nhttp://a.example/x;\n",
			[]string{"url=http://a.example/x,y;z", "url=http://a.example/x", "url=http://a.example/", "url=//a.example/x;y", "url=http://a.example/x"}},
		{"network with a note", "198.51.100.0/24,hoster\n", []string{"cidr=198.51.100.0/24"}},
		{"tab ends a value", "/a b;\tmalware/x\nhttp://a.example/x;\ty\n", []string{"url_path=/a%20b;", "url=http://a.example/x;"}},
		{"hosts file", "0.0.0.0 a.example b.example # two\n127.0.0.1\tc.example\n127.0.0.1 localhost\n", []string{"domain=a.example", "domain=b.example", "domain=c.example", "!neither"}},
		{"filter list", "||a.example^\n||b.example^$third-party\n@@||c.example^\n||d.example/ads^\n", []string{"domain=a.example", "!options", "!exception", "!pattern"}},
		{"hosts file with a tab behind", "0.0.0.0 a.example\tnote\n", []string{"domain=a.example"}},
		{"nothing before a tab", "\u00a0\tx\n", nil},
		{"signs of a filter rule in a path", "/00o0##00.doc\tmalware\nhttp://a.example/x#@#y\n", []string{"url_path=/00o0", "url=http://a.example/x"}},
		{"path with a note", "/gate.php x\n", []string{"!blank behind it"}},
		{"suffix", "com\nco.uk\n", []string{"!neither", "!suffix"}},
		{"hosted", "ec2-203-0-113-7.compute-1.amazonaws.com\ncompute-1.amazonaws.com\ngithub.io\n", []string{"domain=ec2-203-0-113-7.compute-1.amazonaws.com", "!suffix", "!suffix"}},
		{"wide network", "203.0.0.0/4\n", []string{"!wider"}},
		{"fragment", "http://a.example/x#y\n", []string{"url=http://a.example/x"}},
		{"no line end", "a.example", []string{"domain=a.example"}},
		{"JSON array", `["a.example", "203.0.113.7", 7]`, []string{"domain=a.example", "ip=203.0.113.7", "!no object"}},
		{"address in brackets", "[2001:db8::1]:443\n[.]\n", []string{"socket=[2001:db8::1]:443", "!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, c.text, func(f *fact.Feed) { f.Types = allTypes() })
			var values, reasons []string
			for _, w := range c.want {
				if reason, ok := strings.CutPrefix(w, "!"); ok {
					reasons = append(reasons, reason)
				} else {
					values = append(values, w)
				}
			}
			s.want(t, values...).wantRefused(t, reasons...)
		})
	}
}

func allTypes() (names []string) {
	for t := 1; t < schema.ObservableTypes; t++ {
		names = append(names, schema.ObservableType(t).String())
	}
	return names
}

func TestListDefaults(t *testing.T) {
	s := read(t, "203.0.113.7\tmalicious/x\n203.0.113.8\t5\n", func(f *fact.Feed) {
		f.Tenant, f.Verdict, f.Severity, f.Confidence, f.TLP, f.Wish, f.Rank = "acme", schema.VerdictSuspicious, schema.SeverityHigh, 40, schema.TLPRed, schema.WishWarn, 9
		f.Labels, f.ValidFor = []string{"l"}, time.Hour
	})
	s.want(t, "ip=203.0.113.7", "ip=203.0.113.8")
	i := s.said[0]
	if i.Feed != "f" || i.Tenant != "acme" || i.Verdict != schema.VerdictSuspicious || i.Severity != schema.SeverityHigh || i.Confidence != 40 || i.TLP != schema.TLPRed ||
		i.Wish != schema.WishWarn || i.Rank != 9 || !slices.Equal(i.Labels, []string{"l", "malicious/x"}) || !strings.HasPrefix(i.ID, "indicator--") {
		t.Errorf("defaults are missing on %+v", i)
	}
	if !slices.Equal(s.said[1].Labels, []string{"l"}) {
		t.Errorf("a score became a label: %q", s.said[1].Labels)
	}
	again := read(t, "203.0.113.7\n", func(f *fact.Feed) { f.Tenant = "acme" })
	if again.said[0].ID != i.ID || s.said[1].ID == i.ID {
		t.Error("ids do not derive from feed, type and value")
	}
}

// TestTypes: what the feed's settings do not admit is refused with the way to it.
func TestTypes(t *testing.T) {
	s := read(t, "/gate.php\na.example\n")
	s.want(t, "domain=a.example").wantRefused(t, "where the feed's types name it")
	s = read(t, "/gate.php\na.example\n", func(f *fact.Feed) { f.Types = []string{"url_path"} })
	s.want(t, "url_path=/gate.php").wantRefused(t, "type domain is not among")
	red := func(f *fact.Feed) { f.TLP = schema.TLPRed }
	read(t, "a.example\n", red).want(t).wantRefused(t, "only by a feed with a tenant")
}

func TestListLines(t *testing.T) {
	text := "a.example\n" + strings.Repeat("x", 3*maxLine) + "\nb.example\n" + strings.Repeat("y", maxLine)
	s := read(t, text).want(t, "domain=a.example", "domain=b.example").wantRefused(t, "longer than", "longer than")
	if s.lines[1] != 3 || s.refused[0].Line != 2 || s.refused[1].Line != 4 || len(s.refused[0].Value) > maxShown || s.refused[0].Part != "part" {
		t.Errorf("lines %v, refused %+v", s.lines, s.refused)
	}
}

func TestPages(t *testing.T) {
	for _, text := range []string{"<!DOCTYPE html><html>", "  <?xml version='1.0'?>", "<{}>", `{"error":"unauthorized"}`, `{"message":"quota","code":429}`} {
		var s sink
		if err := Read(context.Background(), strings.NewReader(text), feed(), fact.Part{}, now, &s); err == nil || len(s.said) > 0 {
			t.Errorf("%q: error %v, said %v", text, err, s.values())
		}
	}
	for _, text := range []string{"", "\n\n", "{}", `{"more":false}`, `{"type":"bundle","id":"bundle--1"}`, `{"objects":[]}`, "[]", `{"response":[]}`} {
		read(t, text).want(t).wantRefused(t)
	}
}

func BenchmarkList(b *testing.B) {
	var text strings.Builder
	const n = 200_000
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&text, "198.51.%d.%d\tmalware/x\n", i/256%256, i%256)
		case 1:
			fmt.Fprintf(&text, "host-%d.bad.example\n", i)
		case 2:
			fmt.Fprintf(&text, "http://host-%d.bad.example/a/b.php?id=%d\n", i, i)
		default:
			fmt.Fprintf(&text, "%064x\n", i*7919)
		}
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		var c counter
		if err := Read(b.Context(), strings.NewReader(text.String()), feed(), fact.Part{}, now, &c); err != nil || c.said < n-1 {
			b.Fatal(err, c.said, c.reason)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
