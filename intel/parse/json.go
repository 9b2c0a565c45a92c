package parse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/intel/fact"
)

// document reads the JSON of one part.
type document struct {
	r      *reader
	want   fact.Format // auto: what its members say
	n      int         // objects so far, for messages
	stix   stix
	misp   misp
	told   [columns]bool
	outer  cells // what is said of all the rows that are being read
	opened int   // documents within documents
	named  int   // rows so far whose value has a name that is known
}

// errNoFeed is JSON that says nothing a feed could say, such as a server's error.
var errNoFeed = errors.New("JSON of no form that is known")

// json reads documents one after another: objects or arrays of them.
func (r *reader) json(br *bufio.Reader, want fact.Format) error {
	d := &document{r: r, want: want}
	d.stix.r, d.misp.r = r, r
	if err := d.all(&jsonText{in: br, line: 1}); err != nil {
		return err
	}
	return d.stix.end()
}

func (d *document) all(j *jsonText) error {
	for {
		b, err := j.peek()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return j.fail(err)
		case b == '[':
			err = j.elements(func(int) error { return d.element(j) })
		case b == '{':
			err = d.object(j)
		default:
			return j.failf("%q where an object or array belongs", b)
		}
		if err != nil {
			return err
		}
	}
}

// element reads an element of an array: an object, or a value of a list.
func (d *document) element(j *jsonText) error {
	d.n++
	raw, refused, err := j.value(maxDocument)
	if err != nil {
		return err
	}
	switch {
	case refused != nil:
		return d.r.refuse(d.n, string(raw), refused)
	case raw[0] == '{':
		err = d.one(raw, false)
	case raw[0] == '"' && (d.want == fact.FormatAuto || d.want == fact.FormatList || d.want == fact.FormatCSV):
		var s string
		if err, _ := decode(raw, &s); err != nil {
			return j.fail(err)
		}
		err = d.r.value(d.n, s, "")
	default:
		err = d.r.refuse(d.n, string(raw), errors.New("an element that is no object"))
	}
	return d.place(j, err)
}

// place adds the place to an error of a text's syntax.
func (d *document) place(j *jsonText, err error) error {
	if s := (*syntaxError)(nil); errors.As(err, &s) {
		return j.fail(fmt.Errorf("in the object that ends here: %w", s.err))
	}
	return err
}

// syntaxError is a text that is no JSON.
type syntaxError struct{ err error }

func (s *syntaxError) Error() string { return s.err.Error() }

// object reads an object that stands by itself: a container, whose elements are
// read one by one, or a single thing.
func (d *document) object(j *jsonText) error {
	var whole bytes.Buffer // what was no container's
	container, refused := false, error(nil)
	err := j.members(func(name string) error {
		switch next, err := j.peek(); {
		case err != nil:
			return j.fail(err)
		case name == "objects" && d.may(fact.FormatSTIX):
			if next != '[' {
				return j.failf("objects is no array")
			}
			container = true
			return j.elements(func(int) error { return d.stixElement(j) })
		case name == "response" && d.may(fact.FormatMISP) && next == '[':
			container = true
			return j.elements(func(int) error { return d.element(j) })
		case name == "response" && d.may(fact.FormatMISP) && next == '{':
			container = true
			return j.members(func(name string) error {
				if next, err := j.peek(); name == "Attribute" && err == nil && next == '[' {
					return j.elements(func(int) error { return d.element(j) })
				}
				_, _, err := j.value(maxObject)
				return err
			})
		}
		raw, no, err := j.value(maxDocument)
		if err != nil {
			return err
		}
		if no == nil && whole.Len()+len(raw) > maxDocument {
			no = errObject
		}
		if no != nil {
			refused = fmt.Errorf("member %q: %w", name, no)
			return nil
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		whole.WriteByte(',')
		whole.Write(quoted)
		whole.WriteByte(':')
		whole.Write(raw)
		return nil
	})
	if err != nil || container {
		return err
	}
	d.n++
	if refused != nil {
		return d.r.refuse(d.n, whole.String(), refused)
	}
	if whole.Len() == 0 {
		return nil // an empty envelope
	}
	raw := whole.Bytes()
	raw[0] = '{'
	return d.place(j, d.one(append(raw, '}'), true))
}

// may reports whether a document of a form is looked for.
func (d *document) may(f fact.Format) bool { return d.want == fact.FormatAuto || d.want == f }

// stixElement reads an object of a bundle.
func (d *document) stixElement(j *jsonText) error {
	d.n++
	raw, refused, err := j.value(maxObject)
	if err != nil {
		return err
	}
	if refused != nil {
		return d.r.refuse(d.n, string(raw), refused)
	}
	return d.place(j, d.stix.object(d.n, raw))
}

// members of an object by which its form is told.
type probe struct {
	Type       json.RawMessage `json:"type"`
	ID         json.RawMessage `json:"id"`
	Pattern    json.RawMessage `json:"pattern"`
	Objects    json.RawMessage `json:"objects"`
	More       json.RawMessage `json:"more"`
	Event      json.RawMessage `json:"Event"`
	Attribute  json.RawMessage `json:"Attribute"`
	Object     json.RawMessage `json:"Object"`
	Info       json.RawMessage `json:"info"`
	UUID       json.RawMessage `json:"uuid"`
	Value      json.RawMessage `json:"value"`
	ToIDs      json.RawMessage `json:"to_ids"`
	List       json.RawMessage `json:"list"`
	Name       json.RawMessage `json:"name"`
	Attributes json.RawMessage `json:"matching_attributes"`
}

// form tells what an object is.
func (d *document) form(p *probe) fact.Format {
	is := func(raw json.RawMessage, c byte) bool { return len(raw) > 0 && raw[0] == c }
	id := string(p.ID)
	for _, c := range [...]struct {
		form fact.Format
		ok   bool
	}{
		{fact.FormatMISP, is(p.Event, '{') && !is(p.Value, '"')},
		{fact.FormatMISP, (is(p.Attribute, '[') || is(p.Object, '[')) && (len(p.Info) > 0 || len(p.UUID) > 0)},
		{fact.FormatMISP, len(p.ToIDs) > 0 && is(p.Value, '"') && is(p.Type, '"')},
		{fact.FormatWarninglist, is(p.List, '[') && is(p.Name, '"') && (is(p.Type, '"') || is(p.Attributes, '['))},
		{fact.FormatSTIX, is(p.Type, '"') && (strings.Contains(id, "--") || len(p.Pattern) > 0 || len(p.Objects) > 0 || string(p.Type) == `"bundle"`)},
		{fact.FormatSTIX, len(p.More) > 0 && len(p.Type) == 0 && len(p.Value) == 0}, // an envelope
	} {
		if c.ok {
			return c.form
		}
	}
	return fact.FormatCSV
}

// one reads an object that is complete. alone: it is a document by itself.
func (d *document) one(raw []byte, alone bool) error {
	var p probe
	if err, _ := decode(raw, &p); err != nil {
		return &syntaxError{err}
	}
	form := d.want
	if form == fact.FormatAuto || form == fact.FormatList {
		form = d.form(&p)
	}
	switch form {
	case fact.FormatSTIX:
		switch {
		case len(p.Objects) > 0 && d.opened < maxDepth && (len(p.Type) == 0 || string(p.Type) == `"bundle"`): // a bundle in an array
			d.opened++
			defer func() { d.opened-- }()
			return d.object(nested(raw))
		case string(p.Type) == `"bundle"`, len(p.Type) == 0 && len(p.More) > 0:
			return nil // without objects
		case alone && len(p.Type) == 0:
			return d.unknown(raw)
		case len(raw) > maxObject:
			return d.r.refuse(d.n, string(raw[:maxShown]), errObject)
		}
		return d.stix.object(d.n, raw)
	case fact.FormatMISP:
		switch {
		case len(p.Value) > 0 && len(p.Type) > 0:
			return d.misp.attributeAlone(raw)
		case len(p.Event) > 0 && p.Event[0] == '{':
			return d.misp.event(p.Event)
		case len(p.Attribute) > 0 || len(p.Object) > 0 || len(p.Info) > 0:
			return d.misp.event(raw)
		case alone:
			return d.unknown(raw)
		}
		return d.r.refuse(d.n, string(raw), errors.New("neither a MISP event nor an attribute"))
	case fact.FormatWarninglist:
		return d.r.warninglist(raw)
	}
	return d.rows(raw, alone)
}
