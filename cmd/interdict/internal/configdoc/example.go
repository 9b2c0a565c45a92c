package main

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

// examples are values the example file shows where the default is nothing that could
// be started with.
func examples() map[string]any {
	return map[string]any{
		"kafka.brokers":    []string{"kafka-1:9092", "kafka-2:9092", "kafka-3:9092"},
		"clickhouse.dsn":   "clickhouse://interdict@clickhouse:9000/interdict",
		"disrupt.policies": nil, // shown as a comment: a copy of the file should not pin the shipped policy
		"sources": []settings.Source{
			{ID: "edr", Tenant: "acme", Topic: "acme.edr", Formats: []string{"microsoft_graph_alerts_v2"}, Attests: []string{"host", "user"}, Silence: time.Hour},
			{ID: "ids", Tenant: "acme", Topic: "acme.ids", Formats: []string{"suricata_eve"}, Silence: 10 * time.Minute, Create: 4},
		},
	}
}

// width is where comments are wrapped.
const width = 100

// writeExample writes a file that loads, with every key.
func writeExample(top []key) []byte {
	var b bytes.Buffer
	b.WriteString(`# Configuration of Interdict: every setting with its default, which is what holds where a key is
# left out. Values marked (example) have no default. Unknown keys are errors. An environment variable
# overrides a key: INTERDICT_KAFKA__BATCH_RECORDS=5000 sets kafka.batch_records. Secrets are read
# from the files that keys ending in _file name. Generated: make generate.
`)
	e := example{&b, examples()}
	for _, k := range top {
		b.WriteByte('\n')
		e.key(k, "")
	}
	return b.Bytes()
}

type example struct {
	b        *bytes.Buffer
	examples map[string]any
}

func (e example) key(k key, indent string) {
	comment := k.comment
	value, shown := e.examples[k.path]
	if shown && value != nil {
		k.value = reflect.ValueOf(value)
		comment += " (example)"
	}
	e.comment(comment, indent)
	switch {
	case shown && value == nil:
		var b bytes.Buffer
		example{&b, e.examples}.list(k, indent+"  ", true)
		fmt.Fprintf(e.b, "%s# %s:\n", indent, k.name)
		for line := range strings.Lines(b.String()) {
			fmt.Fprintf(e.b, "%s# %s", indent, strings.TrimPrefix(line, indent))
		}
	case k.list && k.value.Len() > 0:
		fmt.Fprintf(e.b, "%s%s:\n", indent, k.name)
		e.list(k, indent+"  ", true)
	case k.list:
		fmt.Fprintf(e.b, "%s%s: []\n", indent, k.name)
	case k.sub != nil:
		fmt.Fprintf(e.b, "%s%s:\n", indent, k.name)
		for i, s := range k.sub {
			if i > 0 && s.comment == k.sub[i-1].comment {
				s.comment = "" // one comment for two
			}
			e.key(s, indent+"  ")
		}
	default:
		e.value(k, indent)
	}
}

// value writes a setting: lists that do not fit a line with a line for each item.
func (e example) value(k key, indent string) {
	line := fmt.Sprintf("%s%s: %s\n", indent, k.name, scalar(k.value))
	if k.value.Kind() != reflect.Slice || len(line) <= width {
		e.b.WriteString(line)
		return
	}
	fmt.Fprintf(e.b, "%s%s:\n", indent, k.name)
	for i := range k.value.Len() {
		fmt.Fprintf(e.b, "%s  - %s\n", indent, scalar(k.value.Index(i)))
	}
}

// list writes a list of structs; what is zero in an element is left out. The first
// element has the comments.
func (e example) list(k key, indent string, comments bool) {
	for i := range k.value.Len() {
		item := k.value.Index(i)
		mark := "- "
		for _, s := range k.sub {
			s.value = field(item, s.name)
			if s.value.IsZero() {
				continue
			}
			var b bytes.Buffer
			inner := example{&b, e.examples}
			if s.list {
				fmt.Fprintf(&b, "%s:\n", s.name)
				inner.list(s, "  ", comments && i == 0)
			} else {
				inner.value(s, "")
			}
			if comments && i == 0 {
				e.comment(s.comment, indent+"  ")
			}
			for line := range strings.Lines(b.String()) {
				fmt.Fprintf(e.b, "%s%s%s", indent, mark, line)
				mark = "  "
			}
		}
	}
}

// field finds the field of a struct by its key.
func field(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if tag(v.Type().Field(i)) == name {
			return v.Field(i)
		}
	}
	panic("BUG: no field has the key " + name)
}

// comment writes text wrapped behind "# ".
func (e example) comment(text, indent string) {
	if text == "" {
		return
	}
	line := indent + "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > width && line != indent+"#" {
			e.b.WriteString(line + "\n")
			line = indent + "#"
		}
		line += " " + word
	}
	e.b.WriteString(line + "\n")
}
