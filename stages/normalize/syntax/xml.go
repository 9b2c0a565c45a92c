package syntax

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// isXML reports whether a text can be a document: it begins with a tag, and
// ends with one.
func isXML(t []byte) bool {
	return len(t) > 3 && t[0] == '<' && (isLetter(t[1]) || t[1] == '?' || t[1] == '!' || t[1] == '_') && t[len(t)-1] == '>'
}

// open is an element that did not end yet.
type open struct {
	node  uint16
	mark  int  // on the tape, of the object that it may turn out to be
	kept  int  // behind it on the tape: before what is in the element
	from  int  // in the message
	text  int  // in the arena, where its text begins
	child bool // has elements
	attrs bool // has attributes
}

// xml reads a document, from pos to the end: each element that is wanted is a
// value if it holds text alone, and an object, with what is in it behind it, if
// it holds elements. Nothing but XML's own five entities is known, and a
// document type is turned down.
func (r *Reader) xml(pos int) {
	header, sent := pos, r.text[pos:]
	r.text, pos = escapedAmpersands(sent), 0 // of the message's header nothing is wanted any more
	defer func() {
		if r.fault.Reason != 0 {
			r.fault.At = header + sentOffset(sent, r.fault.At)
		}
	}()
	d := xml.NewDecoder(bytes.NewReader(r.text[pos:]))
	// The text was checked to be UTF-8, whatever it said it was when it was read:
	// Windows writes UTF-16 into documents that are sent as UTF-8.
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var stack []open
	for ended := false; r.fault.Reason == 0; {
		from := pos + int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			if !errors.Is(err, io.EOF) || !ended {
				r.fail(schema.ReasonBadField, "broken XML", from)
			}
			return
		}
		switch e := token.(type) {
		case xml.StartElement:
			if ended {
				r.fail(schema.ReasonBadField, "more than one XML document", from)
				return
			}
			stack = r.startElement(stack, e, from)
		case xml.EndElement: // the decoder checked that it is the last one's
			last := len(stack) - 1
			r.endElement(&stack[last], pos+int(d.InputOffset()))
			stack = stack[:last]
			ended = last == 0
		case xml.CharData:
			if n := len(stack); n > 0 && !stack[n-1].child {
				r.arena.Buf = append(r.arena.Buf, e...)
			}
		case xml.Directive:
			r.fail(schema.ReasonBadField, "XML with a document type", from)
		}
	}
}

func (r *Reader) startElement(stack []open, e xml.StartElement, from int) []open {
	if len(stack) == r.limits.MaxDepth {
		r.fail(schema.ReasonTooDeep, "nested too deep", from)
		return stack
	}
	if r.keys += 1 + len(e.Attr); r.keys > r.limits.MaxKeys {
		r.fail(schema.ReasonTooManyKeys, "too many elements", from)
		return stack
	}
	parent := extract.Root
	if n := len(stack); n > 0 {
		p := &stack[n-1]
		if parent = p.node; !p.child { // what text it has is no value
			p.child = true
			r.arena.Buf = r.arena.Buf[:p.text]
		}
	}
	name, named := e.Name.Local, false
	if name == "Data" {
		for _, a := range e.Attr {
			if a.Name.Local == "Name" && a.Value != "" {
				name, named = a.Value, true
			}
		}
	}
	node := r.child(parent, name)
	o := open{node: node, mark: len(r.tape.Values), from: from}
	if s := r.trie.SlotOf(node); s != 0 && !r.tape.Keep(s, extract.Object, "") {
		r.fail(schema.ReasonTooLarge, "too many values", from)
	}
	o.kept = len(r.tape.Values)
	for _, a := range e.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || named && a.Name.Local == "Name" {
			continue
		}
		o.attrs = true
		if len(a.Value) > r.limits.MaxString {
			r.fail(schema.ReasonTooLarge, "value is too long", from)
		} else if at := r.child(node, a.Name.Local); at != 0 {
			r.put(at, r.arena.Join(a.Value), from)
		}
	}
	o.text = len(r.arena.Buf)
	return append(stack, o)
}

// endElement completes the value of an element: an object if there is something
// in it, else its text.
func (r *Reader) endElement(o *open, to int) {
	var text string
	if !o.child {
		text = strings.TrimSpace(r.arena.From(o.text))
	}
	objects := r.tape.Values[o.mark:o.kept] // none, one, or one for each of several slots
	switch {
	case len(text) > r.limits.MaxString:
		r.fail(schema.ReasonTooLarge, "value is too long", o.from)
	case o.child || text == "" && o.attrs:
		for i := range objects {
			objects[i].Text, objects[i].Next = r.str(span{o.from, to}), uint16(len(r.tape.Values))
		}
	case len(r.tape.Values) > o.kept: // text, and attributes behind it
		for i := range objects {
			objects[i].Text, objects[i].Kind = text, extract.String
		}
	default:
		for i := range objects {
			if first := &r.tape.First[objects[i].Slot]; int(*first) > o.mark {
				*first = 0
			}
		}
		r.tape.Values = r.tape.Values[:o.mark]
		r.put(o.node, text, o.from)
	}
}
