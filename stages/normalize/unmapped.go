package normalize

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/interdict/interdict/stages/normalize/mapping"
)

// Leftover finds what of a document its format does not read. It is for people
// who want to lose nothing in the OCSF form, and not for the hot path.
type Leftover struct {
	formats *Formats
	trees   map[string]*branch // by format
}

// branch is a name that paths go through, or end at.
type branch struct {
	below map[string]*branch
	end   bool
}

// NewLeftover finds leftovers of the formats in force now.
func NewLeftover(f *Formats) *Leftover {
	l := &Leftover{formats: f, trees: map[string]*branch{}}
	for _, x := range f.current.Load().set.Formats {
		t := l.trees[x.Name]
		if t == nil {
			t = &branch{}
			l.trees[x.Name] = t
		}
		grow(t, &x)
	}
	return l
}

func grow(t *branch, f *mapping.Format) {
	for _, path := range f.Wanted() {
		path = f.Inside(path)
		at := t
		for _, name := range splitPath(path) {
			if at.below == nil {
				at.below = map[string]*branch{}
			}
			next := at.below[name]
			if next == nil {
				next = &branch{}
				at.below[name] = next
			}
			at = next
		}
		at.end = true
	}
}

// splitPath gives the names of a path, without its brackets and escapes.
func splitPath(path string) (names []string) {
	var name strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\' && i+1 < len(path):
			i++
			name.WriteByte(path[i])
		case c == '.':
			names = append(names, name.String())
			name.Reset()
		default:
			name.WriteByte(c)
		}
	}
	names = append(names, name.String())
	for i, n := range names {
		for strings.HasSuffix(n, "[]") || strings.HasSuffix(n, "{}") {
			n = n[:len(n)-2]
		}
		names[i] = n
	}
	return names
}

// Of gives what is left of a JSON document as a JSON object, nil where nothing is
// or the document is no JSON object.
func (l *Leftover) Of(format string, document []byte) []byte {
	t := l.trees[format]
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var doc map[string]any
	if t == nil || dec.Decode(&doc) != nil {
		return nil
	}
	left, ok := rest(doc, t).(map[string]any)
	if !ok || len(left) == 0 {
		return nil
	}
	out, err := json.Marshal(left)
	if err != nil {
		return nil
	}
	return out
}

// rest gives v without what the paths of t read; nil is nothing.
func rest(v any, t *branch) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			next := t.below[k]
			if next == nil {
				next = t.below["*"]
			}
			if next != nil {
				x = rest(x, next)
			}
			if x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		var out []any
		for _, x := range v {
			if x = rest(x, t); x != nil {
				out = append(out, x)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	default:
		if t.end || t.below != nil {
			return nil
		}
		return v
	}
}
