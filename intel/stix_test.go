package intel

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// object is a STIX indicator for one address.
func object(id, modified, addr, more string) string {
	return `{"type":"indicator","id":"` + id + `","modified":"` + modified + `","pattern":"[ipv4-addr:value = '` + addr + `']"` + more + `}`
}

// TestSTIXShapes: every shape in which STIX objects come, and nothing taken of one
// that is cut short or something else.
func TestSTIXShapes(t *testing.T) {
	one := object("indicator--1", "2026-01-01T00:00:00Z", "203.0.113.1", "")
	two := object("indicator--2", "2026-01-01T00:00:00Z", "203.0.113.2", "")
	newer := object("indicator--1", "2026-02-01T00:00:00Z", "203.0.113.9", "")
	revoked := object("indicator--1", "2026-03-01T00:00:00.5Z", "203.0.113.9", `,"revoked":true`)
	for _, c := range []struct {
		name, text string
		want       []string // values taken
		refused    int
		fails      bool
	}{
		{name: "bundle", text: `{"type":"bundle","objects":[` + one + `,{"type":"identity","id":"x"},` + two + `],"id":"b"}`, want: []string{"203.0.113.1", "203.0.113.2"}},
		{name: "array", text: `[` + one + `,` + two + `]`, want: []string{"203.0.113.1", "203.0.113.2"}},
		{name: "one object", text: one, want: []string{"203.0.113.1"}},
		{name: "objects in lines", text: one + "\n" + two + "\n", want: []string{"203.0.113.1", "203.0.113.2"}},
		{name: "byte order mark", text: "\ufeff" + one, want: []string{"203.0.113.1"}},
		{name: "empty bundle", text: `{"type":"bundle","id":"b"}`},
		{name: "newer version first", text: `[` + newer + `,` + one + `,` + two + `]`, want: []string{"203.0.113.2", "203.0.113.9"}},
		{name: "newer version last", text: `[` + one + `,` + newer + `]`, want: []string{"203.0.113.9"}},
		{name: "revoked later", text: `[` + one + `,` + revoked + `,` + newer + `]`, refused: 1},
		{name: "error page", text: `{"error":"unauthorized"}`, refused: 1},
		{name: "cut in the objects", text: `{"type":"bundle","objects":[` + one + `,`, fails: true},
		{name: "cut behind the objects", text: `{"type":"bundle","objects":[` + one + `]`, fails: true},
		{name: "cut before the objects", text: `{"type":"bundle","id":"b"`, fails: true},
		{name: "cut array", text: `[` + one, fails: true},
		{name: "objects is none", text: `{"objects":{}}`, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			taken, refused, err := Read(strings.NewReader(c.text), Defaults{Feed: "f"})
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, i := range taken {
				got = append(got, i.Value)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) || len(refused) != c.refused {
				t.Errorf("took %v, want %v; refused %v, want %d", got, c.want, refused, c.refused)
			}
		})
	}
}

// TestImportKeepsFeed: what cannot be a feed does not empty the stored one.
func TestImportKeepsFeed(t *testing.T) {
	l := Open(t.TempDir())
	load := func(text string) error {
		taken, refused, err := Read(strings.NewReader(text), Defaults{Feed: "f"})
		if err != nil {
			return err
		}
		_, err = l.Import("f", "test", time.UnixMilli(1), taken, refused)
		return err
	}
	stored := func() int {
		_, all, err := l.Load()
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if err := load("203.0.113.1\n# a comment\n"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"<html>\n<b>Bad gateway</b>\n", `{"message":"quota exceeded"}`} {
		if err := load(text); err == nil || stored() != 1 {
			t.Errorf("%q: error %v, %d indicators stored", text, err, stored())
		}
	}
	if err := load("# nothing today\n"); err != nil || stored() != 0 {
		t.Errorf("an empty feed: error %v, %d indicators stored", err, stored())
	}
}
