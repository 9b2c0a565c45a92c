package settings

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// origin is where settings come from, to say of one where it stands.
type origin struct {
	path string   // of the file; empty: there is none
	root ast.Node // of the file; nil: there is none, or it is no YAML
	over []override
}

// override is a variable of the environment and the key that it sets.
type override struct{ name, key string }

func newOrigin(path string, text []byte) *origin {
	o := &origin{path: path}
	if f, err := parser.ParseBytes(text, 0); err == nil && len(f.Docs) > 0 {
		o.root = f.Docs[0].Body
	}
	return o
}

// find makes a finding of what an error says, which begins with the key.
func (o *origin) find(doubt bool, err error) Finding {
	key := keyOf(err)
	return Finding{Doubt: doubt, Place: o.place(key), Key: key, Text: err.Error()}
}

// place says where a setting stands, or else the section that it would be in.
func (o *origin) place(key string) Place {
	for _, v := range o.over {
		if v.key != "" && (key == v.key || strings.HasPrefix(key, v.key+".") || strings.HasPrefix(key, v.key+"[")) {
			return Place{File: v.name}
		}
	}
	if o.path == "" {
		return Place{File: "configuration"}
	}
	line, column := 0, 0
	node := o.root
	for key != "" && node != nil {
		m := step.FindStringSubmatch(key)
		if m == nil {
			break
		}
		pair := entry(node, m[1])
		if pair == nil {
			break
		}
		line, column = position(pair.Key)
		node = bare(pair.Value)
		if m[2] != "" {
			n, err := strconv.Atoi(strings.Trim(m[2], "[]"))
			list, ok := node.(*ast.SequenceNode)
			if err != nil || !ok || n >= len(list.Values) {
				break
			}
			node = bare(list.Values[n])
			line, column = begin(node, line, column)
		}
		key = strings.TrimPrefix(key[len(m[0]):], ".")
	}
	return Place{o.path, line, column}
}

// entries gives what a mapping holds.
func entries(n ast.Node) []*ast.MappingValueNode {
	switch n := bare(n).(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func entry(n ast.Node, name string) *ast.MappingValueNode {
	for _, pair := range entries(n) {
		if keyText(pair) == name {
			return pair
		}
	}
	return nil
}

func keyText(pair *ast.MappingValueNode) string { return pair.Key.GetToken().Value }

// bare takes off what stands before a value: an anchor or a tag.
func bare(n ast.Node) ast.Node {
	for {
		switch m := n.(type) {
		case *ast.AnchorNode:
			n = m.Value
		case *ast.TagNode:
			n = m.Value
		default:
			return n
		}
	}
}

func position(n ast.Node) (line, column int) {
	p := n.GetToken().Position
	return p.Line, p.Column
}

// begin gives where an element of a list begins: at the first key of a mapping.
func begin(n ast.Node, line, column int) (int, int) {
	if list := entries(n); len(list) > 0 {
		return position(list[0].Key)
	}
	if n == nil || n.GetToken() == nil {
		return line, column
	}
	return position(n)
}

// misfits finds keys that are no settings, and values that are of no use to theirs, below
// a node whose value has type t. It is for a file that could not be read: what an alias
// stands for is not looked at.
func (o *origin) misfits(n ast.Node, t reflect.Type, key string) (list []Finding) {
	n = bare(n)
	say := func(n ast.Node, key, text string) {
		line, column := position(n)
		list = append(list, Finding{Place: Place{o.path, line, column}, Key: key, Text: text})
	}
	keys := keysOf(t)
	switch s, isList := n.(*ast.SequenceNode); {
	case n == nil, n.Type() == ast.AliasType, n.Type() == ast.NullType:
	case isList && t.Kind() == reflect.Slice && keysOf(t.Elem()) != nil:
		for i, v := range s.Values {
			list = append(list, o.misfits(v, t.Elem(), fmt.Sprintf("%s[%d]", key, i))...)
		}
	case keys == nil:
		if err := yaml.NodeToValue(n, reflect.New(t).Interface()); err != nil {
			text := fmt.Sprintf("%s: %s", key, message(err))
			if t == reflect.TypeFor[time.Duration]() {
				text += ": want such as 90s, 15m or 24h"
			}
			say(n, key, text)
		}
	case n.Type() != ast.MappingType && n.Type() != ast.MappingValueType:
		say(n, key, key+": is a section, no single value")
	}
	for _, pair := range entries(n) {
		name := keyText(pair)
		next, ok := keys[name]
		switch {
		case keys == nil, pair.Key.IsMergeKey():
		case ok:
			list = append(list, o.misfits(pair.Value, next, join(key, name))...)
		default:
			say(pair.Key, join(key, name), fmt.Sprintf("unknown field %q%s", name, similar(name, keys)))
		}
	}
	return list
}
