package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// tableCategories are the categories whose classes the validator knows.
var tableCategories = [...]string{"findings", "remediation"}

// The rows of the embedded table. Package ocsf reads the same shape strictly,
// so a field added on one side only fails at once.
type (
	typeRow struct {
		Base   string  `json:"base,omitempty"`
		MaxLen int     `json:"max_len,omitempty"`
		Range  []int64 `json:"range,omitempty"`
	}
	itemRow struct {
		Name       string    `json:"name"`
		UID        int       `json:"uid,omitempty"`
		AtLeastOne []string  `json:"at_least_one,omitempty"`
		JustOne    []string  `json:"just_one,omitempty"`
		Attributes []attrRow `json:"attributes"`
	}
	attrRow struct {
		Name     string   `json:"n"`
		Type     string   `json:"t"`
		Array    bool     `json:"a,omitempty"`
		Required int      `json:"r,omitempty"` // 0 optional, 1 recommended, 2 required
		Numbers  []int64  `json:"e,omitempty"`
		Words    []string `json:"w,omitempty"`
		Profiles []string `json:"p,omitempty"`
	}
)

// emitTable writes the requirement table: one line per class and object.
func emitTable(s *schema) (string, []byte, error) {
	var classes, objects []itemRow
	reached := map[string]bool{}
	var queue []string
	add := func(it *item, uid int) (itemRow, error) {
		row, err := s.row(it, uid)
		for _, a := range row.Attributes {
			if s.Objects[a.Type] != nil && !reached[a.Type] {
				reached[a.Type] = true
				queue = append(queue, a.Type)
			}
		}
		return row, err
	}
	for _, c := range s.Classes {
		uid, ok := s.classUID(c)
		if !ok || !slices.Contains(tableCategories[:], c.Category) {
			continue
		}
		row, err := add(c, uid)
		if err != nil {
			return "", nil, err
		}
		classes = append(classes, row)
	}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		row, err := add(s.Objects[name], 0)
		if err != nil {
			return "", nil, err
		}
		objects = append(objects, row)
	}
	slices.SortFunc(classes, func(a, b itemRow) int { return a.UID - b.UID })
	slices.SortFunc(objects, func(a, b itemRow) int { return strings.Compare(a.Name, b.Name) })

	types := map[string]typeRow{}
	for name, t := range s.Types {
		types[name] = typeRow{Base: t.Base, MaxLen: t.MaxLen, Range: t.Range}
	}
	var w bytes.Buffer
	fmt.Fprintf(&w, "{\"version\":%q,\n\"types\":%s,\n\"profiles\":%s,\n",
		s.Version, compact(types), compact(slices.Sorted(maps.Keys(s.Profiles))))
	writeRows(&w, "classes", classes)
	w.WriteString(",\n")
	writeRows(&w, "objects", objects)
	w.WriteString("}\n")
	return "schema_" + strings.ReplaceAll(s.Version, ".", "_") + ".json", w.Bytes(), nil
}

func writeRows(w *bytes.Buffer, name string, rows []itemRow) {
	fmt.Fprintf(w, "%q:[\n", name)
	for i, r := range rows {
		if i > 0 {
			w.WriteString(",\n")
		}
		w.Write(compact(r))
	}
	w.WriteString("\n]")
}

// compact is json.Marshal for rows, which hold nothing that can fail.
func compact(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func (s *schema) row(it *item, uid int) (itemRow, error) {
	row := itemRow{Name: it.Name, UID: uid, Attributes: []attrRow{}}
	for kind, names := range it.Constraints {
		for _, n := range names {
			// A dotted path reaches into an object; no class here uses one.
			if _, ok := it.Attributes.Named[n]; !ok {
				return row, fmt.Errorf("%s: constraint %s names %q, which is not one of its attributes", it.Name, kind, n)
			}
		}
		switch kind {
		case "at_least_one":
			row.AtLeastOne = slices.Sorted(slices.Values(names))
		case "just_one":
			row.JustOne = slices.Sorted(slices.Values(names))
		default:
			return row, fmt.Errorf("%s: unknown constraint %q", it.Name, kind)
		}
	}
	attributes, err := s.attributes(it)
	if err != nil {
		return row, err
	}
	for _, a := range attributes {
		r := attrRow{
			Name: a.Name, Type: a.Type, Array: a.Array,
			Required: requirementRank(a.Requirement), Profiles: a.Profiles,
		}
		switch {
		case uid != 0 && a.Name == "class_uid":
			r.Numbers = []int64{int64(uid)}
		case uid != 0 && a.Name == "category_uid":
			r.Numbers = []int64{int64(uid / 1000)}
		default:
			r.Numbers, r.Words = enumKeys(a.Enum)
		}
		row.Attributes = append(row.Attributes, r)
	}
	return row, nil
}

// enumKeys returns the keys of an enum in order: numbers, or words where one
// of them is not a number.
func enumKeys(enum map[string]enumValue) (numbers []int64, words []string) {
	for key := range enum {
		n, err := strconv.ParseInt(key, 10, 64)
		if err != nil {
			return nil, slices.Sorted(maps.Keys(enum))
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers, nil
}
