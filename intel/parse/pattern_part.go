package parse

import (
	"regexp"
	"strings"

	"github.com/interdict/interdict/schema"
)

// wildScheme is how a regular expression of a pattern writes a scheme, whatever it is.
const wildScheme = `[^:]+://`

// partOf reads a comparison with a part of a value where it says no less than one of
// our types: LIKE or, where the value itself has what LIKE takes for wildcards, MATCHES
// with what is no more than a quoted text.
//
//	url:value LIKE 'http://x/y/%'         what is below http://x/y/
//	url:value LIKE '%://x/y'              that URL under any scheme
//	url:value MATCHES '^[^:]+://x/a_b$'   the same of one with a wildcard in it
//	from_ref.value LIKE '%@x.example'     mailboxes of a domain
func partOf(t schema.ObservableType, op, text string) (schema.ObservableType, string, bool) {
	head, tail := "%", "%"
	scheme := "%://"
	if op == "MATCHES" {
		head, tail, scheme = "", "", "^"+wildScheme
	}
	var below, ok bool
	switch t {
	case schema.ObservableEmail:
		if text, ok = strings.CutPrefix(text, head+"@"); ok && op == "MATCHES" {
			text, ok = strings.CutSuffix(text, "$")
		}
		t = schema.ObservableSender
	case schema.ObservableURL:
		rest, any := strings.CutPrefix(text, scheme)
		if text = rest; op == "MATCHES" {
			if !any {
				if text, ok = strings.CutPrefix(text, "^"); !ok {
					return t, "", false
				}
			}
			rest, end := strings.CutSuffix(text, "$")
			text, below = rest, !end
		} else if text, below = strings.CutSuffix(text, tail); !below && !any {
			return t, "", false
		}
		if below {
			if t = schema.ObservableURLPrefix; !strings.HasSuffix(text, "/") {
				return t, "", false
			}
		}
		if ok = true; any {
			text = "//" + text
		}
	}
	if !ok {
		return t, "", false
	}
	if op == "MATCHES" {
		return literal(t, text)
	}
	return t, text, !strings.ContainsAny(text, "%_")
}

// literal reads a regular expression that is a quoted text.
func literal(t schema.ObservableType, text string) (schema.ObservableType, string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return t, b.String(), regexp.QuoteMeta(b.String()) == text
}
