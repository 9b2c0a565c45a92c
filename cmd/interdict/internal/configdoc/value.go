package main

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// plain matches strings that YAML reads as themselves without quotes.
var plain = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./-]*$`)

// scalar writes a value as YAML, on one line.
func scalar(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		return duration(d)
	}
	switch v.Kind() {
	case reflect.String:
		switch s := strings.ToLower(v.String()); {
		case s == "true", s == "false", s == "null", s == "yes", s == "no", s == "on", s == "off", !plain.MatchString(v.String()):
			return strconv.Quote(v.String())
		}
		return v.String()
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = scalar(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// duration writes 10m for 10m0s.
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// kind names a value's type for people.
func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t.Kind() == reflect.Slice:
		return "list of " + kind(t.Elem()) + "s"
	case t.Kind() == reflect.Struct:
		return "section"
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return "string" // a name
	case t.Kind() == reflect.Bool, t.Kind() == reflect.String:
		return t.Kind().String()
	}
	return "number"
}

// bytesOf gives a number of bytes a second, readable form.
func bytesOf(v reflect.Value) string {
	var n uint64
	switch {
	case v.CanInt() && v.Type() != reflect.TypeFor[time.Duration]() && v.Int() > 0:
		n = uint64(v.Int())
	case v.CanUint():
		n = v.Uint()
	}
	for _, u := range []struct {
		size uint64
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.size && n%u.size == 0 && n >= 64<<10 {
			return fmt.Sprintf(" (%d %s)", n/u.size, u.name)
		}
	}
	return ""
}
