package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const maxEvents = 1_000_000

// decodeManifest reads the manifest of a MISP feed: the timestamp, in seconds, of
// each event by its UUID.
func decodeManifest(in io.Reader) (map[string]int64, error) {
	d := json.NewDecoder(in)
	open, err := d.Token()
	if err != nil {
		return nil, unfinished(err)
	}
	events := map[string]int64{}
	// What makes manifests writes an empty one as an array.
	if open != json.Delim('{') && open != json.Delim('[') {
		return nil, errors.New("the manifest is no object of events")
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, unfinished(err)
		}
		key, isText := token.(string)
		if open != json.Delim('{') || !isText {
			return nil, errors.New("the manifest is no object of events")
		}
		if !isUUID(key) { // it becomes a path
			return nil, fmt.Errorf("the manifest names the event %.60q, which is no UUID", key)
		}
		var entry struct {
			Timestamp *stamp `json:"timestamp"`
		}
		if err := d.Decode(&entry); err != nil {
			return nil, fmt.Errorf("event %s: %w", key, unfinished(err))
		}
		if entry.Timestamp == nil {
			return nil, fmt.Errorf("event %s has no timestamp", key)
		}
		if len(events) == maxEvents {
			return nil, fmt.Errorf("the manifest names more than %d events", maxEvents)
		}
		events[key] = int64(*entry.Timestamp)
	}
	if _, err := d.Token(); err != nil {
		return nil, unfinished(err)
	}
	if _, err := d.Token(); err != io.EOF {
		if err == nil {
			err = errors.New("something stands behind the manifest")
		}
		return nil, err
	}
	return events, nil
}

// unfinished makes an early end an error of its own.
func unfinished(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// stamp is a time in seconds that may be written as a string.
type stamp int64

// UnmarshalJSON takes a whole number, quoted or not.
func (s *stamp) UnmarshalJSON(text []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(text), `"`), 10, 64)
	if err != nil {
		return fmt.Errorf("timestamp %.40q is no number of seconds", text)
	}
	*s = stamp(n)
	return nil
}

// isUUID reports whether a text is a UUID in its usual form.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}
