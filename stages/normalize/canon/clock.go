package canon

import (
	"fmt"
	"time"

	"github.com/interdict/interdict/schema"
)

// Clock reads the times of one field: in given layouts, or in any that explains
// itself. The zero Clock reads like ParseTime. It may be copied and used from
// several goroutines.
type Clock struct {
	layouts []layout
	zone    *time.Location
}

type layout struct {
	unit     unit
	text     string // layout of package time, empty: a number of units
	yearless bool
	names    bool // has a zone's abbreviation
}

// NewClock compiles layouts, which are tried in order: unix, unix_ms, unix_us,
// unix_ns, filetime, or a layout of package time. None: whatever explains itself.
// Texts without a zone are in the given one, nil: UTC.
func NewClock(layouts []string, zone *time.Location) (Clock, error) {
	c := Clock{zone: zone}
	for _, text := range layouts {
		l, err := newLayout(text)
		if err != nil {
			return Clock{}, err
		}
		c.layouts = append(c.layouts, l)
	}
	return c, nil
}

func newLayout(text string) (layout, error) {
	switch text {
	case "unix":
		return layout{unit: seconds}, nil
	case "unix_ms":
		return layout{unit: millis}, nil
	case "unix_us":
		return layout{unit: micros}, nil
	case "unix_ns":
		return layout{unit: nanos}, nil
	case "filetime":
		return layout{unit: filetime}, nil
	}
	// What a layout holds shows in what it makes of times that differ in one
	// thing. 2006 and 2017 begin on the same weekday.
	sample := time.Date(2006, 1, 2, 3, 4, 5, 0, time.UTC)
	shows := func(t time.Time) bool { return t.Format(text) != sample.Format(text) }
	if !shows(sample.AddDate(0, 0, 7)) || !shows(time.Date(2006, 10, 2, 3, 4, 5, 0, time.UTC)) {
		return layout{}, fmt.Errorf("time layout %q: neither unix, unix_ms, unix_us, unix_ns, filetime nor a Go layout with month and day", text)
	}
	return layout{
		text:     text,
		yearless: !shows(time.Date(2017, 1, 2, 3, 4, 5, 0, time.UTC)),
		names:    shows(sample.In(time.FixedZone("XYZ", 0))),
	}, nil
}

// In gives the clock with another zone for texts that have none.
func (c Clock) In(zone *time.Location) Clock {
	c.zone = zone
	return c
}

// Parse reads a time like ParseTime, or in the layouts given. A time without a
// year is none.
func (c Clock) Parse(s string) (schema.Millis, bool) { return c.ParseNear(s, 0) }

// ParseNear reads a time; one without a year (RFC 3164, Snort) is put into the
// latest year that does not bring it more than a day past near, the time at which
// it was received. Zero near: it is none.
func (c Clock) ParseNear(s string, near schema.Millis) (schema.Millis, bool) {
	if len(c.layouts) == 0 {
		return automatic(s, c.zone, near)
	}
	for i := range c.layouts {
		if t, ok := c.layouts[i].parse(s, c.zone, near); ok {
			return t, true
		}
	}
	return 0, false
}

func (l *layout) parse(s string, zone *time.Location, near schema.Millis) (schema.Millis, bool) {
	s = bare(s)
	if s == "" {
		return 0, false
	}
	if l.text == "" {
		return number(s, l.unit)
	}
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(l.text, s, zone)
	if err != nil {
		return 0, false
	}
	m := moment{year: t.Year(), month: int(t.Month()), day: t.Day(), hour: t.Hour(), minute: t.Minute(), second: t.Second(), milli: t.Nanosecond() / 1e6}
	switch name, offset := t.Zone(); {
	case t.Location() == zone && !l.names: // no zone in the text, or the same
	case t.Location() == time.UTC:
		m.zoned = true
	case l.names && offset == 0 && name != "":
		// Package time takes any abbreviation, and counts those that the
		// location does not have as UTC.
		minutes, ok := zoneName(name)
		if !ok && t.Location() != zone {
			return 0, false
		}
		m.offset, m.zoned = minutes, true
	default:
		m.offset, m.zoned = offset/60, true
	}
	if !l.yearless {
		return m.millis(zone)
	}
	if near == 0 {
		return 0, false
	}
	return m.near(zone, near)
}
