package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"time"
)

const module = "github.com/interdict/interdict/"

// key is one setting, or a section or list of them.
type key struct {
	name, path string
	comment    string        // one paragraph, field names replaced by keys
	value      reflect.Value // default, or the example's
	about      string        // comment of the type, of a list of structs
	sub        []key         // of a section; of the elements of a list of structs
	list       bool          // a list of structs
}

// structs are the commented fields of a package's structs: type, field, comment.
// The type's own comment is under the empty field name.
type structs map[string]map[string]string

// walker goes through a configuration and its source side by side.
type walker struct {
	root     string
	packages map[string]structs
}

// keys lists the settings of a struct. Fields without a yaml tag and those that are
// wiring (tag "-") are none.
func (w *walker) keys(prefix string, v reflect.Value) ([]key, error) {
	t := v.Type()
	names := map[string]string{} // field: key
	for i := range t.NumField() {
		if name := tag(t.Field(i)); name != "" {
			names[t.Field(i).Name] = name
		}
	}
	comments, err := w.comments(t)
	if err != nil {
		return nil, err
	}
	var keys []key
	before := ""
	for i := range t.NumField() {
		f := t.Field(i)
		if names[f.Name] == "" {
			continue
		}
		k := key{name: names[f.Name], path: prefix + names[f.Name], comment: comments[f.Name], value: v.Field(i)}
		if k.comment == "" && strings.Contains(before, f.Name) {
			k.comment = before // one comment for two fields
		}
		before = k.comment
		if k.comment == "" && !strings.Contains(prefix, "[]") { // the type's comment speaks for an element's fields
			return nil, fmt.Errorf("%s: %s.%s has no comment", t.PkgPath(), t.Name(), f.Name)
		}
		if err := agrees(k.comment, k.value); err != nil {
			return nil, fmt.Errorf("%s: %s.%s: %w", t.PkgPath(), t.Name(), f.Name, err)
		}
		k.comment = inKeys(k.comment, names)
		switch {
		case f.Type.Kind() == reflect.Struct:
			k.sub, err = w.keys(k.path+".", k.value)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
			k.list = true
			if k.sub, err = w.keys(k.path+"[].", reflect.Zero(f.Type.Elem())); err == nil {
				k.about, err = w.about(f.Type.Elem())
			}
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// inKeys puts keys for the names of fields that are not plain words.
func inKeys(comment string, names map[string]string) string {
	for field, name := range names {
		if strings.Contains(name, "_") {
			comment = regexp.MustCompile(`\b`+field+`\b`).ReplaceAllString(comment, name)
		}
	}
	return comment
}

// about gives the comment on a type, without the type's name before it.
func (w *walker) about(t reflect.Type) (string, error) {
	comments, err := w.comments(t)
	names := map[string]string{}
	for i := range t.NumField() {
		names[t.Field(i).Name] = tag(t.Field(i))
	}
	return inKeys(comments[""], names), err
}

// tag gives the key of a field, empty if it has none.
func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "-" || !f.IsExported() {
		return ""
	}
	return name
}

// comments gives the comments on a struct's fields, each as one line.
func (w *walker) comments(t reflect.Type) (map[string]string, error) {
	dir, ok := strings.CutPrefix(t.PkgPath(), module)
	if !ok {
		return nil, fmt.Errorf("%s.%s is not a type of ours", t.PkgPath(), t.Name())
	}
	if w.packages[dir] == nil {
		s, err := readStructs(filepath.Join(w.root, dir))
		if err != nil {
			return nil, fmt.Errorf("reading the comments of %s: %w", dir, err)
		}
		w.packages[dir] = s
	}
	return w.packages[dir][t.Name()], nil
}

// readStructs parses a folder's files and keeps the comments of struct fields.
func readStructs(dir string) (structs, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := structs{}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		doc := ""
		ast.Inspect(f, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok {
				doc = d.Doc.Text()
			}
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			fields := map[string]string{"": strings.Join(strings.Fields(doc), " ")}
			for _, field := range st.Fields.List {
				text := field.Doc.Text()
				if text == "" {
					text = field.Comment.Text()
				}
				for _, name := range field.Names {
					fields[name.Name] = strings.Join(strings.Fields(text), " ")
				}
			}
			all[spec.Name.Name] = fields
			return true
		})
	}
	return all, nil
}

// plainDefault finds a default that a comment tells as a plain number or time.
var plainDefault = regexp.MustCompile(`[Dd]efault:? (-?[0-9][0-9.,]*)( KiB| MiB| GiB|ms|s|m|h)?(?:[,;:.)]? |\.?$)`)

// agrees reports a comment that tells another default than the code has.
func agrees(comment string, v reflect.Value) error {
	m := plainDefault.FindStringSubmatch(comment)
	if m == nil {
		return nil
	}
	said := strings.TrimRight(strings.ReplaceAll(m[1], ",", ""), ".")
	unit := map[string]int64{" KiB": 1 << 10, " MiB": 1 << 20, " GiB": 1 << 30}[m[2]]
	var have string
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(said + m[2])
		if err != nil {
			return fmt.Errorf("the comment tells the default %q, which is no time", said+m[2])
		}
		if v.Int() != 0 && d != time.Duration(v.Int()) { // zero in an element of a list: filled in later
			return fmt.Errorf("the comment tells the default %v, the code has %v", d, time.Duration(v.Int()))
		}
		return nil
	case v.CanInt():
		have = fmt.Sprint(v.Int())
	case v.CanUint():
		have = fmt.Sprint(v.Uint())
	case v.CanFloat():
		have = scalar(v)
	default:
		return nil
	}
	if unit > 0 {
		var n int64
		if _, err := fmt.Sscan(said, &n); err != nil {
			return fmt.Errorf("the comment tells the default %q: %w", m[0], err)
		}
		said = fmt.Sprint(n * unit)
	}
	if said != have && have != "0" {
		return fmt.Errorf("the comment tells the default %s, the code has %s", said, have)
	}
	return nil
}
