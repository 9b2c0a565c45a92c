package parse

import (
	"bufio"
	"errors"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Reasons of lists.
var (
	errBlankPath = errors.New("a path with a blank behind it: where it ends cannot be told")
	errOptions   = errors.New("a filter rule with options: it says more than a domain")
	errCosmetic  = errors.New("a filter rule that hides a part of pages: it is about no address")
	errException = errors.New("an exception of a filter list: a feed of benign values is its own feed")
)

// list reads one value a line.
func (r *reader) list(br *bufio.Reader) error {
	l := lines{in: br}
	for {
		line, ok, err := l.next()
		if err != nil || !ok {
			return err
		}
		if l.long {
			err = r.refuse(l.n, string(line), errLine)
		} else {
			err = r.line(l.n, string(line))
		}
		if err != nil {
			return err
		}
	}
}

// line reads a line of a list.
//
// A comment begins with "#" at the line's start or behind a blank; "!", "//" and
// ";" begin one at the line's start, as filter lists and zones have them. Behind
// the first tab stands a label, unless it is a number. Otherwise a value ends at the
// first blank and what follows is a note. A comma, semicolon, "#" or "|" ends it too,
// except in the path of a URL, whose own it may be; one that ends a value is never its
// own. "0.0.0.0 name" (hosts files) and "||name^" (filter lists) are the name. What is
// no value by itself may be another kind of line: see otherwise.
func (r *reader) line(n int, line string) error {
	line = uncommented(line)
	if line == "" {
		return nil
	}
	if line[0] == '"' || line[0] == '\'' {
		if end := strings.IndexByte(line[1:], line[0]); end >= 0 {
			return r.value(n, line[1:1+end], "")
		}
	}
	if rule, ok := strings.CutPrefix(line, "||"); ok {
		return r.filter(n, rule)
	}
	switch {
	case strings.HasPrefix(line, "@@"):
		return r.refuse(n, line, errException)
	case isCosmetic(line):
		return r.refuse(n, line, errCosmetic)
	}
	value, label, tabbed := strings.Cut(line, "\t")
	value = strings.TrimSpace(value)
	if value == "" {
		return nil
	}
	if isSink(value) && tabbed {
		return r.hosts(n, label)
	}
	if tabbed {
		return r.tabbed(n, line, value, label)
	}
	note := ""
	if i := strings.IndexByte(value, ' '); i >= 0 {
		value, note = value[:i], strings.TrimLeft(value[i:], " ")
		switch {
		case isSink(value):
			return r.hosts(n, note)
		case value[0] == '/' && len(value) > 1:
			if o, err := Recognize(value); err == nil && o.Type == schema.ObservableURLPath {
				return r.otherwise(n, line, line, errBlankPath)
			}
		}
	}
	if ok, err := r.noted(n, value, note); ok || err != nil {
		return err
	}
	value = ended(value)
	o, err := Recognize(value)
	if err != nil {
		return r.otherwise(n, line, value, err)
	}
	return r.observable(n, value, o, "")
}

// tabbed reads a line whose value ends at a tab.
func (r *reader) tabbed(n int, line, value, label string) error {
	if sink, names, ok := strings.Cut(value, " "); ok && isSink(sink) {
		return r.hosts(n, names)
	}
	if ok, err := r.noted(n, value, label); ok || err != nil {
		return err
	}
	o, err := Recognize(value)
	if err != nil {
		// The value may have ended before the tab.
		first, _, _ := strings.Cut(value, " ")
		if first = ended(first); first != value {
			o, err = Recognize(first)
		}
	}
	if err != nil {
		return r.otherwise(n, line, value, err)
	}
	label, _, _ = strings.Cut(label, "\t")
	if label = strings.TrimSpace(label); isDigits(label) {
		label = ""
	}
	return r.observable(n, value, o, label)
}

// uncommented takes away a line's comment and the blanks around the rest.
func uncommented(line string) string {
	line = strings.Trim(line, " \t\r")
	if line == "" {
		return ""
	}
	switch {
	case line[0] == '#', line[0] == '!', line[0] == ';', strings.HasPrefix(line, "// "), strings.HasPrefix(line, "[Adblock"):
		return ""
	}
	for i := 1; i < len(line); i++ {
		if line[i] == '#' && (line[i-1] == ' ' || line[i-1] == '\t') {
			return strings.TrimRight(line[:i], " \t")
		}
	}
	return line
}

// isCosmetic reports a rule of a filter list that hides parts of pages. Before its
// sign stand hosts, and no path.
func isCosmetic(line string) bool {
	if hosts, _, _ := strings.Cut(line, "#"); strings.IndexByte(hosts, '/') >= 0 {
		return false
	}
	for rest := line; ; {
		i := strings.IndexByte(rest, '#')
		if i < 0 {
			return false
		}
		if rest = rest[i+1:]; rest == "" {
			return false
		}
		switch rest[0] {
		case '#':
			return true
		case '@', '?', '$', '%':
			if strings.IndexByte(rest[1:min(len(rest), 4)], '#') >= 0 {
				return true
			}
		}
	}
}

// ended cuts a value at the sign behind which a note stands.
func ended(value string) string {
	slash := strings.IndexByte(value, '/')
	if i := strings.Index(value, "://"); i >= 0 && i < slash {
		slash = i + 3 + indexAny(value[i+3:], "/?")
	}
	if i := strings.IndexAny(value, ",;#|"); i > 0 && (slash < 0 || i < slash || isPrefix(value[:i])) && (value[i] != '|' || !isPortFirst(value[i+1:])) {
		value = value[:i]
	}
	return strings.Trim(strings.TrimRight(value, ",;"), `"'`)
}

// isPortFirst reports a field that may be the port of the address before it, without
// which the address would say more than the line.
func isPortFirst(s string) bool { return isDigits(s[:indexAny(s, "|,;# ")]) }

// isSink reports an address that hosts files give to names that shall lead nowhere.
func isSink(s string) bool {
	switch s {
	case "0.0.0.0", "127.0.0.1", "::", "::1":
		return true
	}
	return false
}

// hosts takes the names of a line of a hosts file.
func (r *reader) hosts(n int, names string) error {
	for name := range strings.FieldsSeq(names) {
		if err := r.value(n, name, ""); err != nil {
			return err
		}
	}
	return nil
}

// filter takes the name of a filter list's rule that stands for a whole domain.
func (r *reader) filter(n int, rule string) error {
	name, options, ok := strings.Cut(rule, "^")
	switch {
	case strings.ContainsAny(name, "/*"):
		return r.refuse(n, rule, errPattern)
	case !ok && strings.IndexByte(rule, '$') >= 0, options != "" && !isWhole(options):
		return r.refuse(n, rule, errOptions)
	}
	return r.value(n, name, "")
}

// isWhole reports options of a filter list's rule that do not narrow it.
func isWhole(options string) bool {
	list, ok := strings.CutPrefix(options, "$")
	if !ok {
		return false
	}
	for o := range strings.SplitSeq(list, ",") {
		switch o {
		case "all", "document", "doc", "important":
		default:
			return false
		}
	}
	return true
}

// value takes one value of unknown kind.
func (r *reader) value(n int, text, label string) error {
	list, err := observables(text)
	if err != nil {
		return r.refuse(n, text, err)
	}
	for _, o := range list {
		if err := r.observable(n, text, o, label); err != nil {
			return err
		}
	}
	return nil
}

// observable takes an observable with the feed's defaults.
func (r *reader) observable(n int, text string, o schema.Observable, label string) error {
	i := r.indicator(r.derivedID(o), o)
	if label != "" {
		i.Labels = addLabels(i.Labels, label)
	}
	_, err := r.said(n, text, fact.Said{Indicator: i})
	return err
}
