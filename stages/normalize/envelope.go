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

// place is where a document was recognized.
type place struct {
	tape   *extract.Tape
	format int // -1: nowhere
	bytes  []byte
	list   bool // it is a list of documents
}

// find says what the document read at level is: a format's, or an envelope
// around one. A specific format anywhere beats a generic one, and the document
// beats what it wraps.
func (r *record) find(level int, t *extract.Tape, document []byte) place {
	n := r.n
	outer := place{tape: t, format: n.runner.Detect(t), bytes: document}
	if outer.format >= 0 && !n.lib.set.Formats[outer.format].Generic || level == maxNesting-1 {
		return outer
	}
	var generic extract.Value
	for _, w := range n.lib.wrappers {
		i := t.First[w]
		if i == 0 {
			continue
		}
		v := t.Values[i-1]
		inner := r.open(level+1, v)
		if inner.list || inner.format >= 0 && !n.lib.set.Formats[inner.format].Generic {
			return inner
		}
		if inner.format >= 0 && generic.Kind == 0 {
			generic = v
		}
	}
	if outer.format < 0 && generic.Kind != 0 {
		return r.open(level+1, generic) // read again: others were read since
	}
	return outer
}

// open reads what an envelope holds and finds what it is.
func (r *record) open(level int, v extract.Value) place {
	none := place{format: -1}
	body := arena.Bytes(v.Text)
	if v.Kind != extract.Object && v.Kind != extract.String {
		return none
	}
	pos := skipSpace(body, 0)
	if pos == len(body) {
		return none
	}
	s := r.n.scanners[level]
	if !isJSON(body, pos) {
		return r.openText(level, body)
	}
	if body[pos] == '[' {
		return place{format: -1, list: true, bytes: body}
	}
	switch s.Scan(body, pos) {
	case extract.List:
		return place{format: -1, list: true, bytes: body}
	case extract.Done:
		if end := s.Pos; skipSpace(body, end) == len(body) {
			return r.find(level, s.Tape, body[pos:end])
		}
		if next := skipSpace(body, s.Pos); body[next] == '{' {
			return place{format: -1, list: true, bytes: body} // NDJSON in an envelope
		}
	}
	return none
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
	if len(payload) == 0 || level == maxNesting-1 || found.format >= 0 && !r.n.lib.set.Formats[found.format].Generic {
		return found
	}
	inner := r.open(level+1, extract.Value{Text: arena.Text(payload), Kind: extract.String})
	if inner.format >= 0 || inner.list {
		return inner
	}
	return found
}

// account makes what was found, or rejects the document.
func (r *record) account(level int, found place, document []byte) {
	switch {
	case found.list:
		if level < maxNesting-1 {
			r.readAll(found.bytes, level+1)
			return
		}
		r.reject(document, extract.Fault{Reason: schema.ReasonTooDeep, What: "lists within lists"})
	case found.format >= 0:
		r.make(found.tape, found.format, found.bytes)
	case r.n.cfg.Format != "":
		r.reject(document, extract.Fault{Reason: schema.ReasonMissingField, What: "not the shape of " + r.n.cfg.Format})
	default:
		r.reject(document, extract.Fault{Reason: schema.ReasonUnknownFormat, What: "no format has this shape"})
	}
}
