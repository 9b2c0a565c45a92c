package draft

import "strings"

// Bounds of what is kept of samples.
const (
	maxDocuments = 2000
	maxFields    = 4000
	maxDistinct  = 300
	maxValue     = 512
	maxDepth     = 16
)

// field is what was seen at one path.
type field struct {
	path  string   // from the document's root
	names []string // unescaped, outermost first
	array string   // path of the innermost array of objects around it; "" for none

	docs   int // documents that have it
	last   int // the last of them, from 1
	values int
	order  []string // distinct values as first seen
	seen   map[string]int
	more   bool // there were more distinct ones than are kept
	number int  // values that are JSON numbers
}

// note counts a value of document doc.
func (f *field) note(doc int, value string, number bool) {
	if f.last != doc {
		f.last = doc
		f.docs++
	}
	f.values++
	if number {
		f.number++
	}
	if absent(value) {
		return
	}
	if len(value) > maxValue {
		value = strings.ToValidUTF8(value[:maxValue], "")
	}
	if f.seen[value] == 0 {
		if len(f.order) == maxDistinct {
			f.more = true
			return
		}
		f.order = append(f.order, value)
	}
	f.seen[value]++
}

// absent tells what vendors write for nothing.
func absent(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "-", "--", "n/a", "na", "none", "null", "unknown", "(empty)", "undefined":
		return true
	}
	return false
}

// name is the last name of the path.
func (f *field) name() string { return f.names[len(f.names)-1] }

// words are those of the last name.
func (f *field) words() []string { return words(f.name()) }

// around are the words of all names before the last.
func (f *field) around() (all []string) {
	for _, n := range f.names[:len(f.names)-1] {
		if !strings.HasPrefix(n, "@") {
			all = append(all, words(n)...)
		}
	}
	return all
}

// all reports whether there are values and each is of a shape.
func (f *field) all(shape func(string) bool) bool { return f.share(shape) == 1 }

// most allows for a few odd ones.
func (f *field) most(shape func(string) bool) bool { return f.share(shape) >= 0.8 }

func (f *field) share(shape func(string) bool) float64 {
	n := 0
	for _, v := range f.order {
		if shape(v) {
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return float64(n) / float64(len(f.order))
}

// unique reports whether no value came twice.
func (f *field) unique() bool { return len(f.order) > 0 && len(f.order) == f.values && !f.more }

// numeric reports whether all values are numbers, as JSON or as text.
func (f *field) numeric() bool { return f.all(isNumber) }
