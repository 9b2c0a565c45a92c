package upload

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// request is the body of an upload.
type request struct {
	source  string
	objects []json.RawMessage // parts of the body
}

// Faults of a body as a whole.
var (
	errMany  = fmt.Errorf("stixobjects: more than %d objects in a request", maxObjects)
	errEmpty = errors.New("stixobjects: want at least one object")
)

// decode reads a body. Properties it does not know are passed over. It reads the
// list one by one, so that a million empty objects cost no more than a hundred.
func decode(body []byte) (request, error) {
	var r request
	if !utf8.Valid(body) {
		return r, errors.New("body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	if t, err := d.Token(); err != nil {
		return r, malformed(err)
	} else if t != json.Delim('{') {
		return r, errors.New("body: want a JSON object")
	}
	haveSource, haveObjects := false, false
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return r, malformed(err)
		}
		switch key, _ := t.(string); strings.ToLower(key) {
		case "sourcesystem":
			if haveSource {
				return r, errors.New("sourcesystem: given twice")
			}
			haveSource = true
			var s *string
			if err := d.Decode(&s); err != nil {
				return r, property("sourcesystem", "want a string", err)
			}
			if s == nil {
				return r, errors.New("sourcesystem: required property is missing")
			}
			r.source = *s
		case "stixobjects":
			if haveObjects {
				return r, errors.New("stixobjects: given twice")
			}
			haveObjects = true
			if r.objects, err = list(d); err != nil {
				return r, err
			}
		default:
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return r, malformed(err)
			}
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return r, malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return r, errors.New("body: something follows the JSON object")
	}
	switch {
	case !haveSource || strings.TrimSpace(r.source) == "":
		return r, errors.New("sourcesystem: required property is missing")
	case !haveObjects:
		return r, errors.New("stixobjects: required property is missing")
	case len(r.objects) == 0:
		return r, errEmpty
	}
	return r, nil
}

func list(d *json.Decoder) ([]json.RawMessage, error) {
	t, err := d.Token()
	if err != nil {
		return nil, malformed(err)
	}
	if t != json.Delim('[') {
		return nil, errors.New("stixobjects: want an array")
	}
	var out []json.RawMessage
	for d.More() {
		if len(out) == maxObjects {
			return nil, errMany
		}
		var o json.RawMessage
		if err := d.Decode(&o); err != nil {
			return nil, malformed(err)
		}
		out = append(out, o)
	}
	if _, err := d.Token(); err != nil {
		return nil, malformed(err)
	}
	return out, nil
}

func malformed(err error) error { return fmt.Errorf("body is not JSON: %w", err) }

// property tells a value of the wrong type from text that is no JSON.
func property(name, want string, err error) error {
	if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
		return fmt.Errorf("%s: %s, not %s", name, want, wrong.Value)
	}
	return malformed(err)
}
