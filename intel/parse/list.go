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
// first blank and what follows is a note. A comma or semicolon ends it too, except
// in the path of a URL, whose own it may be; one that ends a value is never its own.
// "0.0.0.0 name" (hosts files) and "||name^" (filter lists) are the name.
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
		return r.rule(n, rule)
	}
	if strings.HasPrefix(line, "@@") {
		return r.refuse(n, line, errException)
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
		label, _, _ = strings.Cut(label, "\t")
		if label = strings.TrimSpace(label); isDigits(label) {
			label = ""
		}
		return r.value(n, value, label)
	}
	if i := strings.IndexByte(value, ' '); i >= 0 {
		switch {
		case value[0] == '/':
			return r.refuse(n, value, errBlankPath)
		case isSink(value[:i]):
			return r.hosts(n, value[i:])
		}
		value = value[:i]
	}
	return r.value(n, ended(value), "")
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

// ended cuts a value at the comma or semicolon behind which a note stands.
func ended(value string) string {
	slash := strings.IndexByte(value, '/')
	if i := strings.Index(value, "://"); i >= 0 && i < slash {
		slash = i + 3 + indexAny(value[i+3:], "/?")
	}
	if i := strings.IndexAny(value, ",;"); i >= 0 && (slash < 0 || i < slash || isPrefix(value[:i])) {
		value = value[:i]
	}
	return strings.Trim(strings.TrimRight(value, ",;"), `"'`)
}

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

// rule takes the name of a filter list's rule that stands for a whole domain.
func (r *reader) rule(n int, rule string) error {
	name, options, ok := strings.Cut(rule, "^")
	switch {
	case strings.ContainsAny(name, "/*"):
		return r.refuse(n, rule, errPattern)
	case !ok && strings.IndexByte(rule, '$') >= 0, options != "":
		return r.refuse(n, rule, errOptions)
	}
	return r.value(n, name, "")
}

// value takes one value of unknown kind.
func (r *reader) value(n int, text, label string) error {
	o, err := Recognize(text)
	if err != nil {
		return r.refuse(n, text, err)
	}
	return r.observable(n, text, o, label)
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
