package ocsf

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

//go:embed schema_1_8_0.json
var tableJSON string

// Requirement says how strongly the schema asks for an attribute.
type Requirement uint8

// The requirements, weakest first. Only a missing Required attribute is a Problem.
const (
	Optional Requirement = iota
	Recommended
	Required
)

// String returns the schema's word for the requirement.
func (r Requirement) String() string {
	switch r {
	case Optional:
		return "optional"
	case Recommended:
		return "recommended"
	case Required:
		return "required"
	}
	return fmt.Sprintf("Requirement(%d)", uint8(r))
}

// Attribute is one attribute of a class or an object, with inheritance and
// profiles resolved.
type Attribute struct {
	Name        string
	Type        string // a scalar type such as "string_t", or the name of an object
	Array       bool
	Requirement Requirement
	Enum        []int64  // the allowed numbers, ascending; empty when anything goes
	EnumWords   []string // the allowed words of the few string enums, ascending
	Profiles    []string // the attribute exists only in events that declare one of these; empty means always
}

// shape is how a value looks in JSON.
type shape uint8

const (
	shapeObject shape = iota
	shapeString
	shapeInteger
	shapeFloat
	shapeBoolean
	shapeAny
)

// scalarType is a resolved dictionary type.
type scalarType struct {
	shape    shape
	maxLen   int // bytes; 0 means no limit
	low      int64
	high     int64
	hasRange bool
}

// entry is an attribute as the validator uses it: types and objects looked up.
type entry struct {
	Attribute
	scalar scalarType
	object *layout // nil for scalars
}

// layout is a class or an object.
type layout struct {
	name       string
	open       bool // the generic object: any attribute, unchecked
	entries    []entry
	index      map[string]int // name to position in entries
	atLeastOne []string
	justOne    []string
}

// table is the whole requirement table; read-only once built.
type table struct {
	version  string
	profiles []string
	classes  map[int64]*layout
	objects  map[string]*layout
}

// The rows of the embedded file; internal/ocsfgen writes the same shape.
type (
	typeRow struct {
		Base   string  `json:"base"`
		MaxLen int     `json:"max_len"`
		Range  []int64 `json:"range"`
	}
	itemRow struct {
		Name       string    `json:"name"`
		UID        int64     `json:"uid"`
		AtLeastOne []string  `json:"at_least_one"`
		JustOne    []string  `json:"just_one"`
		Attributes []attrRow `json:"attributes"`
	}
	attrRow struct {
		Name     string      `json:"n"`
		Type     string      `json:"t"`
		Array    bool        `json:"a"`
		Required Requirement `json:"r"`
		Numbers  []int64     `json:"e"`
		Words    []string    `json:"w"`
		Profiles []string    `json:"p"`
	}
	fileRows struct {
		Version  string             `json:"version"`
		Types    map[string]typeRow `json:"types"`
		Profiles []string           `json:"profiles"`
		Classes  []itemRow          `json:"classes"`
		Objects  []itemRow          `json:"objects"`
	}
)

// readTable decodes the embedded file strictly and links every reference, so
// that validation never meets a name it does not know.
func readTable(file []byte) (*table, error) {
	var rows fileRows
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("decode OCSF table: %w", err)
	}
	t := &table{
		version:  rows.Version,
		profiles: rows.Profiles,
		classes:  make(map[int64]*layout, len(rows.Classes)),
		objects:  make(map[string]*layout, len(rows.Objects)),
	}
	// Objects refer to each other in circles: all exist before any is linked.
	for _, r := range rows.Objects {
		t.objects[r.Name] = &layout{name: r.Name, open: r.Name == "object"}
	}
	for _, r := range rows.Objects {
		if err := t.link(t.objects[r.Name], r, rows.Types); err != nil {
			return nil, err
		}
	}
	for _, r := range rows.Classes {
		t.classes[r.UID] = &layout{name: r.Name}
		if err := t.link(t.classes[r.UID], r, rows.Types); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *table) link(l *layout, r itemRow, types map[string]typeRow) error {
	l.atLeastOne, l.justOne = r.AtLeastOne, r.JustOne
	l.entries = make([]entry, 0, len(r.Attributes))
	l.index = make(map[string]int, len(r.Attributes))
	for _, a := range r.Attributes {
		e := entry{Attribute: Attribute{
			Name: a.Name, Type: a.Type, Array: a.Array, Requirement: a.Required,
			Enum: a.Numbers, EnumWords: a.Words, Profiles: a.Profiles,
		}}
		if object, ok := t.objects[a.Type]; ok {
			e.object = object
		} else {
			scalar, err := resolveScalar(a.Type, types)
			if err != nil {
				return fmt.Errorf("OCSF table: %s.%s: %w", r.Name, a.Name, err)
			}
			e.scalar = scalar
		}
		l.index[a.Name] = len(l.entries)
		l.entries = append(l.entries, e)
	}
	for _, name := range slices.Concat(l.atLeastOne, l.justOne) {
		if _, ok := l.index[name]; !ok {
			return fmt.Errorf("OCSF table: %s: constraint on unknown attribute %q", r.Name, name)
		}
	}
	return nil
}

// resolveScalar follows a type to its primitive base.
func resolveScalar(name string, types map[string]typeRow) (scalarType, error) {
	row, ok := types[name]
	if !ok {
		return scalarType{}, fmt.Errorf("unknown type %q", name)
	}
	primitive := name
	if row.Base != "" {
		primitive = row.Base
		if base, ok := types[primitive]; ok && base.Base != "" {
			primitive = base.Base
		}
	}
	s := scalarType{maxLen: row.MaxLen}
	if len(row.Range) == 2 {
		s.low, s.high, s.hasRange = row.Range[0], row.Range[1], true
	}
	switch primitive {
	case "string_t":
		s.shape = shapeString
	case "integer_t", "long_t":
		s.shape = shapeInteger
	case "float_t":
		s.shape = shapeFloat
	case "boolean_t":
		s.shape = shapeBoolean
	case "json_t":
		s.shape = shapeAny
	default:
		return scalarType{}, fmt.Errorf("type %q has unknown base %q", name, primitive)
	}
	return s, nil
}

// active reports whether an attribute exists in an event with these profiles.
func (a *Attribute) active(declared []string) bool {
	return len(a.Profiles) == 0 || slices.ContainsFunc(a.Profiles, func(p string) bool {
		return slices.Contains(declared, p)
	})
}

// clone returns a copy that shares nothing with the table.
func (a *Attribute) clone() Attribute {
	c := *a
	c.Enum, c.EnumWords, c.Profiles = slices.Clone(a.Enum), slices.Clone(a.EnumWords), slices.Clone(a.Profiles)
	return c
}

func (l *layout) attributes() []Attribute {
	out := make([]Attribute, 0, len(l.entries))
	for i := range l.entries {
		out = append(out, l.entries[i].clone())
	}
	slices.SortFunc(out, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	return out
}
