package fetch

import (
	"errors"
	"strings"
	"time"
)

// added is the form of a time that every TAXII server must understand.
const added = "2006-01-02T15:04:05.000000Z"

// dateText writes a date that a server gave, or one of ours that has no more than
// microseconds.
func dateText(t time.Time) string {
	if t.Nanosecond()%1000 != 0 { // the server said so much: it understands it
		return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	return t.UTC().Format(added)
}

// parseAdded reads a date that a server gave, to the nanosecond. Servers written in
// JavaScript may give it as that language shows dates to people, to the second.
func parseAdded(text string) (time.Time, error) {
	if len(text) <= 80 {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC(), nil
		}
		text, _, _ = strings.Cut(text, " (")
		if t, err := time.Parse("Mon Jan 02 2006 15:04:05 GMT-0700", text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("is no date")
}

// justBefore gives the time one step of a TAXII date before another.
func justBefore(t time.Time) time.Time { return t.Add(-time.Microsecond) }

// wellBefore gives a time before another's second, to which a server may have cut or
// rounded what it says or what it compares with.
func wellBefore(t time.Time) time.Time { return t.Truncate(time.Second).Add(-time.Second) }
