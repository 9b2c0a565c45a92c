package main

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

// addSource adds an entry to the list of sources in the text of a configuration.
// Every other byte stays: the lines of the entry are put where the list ends.
// Lists in a form that cannot take a line are written anew by the YAML library,
// which keeps comments and order, but not the layout.
func addSource(text []byte, src settings.Source) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var want yaml.Node
	if err := want.Encode(sourceNode(src)); err != nil {
		return nil, err
	}
	out, ok := insertSource(text, &doc, src)
	if ok && added(text, out, &want) {
		return out, nil
	}
	return rewriteSources(&doc, &want)
}

// member gives the key and value of a name in a mapping.
func member(m *yaml.Node, name string) (key, value, next *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == name {
			if i+2 < len(m.Content) {
				next = m.Content[i+2]
			}
			return m.Content[i], m.Content[i+1], next
		}
	}
	return nil, nil, nil
}

// insertSource puts the lines of an entry into the text; ok is false where there
// is no place for lines.
func insertSource(text []byte, doc *yaml.Node, src settings.Source) (out []byte, ok bool) {
	lines := strings.SplitAfter(string(text), "\n")
	if len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if n := len(lines); n > 0 && !strings.HasSuffix(lines[n-1], "\n") {
		lines[n-1] += "\n"
	}
	at := len(lines) // index of the line before which the entry goes
	var entry []string
	if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
		entry = append([]string{"sources:\n"}, blockSource(src, "  ", true)...)
		return []byte(strings.Join(append(lines, entry...), "")), true
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || root.Style&yaml.FlowStyle != 0 {
		return nil, false
	}
	key, list, next := member(root, "sources")
	switch {
	case key == nil:
		entry = append([]string{"sources:\n"}, blockSource(src, "  ", true)...)
	case list.Kind == yaml.ScalarNode && list.Tag == "!!null" && list.Value == "":
		at, entry = key.Line, blockSource(src, "  ", true)
	case list.Kind != yaml.SequenceNode:
		return nil, false
	case len(list.Content) == 0:
		line := lines[list.Line-1]
		i := strings.Index(line, "[]")
		if i < 0 || list.Line != key.Line {
			return nil, false
		}
		lines[list.Line-1] = strings.TrimRight(line[:i], " ") + line[i+2:]
		at, entry = key.Line, blockSource(src, "  ", true)
	case list.Style&yaml.FlowStyle != 0:
		return nil, false
	default:
		if next != nil {
			at = next.Line - 1
		}
		last := list.Content[len(list.Content)-1]
		for at > last.Line && blank(lines[at-1]) {
			at--
		}
		flow := last.Style&yaml.FlowStyle != 0
		entry = blockSource(src, strings.Repeat(" ", list.Column-1), flow)
	}
	out = []byte(strings.Join(lines[:at], "") + strings.Join(entry, "") + strings.Join(lines[at:], ""))
	return out, true
}

// blank tells lines that belong to what follows them.
func blank(line string) bool {
	t := strings.TrimSpace(line)
	return t == "" || strings.HasPrefix(t, "#") || t == "..."
}

// sourceNode is what the configuration says of a source, without what is default.
func sourceNode(src settings.Source) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	text := func(s string) *yaml.Node {
		n := &yaml.Node{}
		n.SetString(s)
		return n
	}
	put := func(key string, value *yaml.Node) { m.Content = append(m.Content, text(key), value) }
	list := func(key string, all []string) {
		if len(all) == 0 {
			return
		}
		n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, s := range all {
			n.Content = append(n.Content, text(s))
		}
		put(key, n)
	}
	put("id", text(src.ID))
	put("tenant", text(src.Tenant))
	put("topic", text(src.Topic))
	list("formats", src.Formats)
	list("attests", src.Attests)
	if src.Zone != "" {
		put("zone", text(src.Zone))
	}
	if src.Silence > 0 {
		put("silence", text(span(src.Silence)))
	}
	if src.Create > 0 {
		put("create", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(src.Create)})
	}
	return m
}

// flowSource writes a source in one line.
func flowSource(src settings.Source) string {
	m := sourceNode(src)
	m.Style = yaml.FlowStyle
	text, err := yaml.Marshal(m)
	if err != nil {
		return err.Error() // nodes of plain texts always have a form
	}
	// The library breaks long lines; a break within a flow mapping is a space.
	return strings.Join(strings.Fields(string(text)), " ")
}

// blockSource writes a source as an entry of a list, in one line or in several.
func blockSource(src settings.Source, indent string, flow bool) []string {
	if flow {
		return []string{indent + "- " + flowSource(src) + "\n"}
	}
	text, err := yaml.Marshal(sourceNode(src))
	if err != nil {
		return nil // see flowSource
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lead := indent + "  "
		if len(lines) == 0 {
			lead = indent + "- "
		}
		lines = append(lines, lead+line)
	}
	return lines
}

// added reports whether after says what before said, and one source more.
func added(before, after []byte, want *yaml.Node) bool {
	var a, b map[string]any
	var entry any
	if yaml.Unmarshal(before, &a) != nil || yaml.Unmarshal(after, &b) != nil || want.Decode(&entry) != nil {
		return false
	}
	old, _ := a["sources"].([]any)
	all, _ := b["sources"].([]any)
	if len(all) != len(old)+1 || !reflect.DeepEqual(all[len(old)], entry) || len(old) > 0 && !reflect.DeepEqual(all[:len(old)], old) {
		return false
	}
	delete(a, "sources")
	delete(b, "sources")
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// rewriteSources adds an entry to the tree and writes all of it.
func rewriteSources(doc, entry *yaml.Node) ([]byte, error) {
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("the configuration is no mapping")
	}
	_, list, _ := member(doc.Content[0], "sources")
	switch {
	case list == nil:
		key := &yaml.Node{}
		key.SetString("sources")
		list = &yaml.Node{Kind: yaml.SequenceNode}
		doc.Content[0].Content = append(doc.Content[0].Content, key, list)
	case list.Kind == yaml.ScalarNode && list.Tag == "!!null":
		*list = yaml.Node{Kind: yaml.SequenceNode, HeadComment: list.HeadComment, LineComment: list.LineComment, FootComment: list.FootComment}
	case list.Kind != yaml.SequenceNode:
		return nil, fmt.Errorf("line %d: sources is no list", list.Line)
	}
	if list.Style&yaml.FlowStyle != 0 {
		entry.Style = yaml.FlowStyle
	}
	list.Content = append(list.Content, entry)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(doc), enc.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
