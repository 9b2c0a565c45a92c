package ocsf

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// value is a JSON value as decoded for validation: nil, bool, json.Number,
// string, []value or object. Numbers keep their text: 2004.0 is no integer.
type value any

// object holds the members of a JSON object; of duplicate keys the last wins.
type object map[string]value

// names returns the keys in order, so that the walk does not depend on the map.
func (o object) names() []string { return slices.Sorted(maps.Keys(o)) }

// parser turns bytes into a value and reports duplicate keys on the way.
type parser struct {
	dec *json.Decoder
	rep *report
}

var (
	errDepth     = errors.New("nested deeper than " + strconv.Itoa(MaxDepth) + " levels")
	errNotObject = errors.New("an event is one JSON object")
	errUTF8      = errors.New("not valid UTF-8")
	errTrailing  = errors.New("data after the event")
)

// parse reads exactly one JSON object. The depth is checked token by token, so
// a deeply nested input is given up at the limit, not read through.
func parse(b []byte, rep *report) (object, error) {
	// The decoder would replace invalid bytes and hide them.
	if !utf8.Valid(b) {
		return nil, errUTF8
	}
	p := parser{dec: json.NewDecoder(bytes.NewReader(b)), rep: rep}
	p.dec.UseNumber()
	v, err := p.value(&location{}, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, errNotObject
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errTrailing
	}
	return o, nil
}

func (p *parser) value(at *location, depth int) (value, error) {
	tok, err := p.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	delim, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if depth == MaxDepth {
		return nil, errDepth
	}
	if delim == '[' {
		return p.array(at, depth)
	}
	return p.object(at, depth)
}

func (p *parser) array(at *location, depth int) (value, error) {
	items := []value{}
	for p.dec.More() {
		v, err := p.value(at.at(len(items)), depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := p.dec.Token() // the closing bracket
	return items, err
}

func (p *parser) object(at *location, depth int) (value, error) {
	o := object{}
	for p.dec.More() {
		tok, err := p.dec.Token()
		if err != nil {
			return nil, err
		}
		name, ok := tok.(string)
		if !ok {
			return nil, errNotObject // the decoder lets only strings through here
		}
		here := at.key(name)
		if _, dup := o[name]; dup {
			p.rep.add(here, KindDuplicate, "the key occurs more than once")
		}
		if o[name], err = p.value(here, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := p.dec.Token() // the closing brace
	return o, err
}
