package parse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Bounds of patterns.
const (
	maxTokens = 16 << 10
	maxGroups = 32 // brackets in brackets
)

// Pattern reads a STIX pattern whose every comparison alone is enough: one or more
// comparisons joined by OR, in one or more observations joined by OR. A pattern that
// needs two things at once (AND, FOLLOWEDBY, qualifiers), is negated or compares a
// part of a value would match more than it says, and is refused. These are the only
// conditions it knows to be one value:
//
//	address AND port of one end       a socket
//	address AND type of its object    the address
//	hashes of one file, one SHA-256   the SHA-256, which implies the others
//	LIKE and MATCHES of a URL         see partOf
//
// An alternative that cannot be taken is left out where others can: what remains says
// less than the pattern.
func Pattern(text string) ([]schema.Observable, error) {
	list, _, err := alternatives(text)
	return list, err
}

// alternatives reads a pattern as Pattern does, and says why of what it left out.
func alternatives(text string) (list []schema.Observable, left []error, err error) {
	toks, err := lex(text)
	if err != nil {
		return nil, nil, err
	}
	p := pattern{toks: toks}
	atoms, err := p.observations(0)
	if err != nil {
		return nil, nil, err
	}
	if t := p.next(); t.text != "" || t.quoted {
		return nil, nil, fmt.Errorf("pattern: %s is not supported: only single values joined by OR are", shown(t.text))
	}
	for _, a := range atoms {
		switch a.kind {
		case atomValue:
			list = append(list, a.value)
		case atomNone:
			left = append(left, a.why)
		default:
			left = append(left, fmt.Errorf("pattern: %s alone names no value", shown(a.path)))
		}
	}
	if len(list) == 0 {
		return nil, nil, left[0]
	}
	return list, left, nil
}

// atom is a comparison with one value.
type atom struct {
	kind  atomKind
	path  string
	value schema.Observable
	port  string
	why   error // of none
}

type atomKind uint8

const (
	atomValue atomKind = iota // names a value
	atomPort                  // names the port of one end of a connection
	atomType                  // names the type of an object that a value is compared with too
	atomNone                  // cannot be taken
)

// none is an alternative that cannot be taken.
func none(why error) []atom { return []atom{{kind: atomNone, why: why}} }

// pattern is a text's tokens and how many of them were read.
type pattern struct {
	toks []token
	at   int
}

// Errors of patterns.
var (
	errCut    = errors.New("pattern: cut short")
	errNested = errors.New("pattern: too many brackets")
	errBoth   = errors.New("pattern: two things at once (AND) are not matched, but for an address and its port")
)

// next gives the next token without reading it; an empty one at the end.
func (p *pattern) next() token {
	if p.at < len(p.toks) {
		return p.toks[p.at]
	}
	return token{}
}

// take reads the next token if it is a sign or word.
func (p *pattern) take(word string) bool {
	if t := p.next(); !t.quoted && strings.EqualFold(t.text, word) {
		p.at++
		return true
	}
	return false
}

// observations reads "[...] OR ([...] OR [...])".
func (p *pattern) observations(depth int) ([]atom, error) {
	if depth > maxGroups {
		return nil, errNested
	}
	var all []atom
	for {
		var atoms []atom
		var err error
		end := ""
		switch {
		case p.take("("):
			end = ")"
			atoms, err = p.observations(depth + 1)
		case p.take("["):
			end = "]"
			atoms, err = p.any(depth + 1)
		case p.at == len(p.toks):
			return nil, errCut
		default:
			return nil, fmt.Errorf("pattern: %s where an observation belongs", shown(p.next().text))
		}
		if err != nil {
			return nil, err
		}
		if err := p.closed(end); err != nil {
			return nil, err
		}
		all = append(all, atoms...)
		if !p.take("OR") {
			return all, nil
		}
	}
}

// closed reads a closing bracket.
func (p *pattern) closed(end string) error {
	if p.take(end) {
		return nil
	}
	if p.at == len(p.toks) {
		return errCut
	}
	return fmt.Errorf("pattern: %s is not supported: only single values joined by OR are", shown(p.next().text))
}

// any reads comparisons joined by OR.
func (p *pattern) any(depth int) ([]atom, error) {
	if depth > maxGroups {
		return nil, errNested
	}
	var all []atom
	for {
		atoms, err := p.both(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, atoms...)
		if !p.take("OR") {
			return all, nil
		}
	}
}

// both reads comparisons joined by AND.
func (p *pattern) both(depth int) ([]atom, error) {
	var parts [][]atom
	for {
		var atoms []atom
		var err error
		if p.take("(") {
			if atoms, err = p.any(depth + 1); err == nil {
				err = p.closed(")")
			}
		} else {
			atoms, err = p.comparison()
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, atoms)
		if !p.take("AND") {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	for _, atoms := range parts {
		if len(atoms) == 1 && atoms[0].kind == atomNone {
			return atoms, nil
		}
	}
	atoms, err := joined(parts)
	if err != nil {
		return none(err), nil
	}
	return atoms, nil
}

// joined makes one value of what must hold at once, where that is exact.
func joined(parts [][]atom) ([]atom, error) {
	var value, port, strong, typ *atom
	hashes := true
	for _, atoms := range parts {
		if len(atoms) != 1 {
			return nil, errBoth
		}
		a := &atoms[0]
		switch {
		case a.kind == atomType && typ == nil:
			typ, hashes = a, false
		case a.kind == atomPort && port == nil:
			port, hashes = a, false
		case a.kind == atomValue && a.value.Type == schema.ObservableHash && (value == nil || strong != nil || hashes):
			if value = a; len(a.value.Value) == 64 {
				if strong != nil {
					return nil, errBoth
				}
				strong = a
			}
			hashes = hashes && strings.HasPrefix(a.path, "file:hashes.")
		case a.kind == atomValue && value == nil:
			value, hashes = a, false
		default:
			return nil, errBoth
		}
	}
	end := func(a *atom) string { e, _, _ := strings.Cut(a.path, "_"); return e } // network-traffic:dst
	switch {
	case hashes && strong != nil:
		return []atom{*strong}, nil
	case value == nil, typ != nil && end(typ) != end(value), port != nil && end(port) != end(value):
		return nil, errBoth
	case port == nil && typ != nil && value.value.Type != schema.ObservableHash:
		return []atom{*value}, nil
	case port == nil || value.value.Type != schema.ObservableIP:
		return nil, errBoth
	}
	host := value.value.Value
	if strings.IndexByte(host, ':') >= 0 {
		host = "[" + host + "]"
	}
	o, err := Value(schema.ObservableSocket, host+":"+port.port)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	return []atom{{path: value.path, value: o}}, nil
}

// comparison reads "path = 'value'" or "path IN ('a', 'b')".
func (p *pattern) comparison() ([]atom, error) {
	path := p.next()
	if path.text == "" && !path.quoted || p.at+2 >= len(p.toks) {
		return nil, errCut
	}
	if path.quoted || strings.IndexByte(path.text, ':') < 0 {
		return nil, fmt.Errorf("pattern: %s where a comparison belongs", shown(path.text))
	}
	p.at++
	op := p.next()
	p.at++
	if op.quoted {
		return nil, fmt.Errorf("pattern: %s where an operator belongs", shown(op.text))
	}
	var values []token
	var why error // for which the comparison cannot be taken
	name := strings.ToUpper(op.text)
	if name == "NOT" {
		why = fmt.Errorf("pattern: operator %s is not supported", shown(op.text))
		op = p.next()
		name = strings.ToUpper(op.text)
		p.at++
	}
	switch {
	case name == "IN" && p.take("("):
		for !p.take(")") {
			if p.at == len(p.toks) {
				return nil, errCut
			}
			values = append(values, p.next())
			p.at++
		}
	case name == "=" || name == "ISSUBSET" || name == "LIKE" || name == "MATCHES":
		values = []token{p.next()}
		p.at++
	case name == "ISSUPERSET" || name == "!" || name == "<" || name == ">":
		why = fmt.Errorf("pattern: operator %s is not supported", shown(op.text))
		if !p.take("=") {
			p.take(">")
		}
		values = []token{p.next()}
		p.at++
	default:
		return nil, fmt.Errorf("pattern: operator %s is not supported", shown(op.text))
	}
	if len(values) == 0 || p.at > len(p.toks) {
		return nil, errCut
	}
	if why != nil {
		return none(why), nil
	}
	atoms := make([]atom, 0, len(values))
	for _, v := range values {
		a, err := compared(path.text, v, name)
		if err != nil {
			a = atom{kind: atomNone, why: err}
		}
		atoms = append(atoms, a)
	}
	return atoms, nil
}

// shown is a token in a message.
func shown(s string) string { return fmt.Sprintf("%q", cut(s, 80)) }
