package schema

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/segmentio/encoding/json"
)

// OCSF class numbers and what every event of ours carries.
const (
	ocsfVersion          = "1.8.0"
	ocsfCategoryFindings = 2
	ocsfDetectionFinding = 2004
	ocsfIncidentFinding  = 2005
	ocsfActivityCreate   = 1
	ocsfActivityClose    = 3
)

// jsonWriter appends JSON. Whether a comma is due shows in the last byte: none
// after an opening bracket. Names are ASCII constants; text may be anything.
type jsonWriter struct{ b []byte }

func (w *jsonWriter) comma() {
	if last := w.b[len(w.b)-1]; last != '{' && last != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *jsonWriter) key(k string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, k...)
	w.b = append(w.b, '"', ':')
}

// object and array open a member; element opens an object in an array; end
// closes with the bracket given.
func (w *jsonWriter) object(k string) { w.key(k); w.b = append(w.b, '{') }
func (w *jsonWriter) array(k string)  { w.key(k); w.b = append(w.b, '[') }
func (w *jsonWriter) element()        { w.comma(); w.b = append(w.b, '{') }
func (w *jsonWriter) end(c byte)      { w.b = append(w.b, c) }

// text escapes control characters, quotes, U+2028 and U+2029, and writes U+FFFD
// for what is not UTF-8.
func (w *jsonWriter) text(s string) { w.b = json.AppendEscape(w.b, s, 0) }

// str writes a string unless it is empty.
func (w *jsonWriter) str(k, s string) {
	if s != "" {
		w.key(k)
		w.text(s)
	}
}

// strs writes an array of strings unless it is empty.
func (w *jsonWriter) strs(k string, list []string) {
	if len(list) == 0 {
		return
	}
	w.array(k)
	for _, s := range list {
		w.comma()
		w.text(s)
	}
	w.end(']')
}

func (w *jsonWriter) num(k string, v int64) {
	w.key(k)
	w.b = strconv.AppendInt(w.b, v, 10)
}

// numIf writes a number unless it is zero.
func (w *jsonWriter) numIf(k string, v int64) {
	if v != 0 {
		w.num(k, v)
	}
}

// bigNum writes a number that may need more than 53 bits: as a string.
func (w *jsonWriter) bigNum(k string, v uint64) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = strconv.AppendUint(w.b, v, 10)
	w.b = append(w.b, '"')
}

func (w *jsonWriter) flag(k string, v bool) {
	w.key(k)
	w.b = strconv.AppendBool(w.b, v)
}

// time writes a timestamp_t, milliseconds, unless it is not known.
func (w *jsonWriter) time(k string, m Millis) { w.numIf(k, int64(m)) }

// alertID writes an id unless it is not set.
func (w *jsonWriter) alertID(k string, id AlertID) {
	if !id.IsZero() {
		w.key(k)
		w.b = append(w.b, '"')
		w.b = hex.AppendEncode(w.b, id[:])
		w.b = append(w.b, '"')
	}
}

// incidentID writes an id in the form of a UUID unless it is not set.
func (w *jsonWriter) incidentID(k string, id IncidentID) {
	if id.IsZero() {
		return
	}
	w.key(k)
	w.b = append(w.b, '"')
	from := 0
	for _, to := range [...]int{4, 6, 8, 10, 16} {
		if from > 0 {
			w.b = append(w.b, '-')
		}
		w.b = hex.AppendEncode(w.b, id[from:to])
		from = to
	}
	w.b = append(w.b, '"')
}

// class opens an event and writes what says which class it is.
func (w *jsonWriter) class(class, activity int64) {
	w.b = append(w.b, '{')
	w.num("activity_id", activity)
	w.num("category_uid", ocsfCategoryFindings)
	w.num("class_uid", class)
	w.num("type_uid", class*100+activity)
}

// attacks writes ATT&CK techniques. "T1021.002" is a sub-technique of "T1021".
func (w *jsonWriter) attacks(list []Technique) {
	if len(list) == 0 {
		return
	}
	w.array("attacks")
	for i := range list {
		t := &list[i]
		if *t == (Technique{}) {
			continue
		}
		w.element()
		if t.Tactic != "" {
			w.object("tactic")
			w.str("uid", t.Tactic)
			w.end('}')
		}
		if t.ID != "" {
			parent := t.ID
			if dot := strings.IndexByte(t.ID, '.'); dot > 0 {
				parent = t.ID[:dot]
				w.object("sub_technique")
				w.str("uid", t.ID)
				w.end('}')
			}
			w.object("technique")
			w.str("uid", parent)
			w.end('}')
		}
		w.end('}')
	}
	w.end(']')
}

// raw writes a member whose value is JSON already.
func (w *jsonWriter) raw(k string, v []byte) {
	w.key(k)
	w.b = append(w.b, v...)
}
