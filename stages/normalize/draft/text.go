package draft

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
	"github.com/interdict/interdict/stages/normalize/syntax"
)

// reading is one value of a message of text.
type reading struct {
	place place
	text  string
}

// maxNames bounds the names that are tried on one message.
const maxNames = 1000

var (
	reKey     = regexp.MustCompile(`([A-Za-z0-9_@$%./\-]+|"[^"\n]{1,64}")\s*[=:]`)
	reElement = regexp.MustCompile(`\[([^ \]="]{1,64}) `)
	reTag     = regexp.MustCompile(`<[A-Za-z_?][^<>]*>`)
	reLabel   = regexp.MustCompile(`\b(?:cs|cn|cfp|c6a|flexString|flexNumber|flexDate|deviceCustomDate)\d+Label=([^=]*?)(?:\s+[A-Za-z0-9_.]+=|$)`)
)

// readText reads a message with the syntaxes of package syntax. What names it may
// have is guessed from the text; the reader says which of them it has. payload
// is the JSON behind a header.
func readText(message []byte) (values []reading, payload []byte, err error) {
	t, err := extract.NewTrie(nil)
	if err != nil {
		return nil, nil, err
	}
	var places []place // by slot
	want := func(names ...string) {
		p := place{}
		for _, n := range names {
			p = p.below(n)
		}
		slot, err := t.Add(p.path)
		if err != nil {
			return // a name that no path can say
		}
		for len(places) <= int(slot) {
			places = append(places, place{})
		}
		places[slot] = p
	}
	wantFixed(want)
	wantNamed(message, want)
	var a arena.Arena
	r := syntax.New(t, limits(), &a)
	tape := extract.NewTape(t)
	if err := fault(r.Read(message, tape)); err != nil {
		return nil, nil, err
	}
	for _, v := range tape.Values {
		if v.Kind != extract.Object {
			values = append(values, reading{places[v.Slot], own(v.Text)})
		}
	}
	return values, slices.Clone(r.Payload()), nil
}

// wantFixed asks for the names that docs/mapping.md lists.
func wantFixed(want func(names ...string)) {
	want("@line")
	for _, n := range []string{"host", "app", "pid", "msgid", "time", "facility", "severity", "message"} {
		want("@syslog", n)
	}
	for _, n := range []string{"vendor", "product", "version", "class", "name", "severity"} {
		want("@cef", n)
	}
	for _, n := range []string{"vendor", "product", "version", "event"} {
		want("@leef", n)
	}
	for _, n := range []string{"facility", "severity", "code", "text"} {
		want("@cisco", n)
	}
	for _, n := range []string{"gid", "sid", "rev", "title", "class", "priority", "proto", "src_ip", "src_port", "dst_ip", "dst_port", "time"} {
		want("@snort", n)
	}
	for i := range 64 {
		want("@col", strconv.Itoa(i))
	}
}

// wantNamed asks for whatever may be a name in the text.
func wantNamed(message []byte, want func(names ...string)) {
	var elements []string
	for _, m := range reElement.FindAllSubmatch(message, 16) {
		elements = append(elements, string(m[1]))
	}
	seen := map[string]bool{}
	for _, m := range reKey.FindAllSubmatch(message, maxNames) {
		for _, name := range variants(strings.Trim(string(m[1]), `"`)) {
			if seen[name] || name == "" {
				continue
			}
			seen[name] = true
			want("@kv", name)
			want("@cef", "ext", name)
			want("@leef", "ext", name)
			for _, e := range elements {
				want("@syslog", "sd", e, name)
			}
		}
	}
	for _, m := range reLabel.FindAllSubmatch(message, 64) {
		if label := strings.TrimSpace(string(m[1])); label != "" {
			want("@cef", "custom", label)
		}
	}
	if at := reTag.FindIndex(message); at != nil {
		wantXML(message[at[0]:], want)
	}
}

// variants are a name as it stands, and without what may belong to the value
// before it.
func variants(name string) []string {
	all := []string{name}
	if i := strings.LastIndexAny(name, "/%$"); i >= 0 {
		all = append(all, name[i+1:])
	}
	return all
}

// wantXML asks for every element and attribute.
func wantXML(message []byte, want func(names ...string)) {
	d := xml.NewDecoder(bytes.NewReader(message))
	var stack []string
	for n := 0; n < maxNames; n++ {
		token, err := d.Token()
		if err != nil {
			return // the reader says what is wrong
		}
		switch e := token.(type) {
		case xml.StartElement:
			name := e.Name.Local
			for _, a := range e.Attr {
				if name == "Data" && a.Name.Local == "Name" && a.Value != "" {
					name = a.Value
				}
			}
			stack = append(stack, name)
			if len(stack) > maxDepth {
				return
			}
			want(stack...)
			for _, a := range e.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					want(append(slices.Clone(stack), a.Name.Local)...)
				}
			}
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
}
