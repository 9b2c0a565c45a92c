package syntax

import (
	"slices"
	"testing"
)

func TestLines(t *testing.T) {
	for _, c := range []struct {
		data string
		want []string
	}{
		{"", nil},
		{" \r\n\n", nil},
		{"a\r\n\n  b \nc", []string{"a", "  b", "c"}},
		{"\xef\xbb\xbfa\nb", []string{"a", "b"}},
		{"7 <1>a: b6 <1>c\nd", []string{"<1>a: b", "<1>c\nd"}},
		{"7 <1>a: b\n7 <1>c: d\n", []string{"<1>a: b", "<1>c: d"}},
		{"8 <1>a: b\n8 <1>c: d\n", []string{"<1>a: b\n", "<1>c: d\n"}},
		{"5 <1>a: b\nc", []string{"5 <1>a: b", "c"}}, // the count is wrong
		{"99 <1>a: b\nc", []string{"99 <1>a: b", "c"}},
		{"0 <1>a", []string{"0 <1>a"}},
		{"<1>a\n<Event>\n</Event>", []string{"<1>a", "<Event>", "</Event>"}},
		{"<Event>\n<a>1</a>\n</Event>\n<Event/>\n", []string{"<Event>\n<a>1</a>\n</Event>", "<Event/>"}},
		{"<?xml version=\"1.0\"?><e:Events a='>'><Event>1</Event> <Event>2</Event></e:Events>", []string{"<Event>1</Event>", "<Event>2</Event>"}},
		{"<Events></Events><Event>3</Event>", []string{"<Event>3</Event>"}},
		{"<Event><![CDATA[</Event>]]><!-- </Event> --></Event><b>", []string{"<Event><![CDATA[</Event>]]><!-- </Event> --></Event>", "<b>"}},
		{"<Event>x</Event> junk <Event>y</Event>", []string{"<Event>x</Event>", "junk <Event>y</Event>"}},
		{"<Event/>\n\x00", []string{"<Event/>"}},
		{"<Event", []string{"<Event"}},
		{"</Event>", []string{"</Event>"}},
	} {
		var got []string
		Lines([]byte(c.data), func(line []byte, offset int) bool {
			if c.data[offset:offset+len(line)] != string(line) {
				t.Errorf("%q: %q is not at %d", c.data, line, offset)
			}
			got = append(got, string(line))
			return true
		})
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.data, got, c.want)
		}
		n := 0
		Lines([]byte(c.data), func([]byte, int) bool { n++; return false })
		if n > 1 {
			t.Errorf("%q: went on", c.data)
		}
	}
}
