package parse

import (
	"errors"
	"fmt"
	"strings"
)

// token is a bracket, word, sign or text of a pattern.
type token struct {
	text   string
	quoted bool // a text; unescaped
}

// patternSigns are tokens by themselves, so that no operator sticks to a path:
// "path!='x'" must not be read as "path! = 'x'".
const patternSigns = "[]()=!<>"

var errNoEnd = errors.New("pattern: text without an end")

// lex splits a pattern into tokens.
func lex(p string) ([]token, error) {
	var toks []token
	for i := 0; i < len(p); {
		switch c := p[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
			i++
			continue
		case strings.IndexByte(patternSigns, c) >= 0:
			toks = append(toks, token{text: p[i : i+1]})
			i++
		case c == '\'':
			text, n, err := quoted(p[i:])
			if err != nil {
				return nil, err
			}
			toks = append(toks, token{text, true})
			i += n
		default:
			n, err := wordLength(p[i:])
			if err != nil {
				return nil, err
			}
			toks = append(toks, token{text: p[i : i+n]})
			i += n
		}
		if len(toks) > maxTokens {
			return nil, fmt.Errorf("pattern: more than %d tokens", maxTokens)
		}
	}
	return toks, nil
}

// wordLength gives the length of the word or path at the start of p. A path may have
// quoted steps (file:hashes.'SHA-256') and list indexes (to_refs[*], sections[0]).
func wordLength(p string) (int, error) {
	i := 0
	for i < len(p) {
		switch c := p[i]; {
		case c == '\'':
			_, n, err := quoted(p[i:])
			if err != nil {
				return 0, err
			}
			i += n
		case c == '[' && i > 0:
			end := strings.IndexByte(p[i:], ']')
			if end < 0 || p[i+1:i+end] != "*" && !isDigits(p[i+1:i+end]) {
				return i, nil
			}
			i += end + 1
		case strings.IndexByte(" \t\n\r,"+patternSigns, c) >= 0:
			return i, nil
		default:
			i++
		}
	}
	return i, nil
}

// quoted reads a quoted text at the start of p and gives its length.
func quoted(p string) (text string, n int, err error) {
	var b []byte
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case '\\':
			if i++; i == len(p) {
				return "", 0, errNoEnd
			}
			b = append(b, p[i])
		case '\'':
			return string(b), i + 1, nil
		default:
			b = append(b, p[i])
		}
	}
	return "", 0, errNoEnd
}
