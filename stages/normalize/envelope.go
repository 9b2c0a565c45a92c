package normalize

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// listPaths are the arrays that make a document a list of documents: Azure
// ("records"), AWS ("Records", "Findings"), Microsoft Graph ("value"), CloudWatch
// subscriptions ("logEvents").
func listPaths() []string {
	return []string{"records", "Records", "value", "findings", "Findings", "logEvents"}
}

// wrapperPaths are the places where shippers put the document they carry, an
// object or text, the most telling first: Amazon EventBridge and SNS, Splunk's
// HTTP collector, Elasticsearch hits, Logstash, Fluent Bit and Docker, journald,
// Filebeat, Vector, Azure's Syslog rows and diagnostic records, Google's log
// entries, OpenTelemetry bodies. They are looked into only where the document
// around is of no known format.
func wrapperPaths() []string {
	return []string{"detail", "event", "_source", `event\.original`, "event.original", "log", "MESSAGE", "message", "Message", "SyslogMessage", "RawData",
		"_raw", "result._raw", "properties", "jsonPayload", "textPayload", "jsonPayload.message", "payload", "body", "body.stringValue", "data",
		`@message`, "record", "raw"}
}

// isOriginal reports the places where a collector keeps the record that it read
// beside what it made of it. What else holds a document within one of a known
// format is a field of that, such as the message of an alert: a stranger may have
// written it.
func isOriginal(path string) bool { return path == `event\.original` || path == "event.original" }

// wrapper is one of wrapperPaths.
type wrapper struct {
	slot     extract.Slot
	original bool // see isOriginal
}

// place is where a document was recognized.
type place struct {
	tape   *extract.Tape
	format int // of the document, or the first one of a list; -1: unknown
	bytes  []byte
	list   bool // it is a list of documents
	said   bool // in a field of another document: nothing in it is attested
}

// find says what the document read at level is: a format's, or an envelope
// around one. A specific format anywhere beats a generic one, unless it would
// hide an alert, and the document beats what it wraps.
func (r *record) find(level int, t *extract.Tape, document []byte) place {
	n := r.n
	outer := place{tape: t, format: n.runner.Detect(t, n.allowed), bytes: document}
	if r.specific(outer) || level == maxNesting-1 {
		return outer
	}
	var generic, unknown, last extract.Value
	var found place // what is in generic
	for _, w := range n.lib.wrappers {
		i := t.First[w.slot]
		if i == 0 {
			continue
		}
		v := t.Values[i-1]
		last = v
		switch inner := r.open(level+1, v); {
		case r.specific(inner):
			if outer.format < 0 || !r.hides(inner, outer) {
				inner.said = inner.said || outer.format >= 0 && !w.original
				return inner
			}
		case inner.format >= 0 && generic.Kind == 0:
			generic, found = v, inner
		case inner.list && unknown.Kind == 0:
			unknown = v
		}
	}
	// What is inside is read again where others were read since.
	switch {
	case outer.format >= 0:
		return outer
	case generic.Kind != 0 && generic == last:
		return found
	case generic.Kind != 0:
		return r.open(level+1, generic)
	case unknown.Kind != 0:
		return r.open(level+1, unknown)
	}
	return outer
}

// specific reports whether a place is of a format, and of no generic one.
func (r *record) specific(p place) bool {
	return p.format >= 0 && !r.n.lib.set.Formats[p.format].Generic
}

// hides reports whether an alert would be lost if what it holds stood in for it:
// parts of an alert are what a stranger wrote.
func (r *record) hides(inner, outer place) bool {
	if allowed := r.n.allowed; allowed[outer.format] != allowed[inner.format] {
		return allowed[outer.format]
	}
	return r.isAlert(outer) && !r.isAlert(inner)
}

// isAlert reports whether a document, or the first one of a list, makes an alert.
func (r *record) isAlert(p place) (is bool) {
	f := &r.n.lib.set.Formats[p.format]
	r.n.runner.Elements(f, p.tape, func(string) bool {
		is = r.n.runner.IsAlert(f)
		return !is
	})
	return is
}

// open reads what an envelope holds and finds what it is.
func (r *record) open(level int, v extract.Value) place {
	none := place{format: -1}
	body := arena.Bytes(v.Text)
	if v.Kind != extract.Object && v.Kind != extract.String {
		return none
	}
	pos := extract.SkipSpace(body, 0)
	if pos == len(body) {
		return none
	}
	if !isJSON(body, pos) {
		return r.openText(level, body)
	}
	if body[pos] == '[' {
		return r.openList(level, body, pos)
	}
	s := r.n.scanners[level]
	p := s.Scan(body, pos)
	for p == extract.List {
		next := extract.SkipSpace(body, s.Pos+1)
		if body[next] != ']' {
			return r.openList(level, body, s.Pos)
		}
		p = s.Resume(next + 1) // an empty list may be in any document
	}
	if p != extract.Done {
		return none
	}
	end := s.Pos
	found := r.find(level, s.Tape, body[pos:end])
	switch next := extract.SkipSpace(body, end); {
	case next == len(body):
		return found
	case body[next] == '{': // NDJSON in an envelope
		return place{tape: found.tape, format: found.format, bytes: body, list: true, said: found.said}
	}
	return none
}

// openList reads the first document of the list at pos in body. What holds no
// object, or is none of JSON from its beginning, is no list.
func (r *record) openList(level int, body []byte, pos int) place {
	s := r.n.scanners[level]
	for range maxNesting {
		for pos < len(body) && body[pos] == '[' {
			pos = extract.SkipSpace(body, pos+1)
		}
		if pos == len(body) || body[pos] != '{' {
			return place{format: -1}
		}
		switch s.Scan(body, pos) {
		case extract.List:
			pos = s.Pos
		case extract.Done:
			found := r.find(level, s.Tape, body[pos:s.Pos])
			return place{tape: found.tape, format: found.format, bytes: body, list: true, said: found.said}
		default:
			return place{format: -1, bytes: body, list: true}
		}
	}
	return place{format: -1, bytes: body, list: true}
}

// openText reads a line of text, and the JSON that may follow its header.
func (r *record) openText(level int, line []byte) place {
	s := r.n.scanners[level]
	s.Begin()
	if f := r.n.text.ReadOnto(line, s); f.Reason != 0 {
		s.Fault = f
		return place{format: -1, bytes: line}
	}
	payload := r.n.text.Payload()
	found := r.find(level, s.Tape, line)
	if len(payload) == 0 || level == maxNesting-1 || r.specific(found) {
		return found
	}
	inner := r.open(level+1, extract.Value{Text: arena.Text(payload), Kind: extract.String})
	if r.specific(inner) || found.format < 0 && (inner.format >= 0 || inner.list) {
		inner.said = inner.said || found.format >= 0
		return inner
	}
	return found
}

// account makes what was found, or rejects the document.
func (r *record) account(level int, found place, document []byte) {
	switch {
	case found.list:
		if level < maxNesting-1 {
			before, said := r.docs, r.said
			r.within++
			r.said = said || found.said
			r.readAll(found.bytes, level+1)
			r.said = said
			r.within--
			if r.docs == before {
				r.drop("empty list")
			}
			return
		}
		r.reject(document, extract.Fault{Reason: schema.ReasonTooDeep, What: "lists within lists"})
	case found.format >= 0:
		r.make(found)
	case r.n.cfg.Format != "":
		r.reject(document, extract.Fault{Reason: schema.ReasonMissingField, What: "not the shape of " + r.n.cfg.Format})
	default:
		r.reject(document, extract.Fault{Reason: schema.ReasonUnknownFormat, What: "no format has this shape"})
	}
}
