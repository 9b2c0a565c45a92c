package parse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// stixObject is what is read of a STIX 2.0 or 2.1 object. What real feeds write in
// another form than the standard's is kept raw and read leniently.
type stixObject struct {
	Type        string         `json:"type"`
	SpecVersion string         `json:"spec_version"`
	ID          string         `json:"id"`
	Created     string         `json:"created"`
	Modified    string         `json:"modified"`
	Revoked     bool           `json:"revoked"`
	CreatedBy   string         `json:"created_by_ref"`
	Confidence  loose          `json:"confidence"`
	Labels      []string       `json:"labels"`
	Markings    []string       `json:"object_marking_refs"`
	Granular    []stixGranular `json:"granular_markings"`

	// Indicators.
	Pattern        string   `json:"pattern"`
	PatternType    string   `json:"pattern_type"`
	ValidFrom      string   `json:"valid_from"`
	ValidUntil     string   `json:"valid_until"`
	IndicatorTypes []string `json:"indicator_types"`

	// What is behind them, and reports.
	Name         string          `json:"name"`
	Description  loose           `json:"description"`
	Aliases      []string        `json:"aliases"`
	Identity     loose           `json:"identity_class"`
	MalwareTypes []string        `json:"malware_types"`
	ToolTypes    []string        `json:"tool_types"`
	ActorTypes   []string        `json:"threat_actor_types"`
	ReportTypes  []string        `json:"report_types"`
	Context      string          `json:"context"`
	Published    string          `json:"published"`
	FirstSeen    string          `json:"first_seen"`
	LastSeen     string          `json:"last_seen"`
	Refs         []string        `json:"object_refs"`
	External     []stixReference `json:"external_references"`

	// Relationships and sightings.
	Relationship string   `json:"relationship_type"`
	Source       string   `json:"source_ref"`
	Target       string   `json:"target_ref"`
	SightingOf   string   `json:"sighting_of_ref"`
	Where        []string `json:"where_sighted_refs"`
	Count        loose    `json:"count"`

	// Marking definitions.
	DefinitionType string          `json:"definition_type"`
	Definition     json.RawMessage `json:"definition"`
	OpenCTI        string          `json:"x_opencti_definition"` // of markings that TLP 1.0 does not have
	Extensions     json.RawMessage `json:"extensions"`
}

type stixGranular struct {
	Marking string `json:"marking_ref"`
}

type stixReference struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id"`
	URL    string `json:"url"`
}

// stix reads objects in the order in which they come. One whose marking is not
// defined yet waits for the part's end: who may see it is not guessed.
type stix struct {
	r       *reader
	known   map[string]stixMarking
	waiting waiting
}

// Reasons of STIX.
var (
	errStixID       = errors.New("STIX: the object has no id")
	errStixModified = errors.New("STIX: modified is missing")
	errStixOrder    = errors.New("STIX: modified is before created")
	errStixType     = errors.New("no STIX object: it has no type")
	errStixFrom     = errors.New("STIX 2.1: valid_from is missing")
	errStixPattern  = errors.New("STIX: the indicator has no pattern")
	errStixMarking  = errors.New("STIX: its marking is not defined before it, and too much waits for one")
	errStixUnseen   = errors.New("STIX: a sighting of count 0 says that nothing was seen")
	errStixRelation = errors.New("STIX: a relationship needs relationship_type, source_ref and target_ref")
	errStixSighting = errors.New("STIX: a sighting needs sighting_of_ref")
)

// object reads one object. It fails for text that is no JSON and where the sink
// does; an object that cannot be used is refused.
func (x *stix) object(n int, raw []byte) error { return x.read(n, raw, false) }

// end reads what waited for a marking. One that is not defined by now may be any: its
// definition may have come in another part, or never will. See stix.tlp.
func (x *stix) end() error {
	return x.waiting.each(func(n int, raw []byte) error { return x.read(n, raw, true) })
}

func (x *stix) read(n int, raw []byte, last bool) error {
	if n%256 == 0 {
		if err := x.r.ctx.Err(); err != nil {
			return err
		}
	}
	var o stixObject
	if err, syntax := decode(raw, &o); syntax {
		return &syntaxError{err}
	} else if err != nil {
		return x.r.refuse(n, o.ID, fmt.Errorf("STIX: %w", err))
	}
	if o.Type == "marking-definition" {
		x.define(&o)
		return nil
	}
	times, err := o.common()
	if err != nil {
		return x.r.refuse(n, o.shown(), err)
	}
	if kind, ok := stixKind(&o); ok || o.Type == "indicator" {
		tlp, undefined := x.tlp(&o)
		if undefined && !last {
			ok, err := x.waiting.add(n, raw)
			switch {
			case ok || err != nil:
				return err
			case o.Type == "indicator":
				return x.refuse(n, &o, times, errStixMarking)
			}
			return x.r.refuse(n, o.shown(), errStixMarking)
		}
		if o.Type == "indicator" {
			return x.indicator(n, &o, times, tlp)
		}
		return x.thing(n, &o, kind, times, tlp)
	}
	switch o.Type {
	case "relationship":
		return x.relation(n, &o, times)
	case "sighting":
		return x.sighting(n, &o, times)
	}
	return nil // observations, notes, extensions and the like say nothing of a value
}

// stixTimes are those that every object has.
type stixTimes struct{ created, modified schema.Millis }

// common checks what every object has.
func (o *stixObject) common() (t stixTimes, err error) {
	switch {
	case o.Type == "":
		return t, errStixType
	case o.ID == "" && o.timeless():
		return t, nil
	case o.ID == "":
		return t, errStixID
	case !strings.HasPrefix(o.ID, o.Type+"--") || len(o.ID) > maxID:
		return t, fmt.Errorf("STIX: id %q is none of type %s", cut(o.ID, 80), cut(o.Type, 40))
	case o.SpecVersion != "" && o.SpecVersion != "2.0" && o.SpecVersion != "2.1":
		return t, fmt.Errorf("STIX: version %q is neither 2.0 nor 2.1", cut(o.SpecVersion, 20))
	case o.timeless():
		return t, nil
	case o.Modified == "":
		return t, errStixModified
	}
	if t.modified, err = stixTime("modified", o.Modified); err != nil {
		return t, err
	}
	if t.created, err = stixTime("created", o.Created); err != nil {
		return t, err
	}
	if t.modified < t.created {
		return t, errStixOrder
	}
	return t, nil
}

// timeless reports a cyber observable or a language's text, of which nothing is
// taken: they have no times, and none of them is at fault.
func (o *stixObject) timeless() bool {
	if o.Type == "indicator" || o.Type == "relationship" || o.Type == "sighting" {
		return false
	}
	_, known := stixKind(o)
	return !known
}

// shown is what a refusal shows of an object.
func (o *stixObject) shown() string {
	if o.ID == "" {
		return o.Type
	}
	return o.ID
}

// stixTime reads a time; an empty one is none.
func stixTime(member, s string) (schema.Millis, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("STIX: %s %q is not RFC 3339", member, cut(s, 40))
	}
	return schema.FromTime(t), nil
}

// stixNumber reads a whole number within bounds; ok is false for none.
func stixNumber(l loose, most int) (int, bool) {
	f, err := strconv.ParseFloat(string(l), 64)
	if err != nil || f != f {
		return 0, false
	}
	return int(max(0, min(f, float64(most)))), true
}

func (x *stix) relation(n int, o *stixObject, t stixTimes) error {
	if o.Relationship == "" || o.Source == "" || o.Target == "" {
		return x.r.refuse(n, o.ID, errStixRelation)
	}
	return x.r.out.Relation(n, fact.Relation{ID: o.ID, Type: cut(o.Relationship, maxLabel), From: cut(o.Source, maxID), To: cut(o.Target, maxID),
		Version: t.modified, Revoked: o.Revoked})
}

func (x *stix) sighting(n int, o *stixObject, t stixTimes) error {
	if o.SightingOf == "" {
		return x.r.refuse(n, o.ID, errStixSighting)
	}
	first, err1 := stixTime("first_seen", o.FirstSeen)
	last, err2 := stixTime("last_seen", o.LastSeen)
	if err := errors.Join(err1, err2); err != nil {
		return x.r.refuse(n, o.ID, err)
	}
	if last == 0 {
		last = max(first, t.modified)
	}
	count, ok := stixNumber(o.Count, 999_999_999)
	switch {
	case ok && count == 0:
		return x.r.refuse(n, o.ID, errStixUnseen)
	case !ok:
		count = 1
	}
	by := o.CreatedBy
	if len(o.Where) > 0 {
		by = o.Where[0]
	}
	return x.r.out.Sighting(n, fact.Sighting{ID: o.ID, Of: cut(o.SightingOf, maxID), First: first, Last: x.r.past(last), Count: count, By: cut(by, maxID),
		Version: t.modified, Revoked: o.Revoked})
}
