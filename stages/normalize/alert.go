package normalize

import (
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// make turns a document of a known format into alerts: one, or one for each
// element of what the format splits.
func (r *record) make(at place) {
	n := r.n
	f := &n.lib.set.Formats[at.format]
	if !n.allowed[at.format] {
		r.reject(at.bytes, extract.Fault{Reason: schema.ReasonFormatNotAllowed, What: f.Name})
		return
	}
	r.format = f
	before := r.docs
	n.runner.Elements(f, at.tape, func(element string) bool {
		if r.full(r.raw.Value, 0) {
			return false
		}
		body := at.bytes
		if element != "" {
			body = arena.Bytes(element)
		}
		r.element(body, r.said || at.said)
		return true
	})
	if r.docs == before {
		r.drop(f.Name)
	}
}

// element makes an alert, a reject or a drop of what the runner has at hand. said:
// see place.
func (r *record) element(body []byte, said bool) {
	n := r.n
	if !n.runner.IsAlert(r.format) {
		r.drop(r.format.Name)
		return
	}
	a := r.b.NextAlert()
	a.Tenant, a.Source, a.Format = n.src.Tenant, n.src.ID, r.format.Name
	f := n.runner.Fill(r.format, a, said)
	if f.Reason == 0 {
		f = r.finish(a, body)
	}
	if f.Reason != 0 {
		r.b.DropLastAlert()
		r.reject(body, f)
		return
	}
	r.docs++
}

// finish sets what every alert has in common, from what the format left.
func (r *record) finish(a *schema.Alert, body []byte) extract.Fault {
	if a.Created == 0 && r.raw.Time == 0 {
		if a.Created = r.raw.Received; a.Created == 0 {
			return extract.Fault{Reason: schema.ReasonMissingField, What: "no time"}
		}
	}
	a.Ingested = r.raw.Time
	a.Created = schema.ClampCreated(a.Created, a.Ingested)
	if a.Ingested == 0 {
		a.Ingested = a.Created
	}
	if a.Start == 0 {
		a.Start = a.Created
		if a.End != 0 {
			a.Start = min(a.Start, a.End)
		}
	}
	a.End = max(a.End, a.Start)
	if r.format.Partial {
		a.Updated = 1 // whatever tells the whole is newer
	}
	if a.VendorID == "" {
		a.VendorID = r.n.contentSum(body)
	}
	a.ID = schema.NewAlertID(a.Tenant, a.Source, a.VendorID)
	a.Content = xxh3.Hash(body)
	a.Raw = body
	a.RawRef = schema.RawRef{Topic: r.raw.Topic, Partition: r.raw.Partition, Offset: r.raw.Offset, Doc: r.docs}
	return extract.Fault{}
}

// contentSum is schema.ContentSum in the arena.
func (n *Normalizer) contentSum(b []byte) string {
	mark := len(n.arena.Buf)
	n.arena.Buf = schema.AppendContentSum(n.arena.Buf, b)
	return n.arena.From(mark)
}

// drop notes telemetry.
func (r *record) drop(format string) {
	r.b.Drops = append(r.b.Drops, schema.Drop{Raw: r.index, Doc: r.docs, Reason: schema.ReasonNotAnAlert, Detail: format})
	r.docs++
}

// maxQuote bounds what a reject's detail quotes.
const maxQuote = 64

func (r *record) reject(document []byte, f extract.Fault) {
	what := f.What
	if len(what) > maxQuote {
		what = what[:maxQuote]
	}
	r.b.Rejects = append(r.b.Rejects, schema.Reject{
		Raw: r.index, Doc: r.docs, Reason: f.Reason, Bytes: document,
		Detail: fmt.Sprintf("%s (offset %d)", what, f.At),
	})
	r.docs++
}
