package ocsf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Kind is what is wrong with an event.
type Kind uint8

// The kinds of problems.
const (
	KindSyntax     Kind = iota // not one JSON object in valid UTF-8; nothing else is reported
	KindDepth                  // nested deeper than MaxDepth; nothing else is reported
	KindDuplicate              // a key occurs twice in one object
	KindClass                  // the tables do not know the class_uid; nothing else is reported
	KindRequired               // a required attribute is missing or null
	KindUnknown                // the class or object has no such attribute
	KindProfile                // an attribute of a profile the event does not declare, or an unknown profile
	KindType                   // a value of the wrong JSON type, or a number out of range
	KindFormat                 // a string that is not what its type says: address, time, UUID...
	KindEnum                   // a value outside its enum
	KindConstraint             // at_least_one or just_one does not hold
	KindTypeUID                // type_uid is not class_uid*100 + activity_id
	KindVersion                // metadata.version is not Version
	KindTruncated              // more than MaxProblems; the rest is not reported
)

// String returns the kind in lower case, as golden files and reports print it.
func (k Kind) String() string {
	switch k {
	case KindSyntax:
		return "syntax"
	case KindDepth:
		return "depth"
	case KindDuplicate:
		return "duplicate"
	case KindClass:
		return "class"
	case KindRequired:
		return "required"
	case KindUnknown:
		return "unknown"
	case KindProfile:
		return "profile"
	case KindType:
		return "type"
	case KindFormat:
		return "format"
	case KindEnum:
		return "enum"
	case KindConstraint:
		return "constraint"
	case KindTypeUID:
		return "type_uid"
	case KindVersion:
		return "version"
	case KindTruncated:
		return "truncated"
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// Problem is one way in which an event breaks the schema.
type Problem struct {
	Path   string // where, as in "finding_info.attacks[0].tactic.uid"; empty for the event itself
	Kind   Kind
	Detail string // what was found and what was expected, for people
}

// String returns "kind path: detail".
func (p Problem) String() string {
	return p.Kind.String() + " " + p.Path + ": " + p.Detail
}

// maxShown bounds what of a hostile key or value gets into a Problem, in bytes.
const maxShown = 64

// shown quotes s for a Detail, shortened.
func shown(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(strings.ToValidUTF8(s[:maxShown], "")) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// location is the way from the event down to a value. It is turned into text
// only when there is a problem to report.
type location struct {
	parent *location
	name   string
	index  int // position in an array where name is empty
}

func (l *location) key(name string) *location { return &location{parent: l, name: name} }
func (l *location) at(index int) *location    { return &location{parent: l, index: index} }

// String returns the path. The root location has none.
func (l *location) String() string {
	if l == nil || l.parent == nil {
		return ""
	}
	head := l.parent.String()
	if l.name == "" {
		return head + "[" + strconv.Itoa(l.index) + "]"
	}
	name := l.name
	if !plainName(name) {
		name = shown(name)
	}
	if head == "" {
		return name
	}
	return head + "." + name
}

// plainName reports whether a key can stand in a path without quotes.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) <= maxShown
}

// report collects problems up to MaxProblems.
type report struct {
	problems []Problem
	full     bool
}

func (r *report) add(at *location, kind Kind, detail string) {
	if r.full {
		return
	}
	if len(r.problems) == MaxProblems {
		r.full = true
		return
	}
	r.problems = append(r.problems, Problem{Path: at.String(), Kind: kind, Detail: detail})
}

// done returns the problems by path, kind and detail.
func (r *report) done() []Problem {
	slices.SortFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind), strings.Compare(a.Detail, b.Detail))
	})
	if r.full {
		r.problems = append(r.problems, Problem{Kind: KindTruncated, Detail: "more than " + strconv.Itoa(MaxProblems) + " problems"})
	}
	return r.problems
}
