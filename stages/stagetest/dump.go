package stagetest

import (
	"fmt"
	"reflect"
	"strings"
)

// Dump renders a value so that two are equal when their text is: exported fields
// by name, pointers followed, nil and empty slices alike.
func Dump(v any) string {
	var b strings.Builder
	dump(&b, "", reflect.ValueOf(v))
	return b.String()
}

func dump(b *strings.Builder, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			dump(b, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				dump(b, path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Len() > 0 {
				fmt.Fprintf(b, "%s = %q\n", path, v.Bytes())
			}
			return
		}
		for i := range v.Len() {
			at := fmt.Sprintf("%s[%d]", path, i)
			fmt.Fprintf(b, "%s\n", at) // an element of zero values is an element
			dump(b, at, v.Index(i))
		}
	case reflect.String:
		if v.Len() > 0 {
			fmt.Fprintf(b, "%s = %q\n", path, v.String())
		}
	case reflect.Map, reflect.Func, reflect.Chan:
		panic("BUG: a batch holds no " + v.Kind().String() + ": " + path)
	default:
		if !v.IsZero() {
			fmt.Fprintf(b, "%s = %v\n", path, v.Interface())
		}
	}
}

// difference shows the first lines in which two dumps differ.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var x, y string
		if i < len(g) {
			x = g[i]
		}
		if i < len(w) {
			y = w[i]
		}
		if x != y {
			return fmt.Sprintf("line %d\n got: %s\nwant: %s", i+1, x, y)
		}
	}
	return "nowhere"
}
