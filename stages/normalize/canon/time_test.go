package canon

import (
	"bufio"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// rows reads a table of tests: two fields and a tab between them.
func rows(t testing.TB, file string, row func(line int, in, want string)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	n := 0
	for line := 1; sc.Scan(); line++ {
		if strings.HasPrefix(sc.Text(), "# ") {
			continue
		}
		in, want, ok := strings.Cut(sc.Text(), "\t")
		if !ok {
			t.Fatalf("%s:%d: no tab", file, line)
		}
		row(line, in, want)
		n++
	}
	if sc.Err() != nil || n == 0 {
		t.Fatalf("%s: %d rows, %v", file, n, sc.Err())
	}
}

func shown(ms schema.Millis, ok bool) string {
	switch {
	case !ok:
		return "no"
	case ms == 0:
		return "zero"
	}
	return time.UnixMilli(int64(ms)).UTC().Format("2006-01-02T15:04:05.000")
}

func TestParseTime(t *testing.T) {
	rows(t, "testdata/times.txt", func(line int, in, want string) {
		ms, ok := ParseTime(in)
		if got := shown(ms, ok); got != want {
			t.Errorf("line %d: %q: got %s, want %s", line, in, got, want)
		}
		if !ok && ms != 0 {
			t.Errorf("line %d: %q: no time, and %d", line, in, ms)
		}
		if spaced, ok2 := ParseTime(" " + in + " "); ok2 != ok || spaced != ms {
			t.Errorf("line %d: %q: with blanks %s", line, in, shown(spaced, ok2))
		}
	})
}

func TestClockLayouts(t *testing.T) {
	east := time.FixedZone("", 3600)
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		layouts  string
		zone     *time.Location
		in, want string
	}{
		{"", east, "2026-03-02T09:15:30", "2026-03-02T08:15:30.000"},
		{"", east, "2026-03-02T09:15:30Z", "2026-03-02T09:15:30.000"},
		{"", east, "2026-03-02T09:15:30 UTC", "2026-03-02T09:15:30.000"},
		{"", berlin, "2 Mar 2026 09:15:30", "2026-03-02T08:15:30.000"},
		{"", berlin, "2026/07/02 09:15:30", "2026-07-02T07:15:30.000"},
		{"", berlin, "1772439330", "2026-03-02T08:15:30.000"},
		{"unix", nil, "1772439330.5", "2026-03-02T08:15:30.500"},
		{"unix", nil, "1772439330123", "no"},
		{"unix", nil, "2026-03-02T09:15:30Z", "no"},
		{"unix", nil, "20260302", "1970-08-23T11:51:42.000"},
		{"unix_ms", nil, "1772439330123", "2026-03-02T08:15:30.123"},
		{"unix_ms", nil, "86400000", "1970-01-02T00:00:00.000"},
		{"unix_us", nil, "1772439330123456", "2026-03-02T08:15:30.123"},
		{"unix_ns", nil, "134169129301230000", "1974-04-02T21:12:09.301"},
		{"filetime", nil, "134169129301230000", "2026-03-02T08:15:30.123"},
		{"filetime", nil, "0", "zero"},
		{"02/01/2006 15:04:05", nil, "02/03/2026 08:15:30", "2026-03-02T08:15:30.000"},
		{"02/01/2006 15:04:05", berlin, "02/07/2026 10:15:30", "2026-07-02T08:15:30.000"},
		{"02/01/2006 15:04:05", nil, "2026-03-02T08:15:30Z", "no"},
		{"02/01/2006|unix", nil, "1772439330", "2026-03-02T08:15:30.000"},
		{"20060102", nil, "20260302", "2026-03-02T00:00:00.000"},
		{"2006-01-02 15:04:05 MST", nil, "2026-03-02 08:15:30 UTC", "2026-03-02T08:15:30.000"},
		{"2006-01-02 15:04:05 MST", nil, "2026-03-02 03:15:30 EST", "2026-03-02T08:15:30.000"},
		{"2006-01-02 15:04:05 MST", nil, "2026-03-02 09:15:30 CET", "no"},
		{"2006-01-02 15:04:05 MST", berlin, "2026-03-02 09:15:30 CET", "2026-03-02T08:15:30.000"},
		{"2006-01-02 15:04:05 -0700", berlin, "2026-03-02 10:15:30 +0200", "2026-03-02T08:15:30.000"},
		{"2006-01-02T15:04:05Z07:00", berlin, "2026-03-02T08:15:30Z", "2026-03-02T08:15:30.000"},
		{"2006-01-02T15:04:05Z07:00", berlin, "2026-03-02T08:15:30+00:00", "2026-03-02T08:15:30.000"},
		{"2006-01-02", nil, "9999-01-01", "no"},
		{"2006-01-02", nil, "1899-12-30", "zero"},
		{"Jan _2 15:04:05", nil, "Mar  2 08:15:30", "no"},
	} {
		var layouts []string
		if c.layouts != "" {
			layouts = strings.Split(c.layouts, "|")
		}
		clock, err := NewClock(layouts, c.zone)
		if err != nil {
			t.Errorf("%q: %v", c.layouts, err)
			continue
		}
		if got := shown(clock.Parse(c.in)); got != c.want {
			t.Errorf("%q in %v: %q: got %s, want %s", c.layouts, c.zone, c.in, got, c.want)
		}
		if got := shown(Clock{layouts: clock.layouts}.In(c.zone).Parse(c.in)); got != c.want {
			t.Errorf("%q in %v: %q: got %s by In, want %s", c.layouts, c.zone, c.in, got, c.want)
		}
	}
	for _, bad := range []string{"", "unixms", "yyyy-mm-dd", "15:04:05", "2006", "2006-01", "2006 _2"} {
		if _, err := NewClock([]string{bad}, nil); err == nil {
			t.Errorf("layout %q accepted", bad)
		}
	}
}

func TestParseNear(t *testing.T) {
	for _, c := range []struct{ layout, in, near, want string }{
		{"", "Mar  2 08:15:30", "2026-03-02T08:16:00Z", "2026-03-02T08:15:30.000"},
		{"", "Mar 2 08:15:30", "2026-03-02T08:16:00Z", "2026-03-02T08:15:30.000"},
		{"", "Mar  2 08:15:30 UTC", "2026-03-02T08:16:00Z", "2026-03-02T08:15:30.000"},
		{"", "Dec 31 23:59:59", "2026-01-01T00:00:05Z", "2025-12-31T23:59:59.000"},
		{"", "Jan  1 00:00:01", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01.000"},
		{"", "Feb 29 12:00:00", "2025-01-01T00:00:00Z", "2024-02-29T12:00:00.000"},
		{"", "Feb 29 12:00:00", "2026-06-01T00:00:00Z", "no"},
		{"", "Feb 30 12:00:00", "2026-06-01T00:00:00Z", "no"},
		{"", "03/02-08:15:30.123456", "2026-03-02T08:16:00Z", "2026-03-02T08:15:30.123"},
		{"", "2024-03-02T08:15:30Z", "2026-03-02T08:16:00Z", "2024-03-02T08:15:30.000"},
		{"", "Mar  2", "2026-03-02T08:16:00Z", "no"},
		{"Jan _2 15:04:05", "Mar  2 08:15:30", "2026-03-02T08:16:00Z", "2026-03-02T08:15:30.000"},
		{"Mon Jan _2 15:04:05", "Sun Dec 31 23:59:59", "2027-01-01T00:00:05Z", "2026-12-31T23:59:59.000"},
		{"02.01. 15:04:05", "31.12. 23:59:59", "2026-01-01T00:00:05Z", "2025-12-31T23:59:59.000"},
		{"Jan _2 15:04:05", "Feb 29 12:00:00", "2024-06-01T00:00:00Z", "2024-02-29T12:00:00.000"},
	} {
		var layouts []string
		if c.layout != "" {
			layouts = []string{c.layout}
		}
		clock, err := NewClock(layouts, nil)
		if err != nil {
			t.Fatal(err)
		}
		near, _ := ParseTime(c.near)
		if got := shown(clock.ParseNear(c.in, near)); got != c.want {
			t.Errorf("%q near %s: got %s, want %s", c.in, c.near, got, c.want)
		}
	}
}

// Every layout that keeps the time is read back to the same time.
func TestTimesComeBack(t *testing.T) {
	layouts := []string{time.RFC3339, time.RFC1123Z, time.RFC1123, time.RFC850, time.ANSIC, time.UnixDate, time.RubyDate, "02/Jan/2006:15:04:05 -0700",
		"Jan 02 2006 15:04:05", "2006/01/02 15:04:05", "20060102T150405Z", "1/2/2006 3:04:05 PM", "1/2/2006, 3:04:05.000 PM", "January 2, 2006 3:04:05 PM",
		"2006-01-02 15:04:05 -0700 MST", "20060102150405"}
	rapid.Check(t, func(t *rapid.T) {
		sec := rapid.Int64Range(0, 2_145_916_799).Draw(t, "seconds") // until 2037: two-digit years
		written := rapid.SampledFrom(layouts).Draw(t, "layout")
		text := time.Unix(sec, 0).UTC().Format(written)
		if got, ok := ParseTime(text); !ok || int64(got) != sec*1000 {
			t.Fatalf("%q: got %s, want %d", text, shown(got, ok), sec)
		}
		c := Clock{layouts: []layout{{text: written}}}
		if got, ok := c.Parse(text); !ok || int64(got) != sec*1000 {
			t.Fatalf("%q by its layout: got %s, want %d", text, shown(got, ok), sec)
		}
	})
}

// The calendar is that of package time.
func TestCalendar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y, m, d := rapid.IntRange(1970, 2200).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 31).Draw(t, "day")
		want := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		got, ok := (&moment{year: y, month: m, day: d}).millis(nil)
		if exists := want.Day() == d; ok != exists || ok && int64(got) != want.UnixMilli() {
			t.Fatalf("%d-%d-%d: %d %v, want %d", y, m, d, got, ok, want.UnixMilli())
		}
	})
}

func FuzzTime(f *testing.F) {
	rows(f, "testdata/times.txt", func(_ int, in, _ string) { f.Add(in) })
	zones := []*time.Location{nil, time.UTC, time.FixedZone("", -3600*9)}
	var clocks []Clock
	for _, layouts := range [][]string{nil, {"unix"}, {"filetime", "Jan _2 15:04:05"}, {time.RFC850, time.RFC3339Nano}} {
		for _, zone := range zones {
			c, err := NewClock(layouts, zone)
			if err != nil {
				f.Fatal(err)
			}
			clocks = append(clocks, c)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range clocks {
			for _, near := range []schema.Millis{0, 1772439330000} {
				ms, ok := c.ParseNear(s, near)
				if !ok && ms != 0 || ms > lastMillis+dayMillis {
					t.Fatalf("%q: %d %v", s, ms, ok)
				}
			}
		}
	})
}
