package syntax

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// seed adds the messages of a golden case.
func seed(f *testing.F, names ...string) {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join("testdata", name+".in"))
		if err != nil {
			f.Fatal(err)
		}
		Lines(data, func(line []byte, _ int) bool {
			f.Add(line)
			return true
		})
	}
}

// fuzz holds whatever is read against what must always be true.
func fuzz(f *testing.F, prefix string, paths ...string) {
	limits := extract.Limits{MaxDepth: 8, MaxKeys: 60, MaxString: 300, MaxDocument: 2000}
	g := newRig(f, limits, append(paths, wide...)...)
	const room = 1 << 13
	f.Fuzz(func(t *testing.T, data []byte) {
		input := append([]byte(prefix), data...)
		text := append([]byte(nil), input...)
		g.arena.Buf = make([]byte, 0, room)
		g.scan.Begin()
		fault := g.Read(text, g.tape)
		if string(text) != string(input) {
			t.Fatalf("%q was written to", input)
		}
		if fault.Reason != 0 {
			if fault.At < 0 || fault.At > len(text) || fault.What == "" {
				t.Fatalf("%q: %+v", text, fault)
			}
			if fault.Reason == schema.ReasonInvalidUTF8 && utf8.Valid(text) {
				t.Fatalf("%q is UTF-8", text)
			}
			return
		}
		if len(g.arena.Buf) > 3*len(text)+64 {
			t.Fatalf("%q made %d bytes", text, len(g.arena.Buf))
		}
		if p := g.Payload(); p == nil && (!utf8.Valid(text) || strings.IndexByte(string(trimEnd(text)), 0) >= 0) {
			t.Fatalf("took %q", text)
		} else if p != nil && !within(arena.Text(p), text) {
			t.Fatalf("%q: payload %q is not in it", text, p)
		}
		var ends []uint16
		last := map[extract.Slot]extract.Value{}
		for i, v := range g.tape.Values {
			if before, ok := last[v.Slot]; ok && (!before.More || i < int(before.Next)) {
				t.Fatalf("%q: %s again at %d, after %+v", text, g.paths[v.Slot], i, before)
			}
			last[v.Slot] = v
			if v.Text == "" || !within(v.Text, text) && !within(v.Text, g.arena.Buf) {
				t.Fatalf("%q: %s = %q is of neither the message nor the arena", text, g.paths[v.Slot], v.Text)
			}
			path := g.paths[v.Slot]
			if len(v.Text) > limits.MaxString && v.Kind == extract.String && path != "@line" && path != "@syslog.message" && path != "@cisco.*" {
				t.Fatalf("%q: %s has %d bytes", text, path, len(v.Text))
			}
			for len(ends) > 0 && int(ends[len(ends)-1]) <= i {
				ends = ends[:len(ends)-1]
			}
			if v.Kind == extract.Object {
				if int(v.Next) <= i || int(v.Next) > len(g.tape.Values) || len(ends) > 0 && v.Next > ends[len(ends)-1] {
					t.Fatalf("%q: object at %d ends at %d", text, i, v.Next)
				}
				ends = append(ends, v.Next)
			}
			if first := g.tape.First[v.Slot]; first == 0 || int(first) > i+1 || g.tape.Values[first-1].Slot != v.Slot {
				t.Fatalf("%q: first of %s is %d", text, path, first)
			}
		}
	})
}

// within reports whether a string is made of the bytes of a buffer.
func within(s string, b []byte) bool {
	if len(s) == 0 {
		return true
	}
	from, at := uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(unsafe.Pointer(unsafe.StringData(s)))
	return at >= from && at+uintptr(len(s)) <= from+uintptr(len(b))
}

func FuzzText(f *testing.F) {
	seed(f, "syslog", "payload", "cef", "leef", "pairs", "columns", "cisco", "snort", "xml")
	fuzz(f, "")
}

func FuzzSyslog(f *testing.F) {
	f.Add([]byte(`fw1 app 7 ID [a@1 b="c\"" b="d"][e f="g"] message`))
	f.Add([]byte("relay - - - - <34>1 - host app - - - twice"))
	fuzz(f, "<165>1 2024-10-01T22:14:15.003Z ")
}

func FuzzBSD(f *testing.F) {
	f.Add([]byte("1 22:14:15 host tag[7]: message"))
	f.Add([]byte("1 22:14:15.5 UTC: relay <1>Oct  1 22:14:15 host tag: x"))
	fuzz(f, "<13>Oct ")
}

func FuzzCEF(f *testing.F) {
	f.Add([]byte(`Acme|Sensor|1.0|100|a \| b|5|src=192.0.2.1 msg=a\=b c cs1=x cs1Label=y`))
	fuzz(f, "CEF:0|", "@cef.custom.y")
}

func FuzzLEEF(f *testing.F) {
	f.Add([]byte("1.0|a|b|c|d|x=1\ty=2"))
	f.Add([]byte("2.0|a|b|c|d|x5E|x=1^y=2"))
	fuzz(f, "LEEF:")
}

func FuzzPairs(f *testing.F) {
	f.Add([]byte(`d="e \"f\"", g='h i'`))
	f.Add([]byte("; d=e f; g=h"))
	f.Add([]byte("\td=e f\tg=h=i"))
	fuzz(f, "a=1 b=2 c=3 ")
}

func FuzzColumns(f *testing.F) {
	f.Add([]byte(`,"a ""b""",c,,`))
	fuzz(f, "1,2,3,4,5,6,7,")
}

func FuzzColons(f *testing.F) {
	f.Add([]byte("A: b, C d: e, f, G: "))
	f.Add([]byte(`[a:"b"; c:"d"]`))
	fuzz(f, "%FTD-1-430001: ")
}

func FuzzSnort(f *testing.F) {
	f.Add([]byte("title [**] [Classification: x] [Priority: 1] {TCP} 192.0.2.1:1 -> [2001:db8::1]:2"))
	f.Add([]byte("title [Priority: 1]: <eth0> {UDP} 2001:db8::1:1 -> 192.0.2.1"))
	fuzz(f, "[**] [1:2:3] ")
}

func FuzzXML(f *testing.F) {
	f.Add([]byte(`<System><EventID a="b">1</EventID></System><EventData><Data Name="x">y &amp; z</Data><Data>w</Data></EventData></Event>`))
	f.Add([]byte("<x><y>1</y></x><x/><x>2<!-- 3 --></x></Event>"))
	fuzz(f, "<Event>")
}

// FuzzLines holds that what is yielded is the record's, in order, and that
// nothing but blanks and framing is lost.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"a\nb\r\n\nc", "5 <1>ab5 <2>cd", "<Event>1</Event><Event a='>'/>", "<Events><Event/></Events>", "<?x?><!-- <a> --><b><![CDATA[</b>]]></b>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		end, kept := 0, 0
		Lines(data, func(line []byte, offset int) bool {
			if offset < end || len(line) == 0 || string(data[offset:offset+len(line)]) != string(line) {
				t.Fatalf("%q: %q at %d, after %d", data, line, offset, end)
			}
			end = offset + len(line)
			kept += len(line)
			return true
		})
		if len(trimEnd(data[skipStart(data):])) > 0 && kept == 0 && !strings.Contains(string(data), "Events") {
			t.Fatalf("%q: nothing", data)
		}
	})
}

// FuzzRows holds that documents are JSON, of rows of the input.
func FuzzRows(f *testing.F) {
	f.Add([]byte("a,b\n1,\"x\ny\"\n\"2\n"))
	f.Add([]byte(zeekHeader + "1\t2\t3\t4\ta,b\t5\tT\t\\x41\n"))
	f.Add([]byte("#separator \\x7c\n#fields|a|b\n#types|set[vector[count]]|bool\n1,2|T\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		take := func(doc []byte, err error) bool {
			n++
			if err == nil && (!json.Valid(doc) || !utf8.Valid(doc)) {
				t.Fatalf("%q gave %q", data, doc)
			}
			if err != nil && !strings.Contains(string(data), string(doc)) {
				t.Fatalf("%q: bad row %q is not in it", data, doc)
			}
			return true
		}
		CSVRows(data, take)
		ZeekRows(data, take)
		if n > 2*(strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+1) {
			t.Fatalf("%q gave %d rows", data, n)
		}
	})
}
