package upload

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
)

// object is what is asked of a STIX object before it is given on. The rest of it is
// the parser's.
type object struct {
	fields map[string]json.RawMessage
	faults []string
}

// inspect gives what is wrong with an object, in the contract's words; nothing
// where it may be given on.
func inspect(raw json.RawMessage) []string {
	o := object{}
	if err := json.Unmarshal(raw, &o.fields); err != nil || o.fields == nil {
		return []string{"Error for object: want a JSON object. Actual value: " + short(raw) + "."}
	}
	kind, ok := o.text("type", true)
	required := []string{}
	switch kind {
	case "indicator":
		required = []string{"pattern", "pattern_type"}
	case "relationship":
		required = []string{"relationship_type", "source_ref", "target_ref"}
	case "attack-pattern", "threat-actor", "identity":
		required = []string{"name"}
	default:
		if ok {
			o.fault("type", "Want indicator, attack-pattern, threat-actor, identity or relationship.")
		}
		kind = ""
	}
	o.id(kind)
	o.time("created", true)
	o.time("modified", true)
	for _, name := range required {
		o.text(name, true)
	}
	if v, ok := o.text("spec_version", false); ok && v != "2.0" && v != "2.1" {
		o.fault("spec_version", "Want 2.0 or 2.1.")
	}
	o.confidence()
	optional(&o, "revoked", "Want true or false.", new(bool))
	optional(&o, "labels", "Want a list of strings.", new([]string))
	optional(&o, "object_marking_refs", "Want a list of strings.", new([]string))
	if kind == "indicator" {
		from, okFrom := o.time("valid_from", true)
		until, okUntil := o.time("valid_until", false)
		if okFrom && okUntil && !until.After(from) {
			o.fault("valid_until", "Want a time after valid_from.")
		}
	}
	return o.faults
}

func (o *object) fault(name, what string) {
	value, ok := o.fields[name]
	if !ok {
		value = json.RawMessage("NULL")
	}
	o.faults = append(o.faults, "Error for Property="+name+": "+what+" Actual value: "+short(value)+".")
}

// has reports a property with a value; one that must have one and has not is a fault.
func (o *object) has(name string, required bool) bool {
	v, ok := o.fields[name]
	if ok && string(v) != "null" {
		return true
	}
	if required {
		delete(o.fields, name) // a null is as good as none
		o.fault(name, "Required property is missing.")
	}
	return false
}

func (o *object) text(name string, required bool) (string, bool) {
	if !o.has(name, required) {
		return "", false
	}
	var s string
	if json.Unmarshal(o.fields[name], &s) != nil {
		o.fault(name, "Want a string.")
		return "", false
	}
	if strings.TrimSpace(s) == "" && required {
		o.fault(name, "Required property is empty.")
		return "", false
	}
	return s, true
}

func (o *object) time(name string, required bool) (time.Time, bool) {
	s, ok := o.text(name, required)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		o.fault(name, "Want a timestamp such as 2024-05-30T09:00:00.000Z.")
	}
	return t, err == nil
}

func (o *object) id(kind string) {
	id, ok := o.text("id", true)
	if !ok {
		return
	}
	prefix, rest, _ := strings.Cut(id, "--")
	if _, err := uuid.Parse(rest); err != nil || len(rest) != 36 || kind != "" && prefix != kind {
		o.fault("id", "Want "+orElse(kind, "the type")+", two dashes and a UUID.")
	}
}

func (o *object) confidence() {
	if !o.has("confidence", false) {
		return
	}
	var n float64
	if json.Unmarshal(o.fields["confidence"], &n) != nil || n < 0 || n > 100 || n != float64(int(n)) {
		o.fault("confidence", "Want an integer from 0 to 100.")
	}
}

func optional[T any](o *object, name, want string, into *T) {
	if o.has(name, false) && json.Unmarshal(o.fields[name], into) != nil {
		o.fault(name, want)
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// short gives a value as it stood there, cut to 120 bytes at a character.
func short(raw []byte) string {
	const most = 120
	if len(raw) <= most {
		return string(raw)
	}
	n := most
	for n > 0 && !utf8.RuneStart(raw[n]) {
		n--
	}
	return string(raw[:n]) + "..."
}
