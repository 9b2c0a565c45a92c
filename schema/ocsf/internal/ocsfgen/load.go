package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// schema is the whole schema after load: classes and objects are flattened.
type schema struct {
	Version    string
	Categories map[string]category
	Dictionary map[string]attr
	Types      map[string]scalar
	Profiles   map[string]*item
	Classes    map[string]*item
	Objects    map[string]*item
}

type category struct {
	UID     int    `json:"uid"`
	Caption string `json:"caption"`
}

// scalar is one type of the dictionary. Base is empty for the primitive types.
type scalar struct {
	Caption    string  `json:"caption"`
	Base       string  `json:"type"`
	MaxLen     int     `json:"max_len"`
	Range      []int64 `json:"range"`
	Observable int     `json:"observable"`
}

// item is a class, an object or a profile.
type item struct {
	Name        string              `json:"name"`
	Caption     string              `json:"caption"`
	Category    string              `json:"category"`
	Extends     string              `json:"extends"`
	Meta        string              `json:"meta"`
	UID         *int                `json:"uid"`
	Observable  int                 `json:"observable"`
	Constraints map[string][]string `json:"constraints"`
	Attributes  attrs               `json:"attributes"`

	flat bool // extends is already resolved
}

// attrs are the attributes of an item; Include holds the profile files that
// the item's "$include" names, relative to the schema directory.
type attrs struct {
	Include []string
	Named   map[string]attr
}

// UnmarshalJSON separates "$include" from the named attributes.
func (a *attrs) UnmarshalJSON(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	a.Named = make(map[string]attr, len(raw))
	for name, v := range raw {
		if name == "$include" {
			if err := json.Unmarshal(v, &a.Include); err != nil {
				var one string
				if json.Unmarshal(v, &one) != nil {
					return fmt.Errorf("$include: %w", err)
				}
				a.Include = []string{one}
			}
			continue
		}
		var at attr
		if err := json.Unmarshal(v, &at); err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
		if at.Include != nil {
			return fmt.Errorf("attribute %s: $include inside an attribute is not supported", name)
		}
		a.Named[name] = at
	}
	return nil
}

// attr is one attribute as written. Nil and empty mean "not said here".
type attr struct {
	Caption     string               `json:"caption"`
	Type        string               `json:"type"`
	IsArray     *bool                `json:"is_array"`
	Requirement string               `json:"requirement"`
	Enum        map[string]enumValue `json:"enum"`
	Profile     profileRef           `json:"profile"`
	Observable  int                  `json:"observable"`
	Include     json.RawMessage      `json:"$include"`
}

type enumValue struct {
	Caption string `json:"caption"`
}

// profileRef tells an absent "profile" from a null one: null takes the
// attribute out of a profile that an ancestor put it in.
type profileRef struct {
	Set   bool
	Names []string
}

// UnmarshalJSON accepts null or one profile name.
func (p *profileRef) UnmarshalJSON(b []byte) error {
	p.Set = true
	var name *string
	if err := json.Unmarshal(b, &name); err != nil {
		return err
	}
	if name != nil {
		p.Names = []string{*name}
	}
	return nil
}

// load reads and flattens the schema below dir.
func load(dir string) (*schema, error) {
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		if err == nil {
			err = errors.New("not a directory")
		}
		return nil, fmt.Errorf("OCSF schema directory %q (it must hold version.json, dictionary.json, events, objects): %w", dir, err)
	}
	s := &schema{}
	var version struct{ Version string }
	var categories struct{ Attributes map[string]category }
	var dictionary struct {
		Attributes map[string]attr
		Types      struct{ Attributes map[string]scalar }
	}
	for name, dst := range map[string]any{
		"version.json": &version, "categories.json": &categories, "dictionary.json": &dictionary,
	} {
		if err := readJSON(filepath.Join(dir, name), dst); err != nil {
			return nil, err
		}
	}
	s.Version, s.Categories = version.Version, categories.Attributes
	s.Dictionary, s.Types = dictionary.Attributes, dictionary.Types.Attributes
	var err error
	if s.Profiles, err = readItems(filepath.Join(dir, "profiles")); err != nil {
		return nil, err
	}
	if s.Objects, err = readItems(filepath.Join(dir, "objects")); err != nil {
		return nil, err
	}
	if s.Classes, err = readItems(filepath.Join(dir, "events")); err != nil {
		return nil, err
	}
	// Observables are numbered where they are declared, so they are collected
	// before inheritance copies attributes around.
	if err := s.nameObservables(); err != nil {
		return nil, err
	}
	for _, items := range []map[string]*item{s.Objects, s.Classes} {
		for _, it := range items {
			if err := s.include(it); err != nil {
				return nil, err
			}
		}
		for name := range items {
			if err := flatten(items, name, nil); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func readItems(dir string) (map[string]*item, error) {
	items := map[string]*item{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		it := &item{}
		if err := readJSON(path, it); err != nil {
			return err
		}
		if _, dup := items[it.Name]; dup || it.Name == "" {
			return fmt.Errorf("%s: name %q is empty or already taken", path, it.Name)
		}
		items[it.Name] = it
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read OCSF schema: %w", err)
	}
	return items, nil
}

func readJSON(path string, dst any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read OCSF schema: %w", err)
	}
	if err := json.Unmarshal(b, dst); err != nil {
		return fmt.Errorf("parse %s: %w", path, err)
	}
	return nil
}
