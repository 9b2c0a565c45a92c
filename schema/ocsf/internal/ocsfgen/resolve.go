package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// include merges the profiles an item includes below its own attributes: what
// the item says itself wins. An attribute from a profile belongs to it.
func (s *schema) include(it *item) error {
	for _, file := range it.Attributes.Include {
		p, ok := s.Profiles[strings.TrimSuffix(path.Base(file), ".json")]
		if !ok || p.Meta != "profile" {
			return fmt.Errorf("%s includes %s, which is not a profile of this schema", it.Name, file)
		}
		base := map[string]attr{}
		for name, a := range p.Attributes.Named {
			a.Profile = profileRef{Set: true, Names: []string{p.Name}}
			base[name] = a
		}
		it.Attributes.Named = mergeAttrs(base, it.Attributes.Named)
	}
	return nil
}

// flatten merges the ancestors of items[name] into it. The chain guards
// against a schema whose inheritance goes in a circle.
func flatten(items map[string]*item, name string, chain []string) error {
	it, ok := items[name]
	if !ok || slices.Contains(chain, name) {
		return fmt.Errorf("%q cannot be extended (unknown or circular): %s", name, strings.Join(chain, " extends "))
	}
	if it.flat || it.Extends == "" {
		it.flat = true
		return nil
	}
	if err := flatten(items, it.Extends, append(chain, name)); err != nil {
		return err
	}
	parent := items[it.Extends]
	it.Attributes.Named = mergeAttrs(parent.Attributes.Named, it.Attributes.Named)
	if it.Category == "" {
		it.Category = parent.Category
	}
	// An item that states constraints, even none, replaces its parent's.
	if it.Constraints == nil {
		it.Constraints = parent.Constraints
	}
	it.flat = true
	return nil
}

func mergeAttrs(base, over map[string]attr) map[string]attr {
	out := maps.Clone(base)
	for name, a := range over {
		if b, ok := out[name]; ok {
			a = mergeAttr(b, a)
		}
		out[name] = a
	}
	return out
}

// mergeAttr lays over on top of base. Enums are united. Two profiles that both
// bring the attribute share it, and the stricter requirement holds.
func mergeAttr(base, over attr) attr {
	out := base
	if over.Caption != "" {
		out.Caption = over.Caption
	}
	if over.Type != "" {
		out.Type = over.Type
	}
	if over.IsArray != nil {
		out.IsArray = over.IsArray
	}
	if over.Requirement != "" {
		bothProfiles := len(base.Profile.Names) > 0 && len(over.Profile.Names) > 0
		if !bothProfiles || requirementRank(over.Requirement) > requirementRank(base.Requirement) {
			out.Requirement = over.Requirement
		}
	}
	if over.Enum != nil {
		out.Enum = maps.Clone(base.Enum)
		if out.Enum == nil {
			out.Enum = map[string]enumValue{}
		}
		maps.Copy(out.Enum, over.Enum)
	}
	if over.Profile.Set {
		names := over.Profile.Names
		if len(names) > 0 {
			names = append(slices.Clone(base.Profile.Names), names...)
			slices.Sort(names)
			names = slices.Compact(names)
		}
		out.Profile = profileRef{Set: true, Names: names}
	}
	return out
}

// requirementRank orders requirements; unknown words rank below all.
func requirementRank(r string) int {
	return slices.Index([]string{"optional", "recommended", "required"}, r)
}

// attribute is an attribute of a class or object with nothing left to resolve.
type attribute struct {
	Name        string
	Type        string // a dictionary type, or the name of an object
	Array       bool
	Requirement string
	Enum        map[string]enumValue
	Profiles    []string
}

// attributes resolves an item's attributes against the dictionary, sorted by
// name. A timestamp brings a "_dt" twin that belongs to the datetime profile.
func (s *schema) attributes(it *item) ([]attribute, error) {
	var out []attribute
	for _, name := range slices.Sorted(maps.Keys(it.Attributes.Named)) {
		entry, ok := s.Dictionary[name]
		if !ok {
			return nil, fmt.Errorf("%s.%s is not in the dictionary", it.Name, name)
		}
		a := mergeAttr(entry, it.Attributes.Named[name])
		if _, scalar := s.Types[a.Type]; !scalar && s.Objects[a.Type] == nil {
			return nil, fmt.Errorf("%s.%s has unknown type %q", it.Name, name, a.Type)
		}
		if a.Requirement == "" {
			a.Requirement = "optional"
		}
		if requirementRank(a.Requirement) < 0 {
			return nil, fmt.Errorf("%s.%s has unknown requirement %q", it.Name, name, a.Requirement)
		}
		out = append(out, attribute{
			Name: name, Type: a.Type, Array: a.IsArray != nil && *a.IsArray,
			Requirement: a.Requirement, Enum: a.Enum, Profiles: a.Profile.Names,
		})
		if a.Type == "timestamp_t" {
			out = append(out, attribute{
				Name: name + "_dt", Type: "datetime_t", Requirement: "optional", Profiles: []string{"datetime"},
			})
		}
	}
	slices.SortFunc(out, func(a, b attribute) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// classUID is the class number that events carry: category times 1000 plus the
// class's own. An item without a number is abstract and has none.
func (s *schema) classUID(c *item) (int, bool) {
	if c.UID == nil {
		return 0, false
	}
	return s.Categories[c.Category].UID*1000 + *c.UID, true
}

// nameObservables completes the enum of observable.type_id, which the schema
// source scatters over types, dictionary attributes, objects and attributes.
func (s *schema) nameObservables() error {
	obs := s.Objects["observable"]
	if obs == nil {
		return fmt.Errorf("the schema has no observable object")
	}
	typeID := obs.Attributes.Named["type_id"]
	enum := maps.Clone(typeID.Enum)
	var clash error
	add := func(number int, caption string) {
		if number == 0 {
			return // not an observable
		}
		key := strconv.Itoa(number)
		if have, dup := enum[key]; dup {
			clash = fmt.Errorf("observable type %s is both %q and %q", key, have.Caption, caption)
		}
		enum[key] = enumValue{Caption: caption}
	}
	for _, t := range s.Types {
		add(t.Observable, t.Caption)
	}
	for _, a := range s.Dictionary {
		add(a.Observable, a.Caption)
	}
	for kind, items := range map[string]map[string]*item{"Object": s.Objects, "Class": s.Classes} {
		for _, it := range items {
			add(it.Observable, it.Caption)
			for name, a := range it.Attributes.Named {
				add(a.Observable, fmt.Sprintf("%s %s: %s", it.Caption, kind, name))
			}
		}
	}
	typeID.Enum = enum
	obs.Attributes.Named["type_id"] = typeID
	return clash
}
