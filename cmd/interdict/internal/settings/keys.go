package settings

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// keysOf gives the settings of a section by key; nil of what is none.
func keysOf(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	keys := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if f.IsExported() && name != "" && name != "-" {
			keys[name] = f.Type
		}
	}
	if len(keys) == 0 {
		return nil // a scalar of several fields
	}
	return keys
}

// step is one step of a key: a name, and below it perhaps a place in its list.
var step = regexp.MustCompile(`^([a-z][a-z0-9_]*)(\[[0-9]+\])?`)

// below follows a text that begins with a key, such as url or auth.token_file, as far
// as there are such settings below t, and gives what was followed.
func below(t reflect.Type, text string) (key string, at reflect.Type) {
	at = t
	for {
		m := step.FindStringSubmatch(text)
		if m == nil {
			return key, at
		}
		next, ok := keysOf(at)[m[1]]
		if !ok {
			return key, at
		}
		if next.Kind() == reflect.Slice && m[2] != "" {
			next = next.Elem()
		}
		key, at = join(key, m[0]), next
		rest, ok := strings.CutPrefix(text[len(m[0]):], ".")
		if !ok {
			return key, at
		}
		text = rest
	}
}

// keyOf gives the key that an error of Validate is about. By convention such an error
// begins with the key and a colon, and what follows may be of a setting below it, so
// that "intel.feeds[0]: feed acme: url: ..." is about intel.feeds[0].url. It is only used
// to show where to look.
func keyOf(err error) string {
	const deepest = 5
	key, at := "", reflect.TypeFor[Config]()
	for n, part := range strings.SplitN(err.Error(), ": ", deepest+1) {
		if n == deepest {
			break
		}
		var more string
		if more, at = below(at, part); more != "" {
			key = join(key, more)
		}
	}
	return key
}

func join(key, more string) string {
	if key == "" {
		return more
	}
	return key + "." + more
}

// similar suggests the key that may be meant by one that is unknown.
func similar(name string, keys map[string]reflect.Type) string {
	best, least := "", 3
	for k := range keys {
		if d := Distance(name, k); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	if best != "" && least < len(best) {
		return fmt.Sprintf(": is %s meant?", best)
	}
	var all []string
	for k := range keys {
		all = append(all, k)
	}
	slices.Sort(all)
	if len(all) > 12 {
		return ""
	}
	return ": there are " + strings.Join(all, ", ")
}

// Distance counts the bytes to be changed, put in or left out to make b of a. Words
// that are longer than keys and names are far from all.
func Distance(a, b string) int {
	const longest = 100
	if len(a) > longest || len(b) > longest {
		return longest
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
