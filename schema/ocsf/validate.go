package ocsf

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits of validation.
const (
	MaxDepth    = 64   // levels of nested objects and arrays in an event
	MaxProblems = 1000 // problems reported for one event
)

// TypeUID is the type_uid of an activity of a class.
func TypeUID(class ClassUID, activity int32) int64 {
	return int64(class)*100 + int64(activity)
}

// Validator checks OCSF JSON events against the tables of Version. It is built
// once, never changes, and may be used by many goroutines.
type Validator struct {
	table *table
}

// NewValidator reads the embedded tables. An error means that the generated
// file is broken, which the package's tests rule out.
func NewValidator() (*Validator, error) {
	t, err := readTable([]byte(tableJSON))
	if err != nil {
		return nil, err
	}
	if t.version != Version {
		return nil, fmt.Errorf("the OCSF table is of version %s, the enums are of %s: generate again", t.version, Version)
	}
	return &Validator{table: t}, nil
}

// ClassAttributes returns the attributes of a class by name, or false for a
// class that is not in the tables. The caller owns the result.
func (v *Validator) ClassAttributes(class ClassUID) ([]Attribute, bool) {
	l, ok := v.table.classes[int64(class)]
	if !ok {
		return nil, false
	}
	return l.attributes(), true
}

// ObjectAttributes returns the attributes of an object such as "technique" by
// name, or false for one that is not in the tables. The caller owns the result.
func (v *Validator) ObjectAttributes(name string) ([]Attribute, bool) {
	l, ok := v.table.objects[name]
	if !ok {
		return nil, false
	}
	return l.attributes(), true
}

// Validate checks one event, whose class is told by its class_uid. It returns
// the problems ordered by path, kind and detail; none means that the event
// conforms. A null attribute counts as absent. Attributes of a profile exist
// only where metadata.profiles names it. The input is not retained.
func (v *Validator) Validate(event []byte) []Problem {
	w := walk{table: v.table}
	root := &location{}
	o, err := parse(event, &w.report)
	if err != nil {
		kind := KindSyntax
		if errors.Is(err, errDepth) {
			kind = KindDepth
		}
		return []Problem{{Kind: kind, Detail: err.Error()}}
	}
	class, ok := w.class(root, o)
	if !ok {
		return w.report.done()
	}
	w.profiles = w.declared(root, o)
	w.object(root, class, o)
	w.typeUID(root, o)
	w.version(root, o)
	return w.report.done()
}

// walk is the validation of one event.
type walk struct {
	table    *table
	profiles []string
	report   report
}

func (w *walk) class(root *location, o object) (*layout, bool) {
	at := root.key("class_uid")
	if o["class_uid"] == nil {
		w.report.add(at, KindRequired, "the event does not say its class")
		return nil, false
	}
	uid, ok := integer(o["class_uid"])
	if !ok {
		w.report.add(at, KindType, "expected an integer, found "+describe(o["class_uid"]))
		return nil, false
	}
	class, ok := w.table.classes[uid]
	if !ok {
		w.report.add(at, KindClass, "class "+strconv.FormatInt(uid, 10)+" is not in the tables")
	}
	return class, ok
}

// declared returns metadata.profiles. Elements that are no strings are left to
// the type check.
func (w *walk) declared(root *location, o object) []string {
	metadata, _ := o["metadata"].(object)
	list, _ := metadata["profiles"].([]value)
	at := root.key("metadata").key("profiles")
	var names []string
	for i, item := range list {
		name, ok := item.(string)
		if !ok {
			continue
		}
		if !slices.Contains(w.table.profiles, name) {
			w.report.add(at.at(i), KindProfile, "the schema has no profile "+shown(name))
			continue
		}
		names = append(names, name)
	}
	return names
}

// typeUID checks the arithmetic of type_uid; missing or mistyped numbers are
// reported elsewhere.
func (w *walk) typeUID(root *location, o object) {
	class, _ := integer(o["class_uid"])
	activity, ok1 := integer(o["activity_id"])
	have, ok2 := integer(o["type_uid"])
	// A wild activity would overflow below; its enum has already spoken.
	if !ok1 || !ok2 || activity < 0 || activity > 99 {
		return
	}
	if want := class*100 + activity; have != want {
		w.report.add(root.key("type_uid"), KindTypeUID, fmt.Sprintf("found %d, expected %d", have, want))
	}
}

func (w *walk) version(root *location, o object) {
	metadata, _ := o["metadata"].(object)
	have, ok := metadata["version"].(string)
	if ok && have != w.table.version {
		w.report.add(root.key("metadata").key("version"), KindVersion, "found "+shown(have)+", expected "+shown(w.table.version))
	}
}

func (w *walk) object(at *location, l *layout, o object) {
	if w.report.full {
		return
	}
	if !l.open {
		for _, name := range o.names() {
			if i, ok := l.index[name]; ok {
				w.attribute(at.key(name), &l.entries[i], o[name])
			} else {
				w.report.add(at.key(name), KindUnknown, l.name+" has no such attribute")
			}
		}
	}
	for i := range l.entries {
		e := &l.entries[i]
		if e.Requirement == Required && o[e.Name] == nil && e.active(w.profiles) {
			w.report.add(at.key(e.Name), KindRequired, l.name+" requires it")
		}
	}
	if len(l.atLeastOne) > 0 && present(o, l.atLeastOne) == 0 {
		w.report.add(at, KindConstraint, l.name+" needs at least one of "+strings.Join(l.atLeastOne, ", "))
	}
	if len(l.justOne) > 0 {
		if n := present(o, l.justOne); n != 1 {
			w.report.add(at, KindConstraint, fmt.Sprintf("%s needs exactly one of %s, found %d", l.name, strings.Join(l.justOne, ", "), n))
		}
	}
}

func present(o object, names []string) (n int) {
	for _, name := range names {
		if o[name] != nil {
			n++
		}
	}
	return n
}

func (w *walk) attribute(at *location, e *entry, v value) {
	if v == nil {
		return
	}
	if !e.active(w.profiles) {
		w.report.add(at, KindProfile, "needs profile "+strings.Join(e.Profiles, " or ")+" in metadata.profiles")
	}
	if !e.Array {
		w.single(at, e, v)
		return
	}
	list, ok := v.([]value)
	if !ok {
		w.report.add(at, KindType, "expected an array, found "+describe(v))
		return
	}
	for i, item := range list {
		w.single(at.at(i), e, item)
	}
}

// single checks one value; the elements of an array come here one by one.
func (w *walk) single(at *location, e *entry, v value) {
	if w.report.full {
		return
	}
	if e.object != nil {
		o, ok := v.(object)
		if !ok {
			w.report.add(at, KindType, "expected an object, found "+describe(v))
			return
		}
		w.object(at, e.object, o)
		return
	}
	switch e.scalar.shape {
	case shapeString:
		s, ok := v.(string)
		if !ok {
			w.report.add(at, KindType, "expected a string, found "+describe(v))
			return
		}
		w.text(at, e, s)
	case shapeInteger:
		n, ok := integer(v)
		if !ok {
			w.report.add(at, KindType, "expected an integer, found "+describe(v))
			return
		}
		w.number(at, e, n)
	case shapeFloat:
		if _, ok := v.(json.Number); !ok {
			w.report.add(at, KindType, "expected a number, found "+describe(v))
		}
	case shapeBoolean:
		if _, ok := v.(bool); !ok {
			w.report.add(at, KindType, "expected a boolean, found "+describe(v))
		}
	}
}

func (w *walk) number(at *location, e *entry, n int64) {
	if e.scalar.hasRange && (n < e.scalar.low || n > e.scalar.high) {
		w.report.add(at, KindType, fmt.Sprintf("%d is outside %d to %d", n, e.scalar.low, e.scalar.high))
		return
	}
	// type_uid has no enum in the tables: typeUID checks it by arithmetic.
	if len(e.Enum) > 0 {
		if _, ok := slices.BinarySearch(e.Enum, n); !ok {
			w.report.add(at, KindEnum, strconv.FormatInt(n, 10)+" is not a value of "+e.Name)
		}
	}
}

func (w *walk) text(at *location, e *entry, s string) {
	if e.scalar.maxLen > 0 && len(s) > e.scalar.maxLen {
		w.report.add(at, KindFormat, fmt.Sprintf("%d bytes, at most %d are allowed", len(s), e.scalar.maxLen))
		return
	}
	if len(e.EnumWords) > 0 {
		if _, ok := slices.BinarySearch(e.EnumWords, s); !ok {
			w.report.add(at, KindEnum, shown(s)+" is not a value of "+e.Name)
		}
		return
	}
	if !wellFormed(e.Type, s) {
		w.report.add(at, KindFormat, shown(s)+" is not "+e.Type)
	}
}

// integer returns the value of a number that is written as an integer and fits
// in 64 bits.
func integer(v value) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	return i, err == nil
}

// describe names the JSON type of a value, and shows a number.
func describe(v value) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "the number " + shown(string(v))
	case string:
		return "a string"
	case []value:
		return "an array"
	}
	return "an object"
}
