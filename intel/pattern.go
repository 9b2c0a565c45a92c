package intel

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// ParsePattern reads a STIX pattern whose every comparison alone is enough: one
// or more comparisons joined by OR, in one or more observations joined by OR.
// A pattern that needs two things at once (AND, FOLLOWEDBY, qualifiers) cannot be
// an indicator of single values, and neither can a negated or partial one:
// ParsePattern refuses it rather than match more than it says.
func ParsePattern(p string) ([]schema.Observable, error) {
	toks, err := lexPattern(p)
	if err != nil {
		return nil, err
	}
	var out []schema.Observable
	depth, want := 0, true // want: a comparison may begin here
	for i := 0; i < len(toks); {
		switch t := toks[i]; {
		case t == "[" || t == "(":
			if !want {
				return nil, fmt.Errorf("pattern: %q where an operator belongs", t)
			}
			depth++
			i++
		case t == "]" || t == ")":
			if want || depth == 0 {
				return nil, fmt.Errorf("pattern: %q where a comparison belongs", t)
			}
			depth--
			i++
		case strings.EqualFold(t, "OR"):
			if want {
				return nil, errors.New("pattern: OR where a comparison belongs")
			}
			want = true
			i++
		case !want:
			return nil, fmt.Errorf("pattern: %q is not supported: only single values joined by OR are", t)
		default:
			o, n, err := comparison(toks[i:])
			if err != nil {
				return nil, err
			}
			out = append(out, o...)
			want = false
			i += n
		}
	}
	if depth != 0 || want {
		return nil, errors.New("pattern: cut short")
	}
	return out, nil
}

// comparison reads "path = 'value'" or "path IN ('a', 'b')" and reports how many
// tokens it took.
func comparison(toks []string) ([]schema.Observable, int, error) {
	if len(toks) < 3 {
		return nil, 0, errors.New("pattern: cut short")
	}
	path, op := toks[0], strings.ToUpper(toks[1])
	var values []string
	n := 3
	switch {
	case op == "=" || op == "ISSUBSET":
		values = toks[2:3]
	case op == "IN" && toks[2] == "(":
		for n < len(toks) && toks[n] != ")" {
			values = append(values, toks[n])
			n++
		}
		n++
	default:
		return nil, 0, fmt.Errorf("pattern: operator %s is not supported", toks[1])
	}
	var out []schema.Observable
	for _, v := range values {
		if len(v) < 2 || v[0] != '\'' {
			return nil, 0, fmt.Errorf("pattern: %s is not compared with a text", path)
		}
		o, err := stixValue(path, v[1:])
		if err != nil {
			return nil, 0, err
		}
		out = append(out, o)
	}
	return out, n, nil
}

// stixValue makes the observable of one object path and value.
func stixValue(path, value string) (schema.Observable, error) {
	t := schema.ObservableUnknown
	switch {
	case path == "ipv4-addr:value" || path == "ipv6-addr:value",
		strings.HasPrefix(path, "network-traffic:") && strings.HasSuffix(path, "_ref.value"):
		if p, err := netip.ParsePrefix(value); err == nil {
			return network(p)
		}
		t = schema.ObservableIP
	case path == "domain-name:value":
		t = schema.ObservableDomain
	case path == "url:value":
		t = schema.ObservableURL
	case path == "email-addr:value" || strings.HasPrefix(path, "email-message:") && strings.HasSuffix(path, "_ref.value"):
		t = schema.ObservableEmail
	case strings.HasPrefix(path, "file:hashes."):
		t = schema.ObservableHash
	default:
		return schema.Observable{}, fmt.Errorf("pattern: %s is not matched", path)
	}
	v := canon.Canonical(t, refang(value))
	if v == "" {
		return schema.Observable{}, fmt.Errorf("pattern: %q is no %s", value, t)
	}
	return schema.Observable{Type: t, Value: v}, nil
}

// patternSigns are tokens by themselves, so that no operator sticks to a path:
// "path!='x'" must not be read as "path! = 'x'".
const patternSigns = "[]()=!<>"

// lexPattern splits a pattern into brackets, words, operators and texts. A text
// is given unescaped behind a single quote.
func lexPattern(p string) ([]string, error) {
	var toks []string
	for i := 0; i < len(p); {
		switch c := p[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
			i++
		case strings.IndexByte(patternSigns, c) >= 0:
			toks = append(toks, p[i:i+1])
			i++
		case c == '\'':
			text, n, err := patternText(p[i:])
			if err != nil {
				return nil, err
			}
			toks = append(toks, text)
			i += n
		default:
			j := i
			for j < len(p) && strings.IndexByte(" \t\n\r,"+patternSigns, p[j]) < 0 {
				if p[j] == '\'' { // a quoted step of a path: file:hashes.'SHA-256'
					_, n, err := patternText(p[j:])
					if err != nil {
						return nil, err
					}
					j += n
					continue
				}
				j++
			}
			toks = append(toks, p[i:j])
			i = j
		}
		if len(toks) > 4096 {
			return nil, errors.New("pattern: more than 4096 tokens")
		}
	}
	return toks, nil
}

// patternText reads a quoted text at the start of p and reports its length.
func patternText(p string) (string, int, error) {
	text := []byte{'\''}
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			if i++; i == len(p) {
				return "", 0, errors.New("pattern: text without an end")
			}
			text = append(text, p[i])
		case '\'':
			return string(text), i + 1, nil
		default:
			text = append(text, p[i])
		}
	}
	return "", 0, errors.New("pattern: text without an end")
}
