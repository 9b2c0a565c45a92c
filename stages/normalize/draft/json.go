package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// object is a JSON object with its order.
type object []member

type member struct {
	name  string
	value any // object, []any, json.Number, string, bool or nil
}

var errJSON = errors.New("not JSON")

// parse reads one JSON text that is all of data.
func parse(data []byte) (any, error) {
	if !json.Valid(data) {
		return nil, errJSON
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return next(dec, 0)
}

func next(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if depth > 4*maxDepth {
		return nil, errJSON
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := next(dec, depth+1)
			if err != nil {
				return nil, err
			}
			name, _ := key.(string) // Decoder gives nothing else for a key
			o = append(o, member{name, v})
		}
		_, err = dec.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := next(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

// at gives the value of a dotted path without arrays, nil where there is none.
func (o object) at(path string) any {
	name, rest, more := strings.Cut(path, ".")
	for _, m := range o {
		if m.name == path {
			return m.value
		}
		if m.name != name || !more {
			continue
		}
		if inner, ok := m.value.(object); ok {
			return inner.at(rest)
		}
	}
	return nil
}

// place is where a walk is in a document.
type place struct {
	path  string
	names []string
	array string
	depth int
}

func (p place) below(name string) place {
	names := append(p.names[:len(p.names):len(p.names)], name)
	path := escape(name)
	if p.path != "" {
		path = p.path + "." + path
	}
	return place{path, names, p.array, p.depth + 1}
}

// escape writes a name so that a path means it and nothing else.
func escape(name string) string {
	if name == "*" {
		return `\*`
	}
	var b strings.Builder
	for i := range len(name) {
		if strings.IndexByte(`\.|[{`, name[i]) >= 0 || i == 0 && name[i] == '$' {
			b.WriteByte('\\')
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// walk notes every value of a JSON document.
func (s *Sample) walk(v any, p place) {
	if p.depth > maxDepth {
		return
	}
	switch v := v.(type) {
	case object:
		for _, m := range v {
			if m.name != "" {
				s.walk(m.value, p.below(m.name))
			}
		}
		s.kinds(v, p)
	case []any:
		for _, e := range v {
			inner := p
			inner.path += "[]"
			if _, ok := e.(object); ok {
				inner.array = inner.path
			}
			inner.depth++
			s.walk(e, inner)
		}
	case string:
		if inner := embedded(v); inner != nil {
			p.path += "{}"
			p.depth++
			s.walk(inner, p)
			return
		}
		s.note(p, v, false)
	case json.Number:
		s.note(p, v.String(), true)
	case bool:
		s.note(p, map[bool]string{true: "true", false: "false"}[v], false)
	}
}

// embedded reads the JSON object or array that a string holds; nil for none.
func embedded(s string) any {
	t := strings.TrimSpace(s)
	if len(t) < 2 || t[0] != '{' && t[0] != '[' {
		return nil
	}
	v, err := parse([]byte(t))
	if err != nil {
		return nil
	}
	return v
}
