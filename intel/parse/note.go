package parse

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// noted reads lines whose note says what the value is: a network's mask, the end of a
// range, a record of a policy zone. ok is false for other notes.
func (r *reader) noted(n int, value, note string) (ok bool, err error) {
	if note == "" {
		return false, nil
	}
	if c := value[len(value)-1]; c-'0' <= 9 && (note[0]-'0' <= 9 || note[0] == '-') {
		word := note[:indexAny(note, " \t")]
		switch {
		case word == "-":
			to := strings.TrimSpace(note[1:])
			return r.span(n, value+"-"+to[:indexAny(to, " \t,;")])
		case strings.Contains(note, "\t") && !isDigits(word): // DShield: first, last, prefix length
			return r.span(n, value+"-"+word)
		}
		if p, ok := masked(value, word); ok {
			return true, r.value(n, p, "")
		}
	}
	return r.policy(n, value, note)
}

// span takes the networks of a range of addresses.
func (r *reader) span(n int, text string) (bool, error) {
	list, ok, err := span(text)
	if err != nil {
		return true, r.refuse(n, text, err)
	}
	for _, o := range list {
		if err := r.observable(n, text, o, ""); err != nil {
			return true, err
		}
	}
	return ok, nil
}

// otherwise reads a line whose beginning is no value: a range, settings of a resolver
// or firewall, a sensor's rule, a value with the name of its kind or a bullet in front
// of it. Everything else is refused for the reason that its beginning gave.
func (r *reader) otherwise(n int, line, value string, reason error) error {
	if ok, err := r.span(n, value); ok || err != nil {
		return err
	}
	if name, addresses, ok := strings.Cut(line, ":"); ok && isName(name) { // PeerGuardian
		if ok, err := r.span(n, addresses); ok || err != nil {
			return err
		}
	}
	if ok, err := r.directive(n, line); ok || err != nil {
		return err
	}
	if ok, err := r.rule(n, line); ok || err != nil {
		return err
	}
	typ, rest, ok := labelled(line)
	if ok {
		rest = ended(rest[:indexAny(rest, " \t")])
		if o, err := Value(typ, rest); err == nil && !isReference(o, rest) {
			return r.observable(n, rest, o, "")
		}
	}
	if rest, ok = bulleted(line); ok {
		if o, err := Recognize(ended(rest)); err == nil && !isReference(o, rest) {
			return r.observable(n, rest, o, "")
		}
	}
	return r.refuse(n, value, reason)
}

// isName reports what stands before the addresses of PeerGuardian's lists: any text,
// but no address.
func isName(s string) bool { return s != "" && strings.IndexByte(s, '/') < 0 }

// labelled reads "MD5: value" and the like: the name of a kind, then a value.
func labelled(line string) (t schema.ObservableType, rest string, ok bool) {
	i := strings.IndexAny(line, ":=")
	if i <= 0 || i > 32 {
		return 0, "", false
	}
	t, ok = typeNamed(line[:i])
	rest = trimmed(line[i+1:])
	switch t {
	case schema.ObservableUnknown, schema.ObservableUserAgent, schema.ObservableMutex, schema.ObservableRegistry, schema.ObservableSender:
		return 0, "", false // where such a text ends cannot be told
	}
	return t, rest, ok && rest != "" && !strings.HasPrefix(rest, "//")
}

// bulleted takes away the bullet before a value that has nothing behind it.
func bulleted(line string) (rest string, ok bool) {
	for _, bullet := range [...]string{"- ", "* ", "+ ", "\u2022", "\u2013 ", "\u00b7"} {
		if rest, ok = strings.CutPrefix(line, bullet); ok {
			rest = unwrapped(trimmed(rest))
			return rest, strings.IndexAny(rest, " \t") < 0
		}
	}
	return "", false
}
