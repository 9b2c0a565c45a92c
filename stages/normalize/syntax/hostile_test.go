package syntax

import (
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
)

var wide = []string{"@line", "@syslog.host", "@syslog.app", "@syslog.time", "@syslog.message", "@syslog.sd.*.*", "@cef.*", "@cef.ext.*", "@cef.custom.*", "@leef.*", "@leef.ext.*",
	"@kv.*", "@col.*", "@col.300", "@cisco.*", "@snort.*", "Event", "Event.*", "*.*.*", "Event.EventData.*", "Event.x[].y", "Event.x{}.y"}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func TestFaults(t *testing.T) {
	limits := extract.Limits{MaxDepth: 4, MaxKeys: 10, MaxString: 20, MaxDocument: 400}
	const cef = "CEF:0|a|b|c|d|e|5|"
	long := repeat("x", 21)
	for _, c := range []struct {
		name, text string
		reason     schema.Reason
		at         int
	}{
		{"empty", "", schema.ReasonEmpty, 0},
		{"blank", " \t\r\n\x00", schema.ReasonEmpty, 0},
		{"large", repeat("x", 401), schema.ReasonTooLarge, 400},
		{"nul", "a\x00b", schema.ReasonBadField, 1},
		{"nul behind seven", "abcdefgh\x00b", schema.ReasonBadField, 8},
		{"escape", "a\x1b[0m", schema.ReasonBadField, 1},
		{"delete", "abc\x7f", schema.ReasonBadField, 3},
		{"second line", "a=1 b=2\nc=3", schema.ReasonBadField, 7},
		{"not UTF-8", "abcd\xffg", schema.ReasonInvalidUTF8, 4},
		{"overlong", "abc\xc0\x80", schema.ReasonInvalidUTF8, 3},
		{"not UTF-8 in a header", "<13>Oct 11 22:14:15 h\xffst {\"a\":1}", schema.ReasonInvalidUTF8, 21},
		{"cef keys", cef + repeat("k=v ", 11), schema.ReasonTooManyKeys, len(cef) + 40},
		{"cef value", cef + "k=" + long, schema.ReasonTooLarge, len(cef) + 2},
		{"cef header", "CEF:0|" + long + "|b|c|d|e|5|", schema.ReasonTooLarge, 6},
		{"cef escaped bars", `CEF:0|a\|b\|c\|d\|e\|5\|`, schema.ReasonBadField, 24},
		{"leef keys", "LEEF:1.0|a|b|c|d|" + repeat("k=v\t", 11), schema.ReasonTooManyKeys, 57},
		{"leef value", "LEEF:1.0|a|b|c|d|k=" + long + "\tl=m", schema.ReasonTooLarge, 19},
		{"pairs", repeat("k=v ", 11), schema.ReasonTooManyKeys, 40},
		{"pair value", "a=1 b=2 c=" + long, schema.ReasonTooLarge, 10},
		{"quoted pair value", `a=1 b=2 c="` + long + `"`, schema.ReasonTooLarge, 11},
		{"columns", repeat("x,", 11), schema.ReasonTooManyKeys, 20},
		{"column", repeat("x,", 9) + long, schema.ReasonTooLarge, 18},
		{"quoted column", repeat("x,", 9) + `"` + long + `"`, schema.ReasonTooLarge, 19},
		{"host", "<13>Oct 11 22:14:15 " + long + " app: x", schema.ReasonTooLarge, 20},
		{"structured data", "<13>1 - h a p m [i " + repeat(`k="v" `, 10) + `k="v"]`, schema.ReasonTooManyKeys, 79},
		{"structured value", `<13>1 - h a p m [i k="` + long + `"]`, schema.ReasonTooLarge, 22},
		{"colons", repeat("k: v, ", 11), schema.ReasonTooManyKeys, 60},
		{"check point", "[" + repeat(`k:"v"; `, 11) + "]", schema.ReasonTooManyKeys, 71},
		{"title", "[**] [1:2:3] " + long + " [**]", schema.ReasonTooLarge, 13},
		{"deep", repeat("<a>", 5) + repeat("</a>", 5), schema.ReasonTooDeep, 12},
		{"elements", "<a>" + repeat("<b/>", 10) + "</a>", schema.ReasonTooManyKeys, 39},
		{"attributes", `<a b="1" c="2" d="3" e="4" f="5" g="6" h="7" i="8" j="9" k="10"/>`, schema.ReasonTooManyKeys, 0},
		{"text", "<a>" + long + "</a>", schema.ReasonTooLarge, 0},
		{"attribute", `<a b="` + long + `"/>`, schema.ReasonTooLarge, 0},
		{"document type", `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, schema.ReasonBadField, 0},
		{"entity", "<a>&x;</a>", schema.ReasonBadField, 3},
		{"two documents", "<a></a><b></b>", schema.ReasonBadField, 7},
		{"open", "<a><b></b>", schema.ReasonBadField, 10},
		{"crossed", "<a><b></a></b>", schema.ReasonBadField, 6},
	} {
		g := newRig(t, limits, wide...)
		if f := g.read(c.text); f.Reason != c.reason || f.At != c.at || f.What == "" {
			t.Errorf("%s: got %s at %d, %q; want %s at %d", c.name, f.Reason, f.At, f.What, c.reason, c.at)
		}
	}
}

// TestTooManyValues fills the tape.
func TestTooManyValues(t *testing.T) {
	limits := extract.Limits{MaxDepth: 4, MaxKeys: 1 << 20, MaxString: 20, MaxDocument: 1 << 20}
	for name, text := range map[string]string{
		"structured data": "<13>1 - h a p m [i " + repeat(`k="v" `, 20_000) + `k="v"]`,
		"elements":        "<Event>" + repeat("<x>1</x>", 20_000) + "</Event>",
	} {
		g := newRig(t, limits, "@syslog.sd.i.k", "Event.x")
		if f := g.read(text); f.Reason != schema.ReasonTooLarge {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

// TestLinear reads what would take minutes if something were quadratic.
func TestLinear(t *testing.T) {
	const size = 1 << 17
	limits := extract.Limits{MaxDepth: 64, MaxKeys: size, MaxString: size, MaxDocument: size}
	for _, piece := range []string{"a", " ", "=", "a=", "a= ", "a=b ", `a="`, `a=" `, `a='\`, `\`, `"`, ",", `",`, "a,", `"",`, "a: ", "a:b, ", "a: ,", "[", "[a ", `[a b="`, "<", "<a", "<a>", "<a ",
		"<!--", "<a/>", "<![CDATA[", "EF:", " CEF:", " CEF:0|", "CEF:0|", "|", `\|`, "%", " %A-1-", "[**] ", "[1:1:1] ", "{", "}", " {", "[Priority:", "[]", "<1>", "1 <1>", "9 ", "1: ", "Oct 1 00:00:00 ", "\t", "#011", "\xc3\xa4", "\xff",
		"csLabel=a cs=b ", "a;", "a=b;", "a=b|", "-> ", "@cee:", `a:"b"; `} {
		for _, prefix := range []string{"", "CEF:0|a|b|c|d|e|5|", "LEEF:1.0|a|b|c|d|", "LEEF:2.0|a|b|c|d|^|", "<13>Oct 11 22:14:15 h ", "<13>1 - h a p m ", "[**] [1:2:3] ", "%FTD-1-1: ", "<Event>", "Event:", "x=1 y=2 z=3 ", "[", "[i "} {
			text := prefix + repeat(piece, (size-len(prefix))/len(piece))
			g := newRig(t, limits, wide...)
			took := time.Hour
			for try := 0; try < 3 && took > 2*time.Second; try++ { // a machine may stand still once
				start := time.Now()
				g.read(text)
				n := 0
				Lines([]byte(text), func([]byte, int) bool { n++; return n < 100_000 })
				ZeekRows([]byte("#separator \\x09\n"+text), func([]byte, error) bool { return true })
				CSVRows([]byte("a\n"+text), func([]byte, error) bool { return true })
				took = time.Since(start)
			}
			if took > 2*time.Second {
				t.Errorf("%q and many of %q took %v", prefix, piece, took)
			}
		}
	}
}

// TestAdds reads an inner message after an outer one, onto the same tape.
func TestAdds(t *testing.T) {
	g := newRig(t, testLimits, "@kv.a", "@cef.name", "@syslog.host")
	g.read("<13>Oct 11 22:14:15 fw1 a=1 b=2 c=3")
	if f := g.Read([]byte("CEF:0|a|b|c|d|worm|5|"), g.tape); f.Reason != 0 {
		t.Fatal(f)
	}
	if f := g.Read([]byte("a=4 b=5 c=6"), g.tape); f.Reason != 0 {
		t.Fatal(f)
	}
	if got := g.got("@syslog.host", "@cef.name", "@kv.a"); got != "fw1|worm|1+4" {
		t.Error(got)
	}
}

// TestReadOnto reads JSON in values.
func TestReadOnto(t *testing.T) {
	g := newRig(t, testLimits, "@cef.ext.msg{}.a.b", "@cef.ext.msg", "@kv.x{}.y", "Event.Data{}.z")
	for text, want := range map[string]string{
		`CEF:0|a|b|c|d|e|5|msg={"a":{"b":"in"}} x=1`: "in|",
		`CEF:0|a|b|c|d|e|5|msg={"a":{"b" x=1`:        "|",
		`a=1 b=2 x="{\"y\":7}"`:                      "|7",
		`<Event><Data>{"z":8}</Data></Event>`:        "|",
	} {
		g.scan.Begin()
		if f := g.ReadOnto([]byte(text), g.scan); f.Reason != 0 {
			t.Errorf("%s: %+v", text, f)
		}
		if got := g.got("@cef.ext.msg{}.a.b", "@kv.x{}.y"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
		if z := g.got("Event.Data{}.z"); strings.HasPrefix(text, "<") && z != "8" {
			t.Errorf("%s: got %q", text, z)
		}
	}
}
