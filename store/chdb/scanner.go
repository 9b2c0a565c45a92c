package chdb

import "strings"

// scanner walks the words of a statement at nesting depth 0, stepping over
// strings, quoted names, comments and everything in brackets.
type scanner struct {
	s      string
	pos    int
	depth  int
	nested bool // the first word was inside brackets
	seen   bool
}

type word struct {
	text       string
	start, end int
	plain      bool // neither quoted nor part of a dotted name
}

// word returns the next word, or false at the end. A quoted name counts as a
// word without text. The very first word is returned even inside brackets.
func (sc *scanner) word() (word, bool) {
	for sc.pos < len(sc.s) {
		switch c := sc.s[sc.pos]; {
		case c == '\'':
			sc.quoted(c)
		case c == '"' || c == '`':
			start := sc.pos
			sc.quoted(c)
			if sc.depth == 0 {
				return word{start: start, end: sc.pos}, true
			}
		case sc.at("--") || sc.at("#!") || sc.at("# "):
			sc.until("\n", 2)
		case sc.at("/*"):
			sc.comment()
		case c == '$' && sc.heredoc():
		case c == '(' || c == '[' || c == '{':
			sc.depth++
			sc.pos++
		case c == ')' || c == ']' || c == '}':
			sc.depth--
			sc.pos++
		case isWordByte(c):
			start := sc.pos
			for sc.pos < len(sc.s) && isWordByte(sc.s[sc.pos]) {
				sc.pos++
			}
			if sc.depth > 0 && sc.seen {
				continue
			}
			if !sc.seen {
				sc.seen, sc.nested = true, sc.depth > 0
			}
			dotted := start > 0 && sc.s[start-1] == '.' || sc.pos < len(sc.s) && sc.s[sc.pos] == '.'
			return word{sc.s[start:sc.pos], start, sc.pos, !dotted}, true
		default:
			sc.pos++
		}
	}
	return word{}, false
}

func (sc *scanner) at(p string) bool { return strings.HasPrefix(sc.s[sc.pos:], p) }

// until moves behind the next end, or to the end of the text.
func (sc *scanner) until(end string, skip int) {
	sc.pos = min(sc.pos+skip, len(sc.s))
	if i := strings.Index(sc.s[sc.pos:], end); i >= 0 {
		sc.pos += i + len(end)
		return
	}
	sc.pos = len(sc.s)
}

// comment steps over a block comment; ClickHouse nests them.
func (sc *scanner) comment() {
	depth := 0
	for sc.pos < len(sc.s) {
		switch {
		case sc.at("/*"):
			depth++
			sc.pos += 2
		case sc.at("*/"):
			depth--
			sc.pos += 2
			if depth == 0 {
				return
			}
		default:
			sc.pos++
		}
	}
}

// quoted steps over a string or quoted name. A doubled quote needs no care: it
// reads as two strings side by side.
func (sc *scanner) quoted(q byte) {
	for sc.pos++; sc.pos < len(sc.s); sc.pos++ {
		switch sc.s[sc.pos] {
		case '\\':
			sc.pos++
		case q:
			sc.pos++
			return
		}
	}
	sc.pos = len(sc.s)
}

// heredoc steps over $tag$...$tag$; false when this is only a dollar sign.
func (sc *scanner) heredoc() bool {
	n := strings.IndexByte(sc.s[sc.pos+1:], '$')
	if n < 0 {
		return false
	}
	tag := sc.s[sc.pos : sc.pos+n+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWordByte(tag[i]) {
			return false
		}
	}
	sc.until(tag, len(tag))
	return true
}

// blank reports whether only space, comments and semicolons lie between.
func (sc *scanner) blank(from, to int) bool {
	if from > to {
		return true
	}
	part := scanner{s: sc.s[from:to]}
	if _, ok := part.word(); ok {
		return false
	}
	return !strings.ContainsAny(stripComments(part.s), "'\"`(),.=<>+*/")
}

// stripComments blanks out line comments and block comments.
func stripComments(s string) string {
	var b strings.Builder
	sc := scanner{s: s}
	for sc.pos < len(s) {
		switch {
		case sc.at("--"):
			sc.until("\n", 2)
		case sc.at("/*"):
			sc.comment()
		default:
			b.WriteByte(s[sc.pos])
			sc.pos++
		}
	}
	return b.String()
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
