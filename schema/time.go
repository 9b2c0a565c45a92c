package schema

import "time"

// Millis is a point in time in milliseconds since the Unix epoch, UTC; the unit
// of OCSF's timestamp_t. Zero means "not known". Finer vendor precision stays
// in the raw bytes.
type Millis int64

// Common spans, in milliseconds.
const (
	Second Millis = 1000
	Minute        = 60 * Second
	Hour          = 60 * Minute
	Day           = 24 * Hour
)

// FromTime converts t, truncating below a millisecond.
func FromTime(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time converts m to a UTC time.Time.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// String renders m as RFC 3339 with milliseconds, or "-" when not known.
func (m Millis) String() string {
	if m == 0 {
		return "-"
	}
	return m.Time().Format(millisLayout)
}

// Bounds of an alert's created time around the time it was ingested (design,
// section 4): one forged time can neither reopen the past nor advance the
// watermark.
const (
	MaxPast   = 30 * Day
	MaxFuture = 5 * Minute
)

// ClampCreated bounds created to [ingested - MaxPast, ingested + MaxFuture].
// An unknown created time becomes the ingested one.
func ClampCreated(created, ingested Millis) Millis {
	switch {
	case created == 0:
		return ingested
	case ingested == 0:
		return created
	case created < ingested-MaxPast:
		return ingested - MaxPast
	case created > ingested+MaxFuture:
		return ingested + MaxFuture
	}
	return created
}
