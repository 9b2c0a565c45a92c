package fact

import "github.com/interdict/interdict/schema"

// Said is an indicator as its feed says it. A STIX pattern of several values makes
// one Said for each, all with the ID of the object; of one ID the newest Version
// counts, with all its values. One with a Version and no Value says that this version
// has no value that can be taken now: what it or older ones said counts no longer.
type Said struct {
	schema.Indicator
	Version schema.Millis `json:"version,omitzero"` // the object's last change as the feed says it; zero: not said
	Revoked bool          `json:"revoked,omitzero"` // the feed takes the whole ID back; Type and Value may be empty then
}

// Object is something a feed speaks of besides indicators: what is behind them, and
// reports that group them.
type Object struct {
	ID        string            `json:"id"`
	Kind      schema.ThreatKind `json:"kind"` // unknown: an identity, a course of action or the like, kept for its name only
	Name      string            `json:"name,omitzero"`
	Aliases   []string          `json:"aliases,omitempty"`
	Technique string            `json:"technique,omitzero"` // ATT&CK id of an attack-pattern
	Desc      string            `json:"desc,omitzero"`      // shortened to 4 KiB
	Labels    []string          `json:"labels,omitempty"`   // report types, malware types
	Refs      []string          `json:"refs,omitempty"`     // of a report: ids of what it groups
	Links     []string          `json:"links,omitempty"`    // external references: URLs
	TLP       schema.TLP        `json:"tlp"`
	First     schema.Millis     `json:"first,omitzero"` // first seen, or published
	Last      schema.Millis     `json:"last,omitzero"`
	Version   schema.Millis     `json:"version,omitzero"`
	Revoked   bool              `json:"revoked,omitzero"`
}

// Relation says that one object has to do with another: "indicates",
// "attributed-to", "uses" and so on.
type Relation struct {
	ID      string        `json:"id"`
	Type    string        `json:"type"`
	From    string        `json:"from"`
	To      string        `json:"to"`
	Version schema.Millis `json:"version,omitzero"`
	Revoked bool          `json:"revoked,omitzero"`
}

// Sighting says that an indicator was seen. It makes the indicator fresh.
type Sighting struct {
	ID      string                `json:"id,omitzero"`
	Of      string                `json:"of,omitzero"`    // the indicator's id; empty: by type and value
	Type    schema.ObservableType `json:"type,omitzero"`  // where Of is empty
	Value   string                `json:"value,omitzero"` // where Of is empty
	First   schema.Millis         `json:"first,omitzero"`
	Last    schema.Millis         `json:"last"`
	Count   int                   `json:"count,omitzero"`
	By      string                `json:"by,omitzero"`
	Version schema.Millis         `json:"version,omitzero"`
	Revoked bool                  `json:"revoked,omitzero"`
}

// Refusal is a part of a feed that was not taken, and why.
type Refusal struct {
	Part   string `json:"part,omitzero"` // file, page or event, where a pull has several
	Line   int    `json:"line"`          // from 1: line of a text, record of a CSV, object of a bundle
	Value  string `json:"value"`         // as it stood there, shortened to 120 bytes
	Reason string `json:"reason"`
	// Noise says that the text is nothing that any feed says: no value of a kind that is
	// not taken, but no value at all. A pull of nothing else is no feed.
	Noise bool `json:"-"`
}

// Sink takes facts in the order of the feed. An error ends the reading. What is
// passed belongs to the sink.
type Sink interface {
	Said(line int, s Said) error
	Object(line int, o Object) error
	Relation(line int, r Relation) error
	Sighting(line int, s Sighting) error
	Refuse(r Refusal) error
}

// Mode says what a pull's facts mean for what the feed said before.
type Mode uint8

// Modes.
const (
	Replace Mode = iota // the pull is all that the feed says: what is missing is gone
	Update              // the pull is what changed: what is missing stays
)

// Part is a piece of a pull: a file, a page, an event.
type Part struct {
	Name   string // for messages
	Format Format // FormatAuto where only the bytes can tell
}
