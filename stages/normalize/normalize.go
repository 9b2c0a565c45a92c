package normalize

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Normalizer is the stage. It has no memory between batches. One per lane: it
// must not be used by two goroutines at once.
type Normalizer struct {
	cfg      Config
	formats  []format
	trie     *trie
	wrappers []uint16
	scanners [maxNesting]*scanner

	arena   arena
	inflate inflater

	src      *schema.Source // of the caches below
	allowed  []bool         // by format
	csv      bool
	attested uint32 // bit by entity type

	record record
	doc    doc
}

var _ stages.Stage = (*Normalizer)(nil)

// maxNesting is how deep lists and wrappers may hold each other; the innermost
// holds documents only.
const maxNesting = 4

// New compiles the formats. cfg must be valid.
func New(cfg Config) (*Normalizer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	n := &Normalizer{cfg: cfg, formats: builtin()}
	if cfg.Format != "" {
		n.formats = slices.DeleteFunc(n.formats, func(f format) bool { return f.Name != cfg.Format })
	}
	var err error
	if n.trie, n.wrappers, err = compile(n.formats); err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	n.allowed = make([]bool, len(n.formats))
	for i := range n.scanners {
		n.scanners[i] = newScanner(n.trie, &n.cfg, &n.arena)
	}
	return n, nil
}

// Process turns each of b.Raw into alerts, rejects and drops, in order, at least
// one of them per record. What it appends aliases b.Raw and memory of the
// Normalizer: it is valid until b.Reset or the next Process, whichever is first.
func (n *Normalizer) Process(ctx context.Context, b *schema.Batch) error {
	n.arena.reset()
	n.inflate.reset()
	n.src = nil // a source may have been changed in place
	for i := range b.Raw {
		if i&0xff == 0 && ctx.Err() != nil {
			return fmt.Errorf("normalize: %w", ctx.Err())
		}
		n.use(b.Raw[i].Source)
		n.record = record{n: n, b: b, raw: &b.Raw[i], index: int32(i)}
		n.record.read()
	}
	return nil
}

// CSV in Source.Formats says that the source's records are CSV with a header
// row. It is a container, not a format: the rows' formats may be listed beside it.
const CSV = "csv"

// use caches what a source says about its records.
func (n *Normalizer) use(src *schema.Source) {
	if src == n.src && src != nil {
		return
	}
	n.src, n.csv, n.attested = src, false, 0
	if src == nil {
		n.src = &schema.Source{}
	}
	named := 0
	for _, name := range n.src.Formats {
		if name == CSV {
			n.csv = true
		} else {
			named++
		}
	}
	for i := range n.formats {
		n.allowed[i] = named == 0 || slices.Contains(n.src.Formats, n.formats[i].Name)
	}
	for _, name := range n.src.Attests {
		if t, ok := schema.ParseEntityType(name); ok {
			n.attested |= 1 << t
		}
	}
}

// detect gives the index of the scanned document's format, or -1.
func (n *Normalizer) detect(s *scanner) int {
	for i := range n.formats {
		if n.formats[i].matches(s) {
			return i
		}
	}
	return -1
}

// make turns a scanned document into an alert.
func (r *record) make(s *scanner, format int, document []byte) {
	n := r.n
	f := &n.formats[format]
	if !n.allowed[format] {
		r.reject(document, fault{reason: schema.ReasonFormatNotAllowed, what: f.Name})
		return
	}
	n.doc = doc{n: n, f: f, s: s, bytes: document, src: n.src}
	d := &n.doc
	if !f.alert(d) {
		r.b.Drops = append(r.b.Drops, schema.Drop{Raw: r.index, Doc: r.docs, Reason: schema.ReasonNotAnAlert, Detail: f.Name})
		r.docs++
		return
	}
	a := r.b.NextAlert()
	d.a = a
	a.Tenant, a.Source, a.Format = n.src.Tenant, n.src.ID, f.Name
	f.fill(d, a)
	if d.fault.reason == 0 {
		r.finish(d, a)
	}
	if d.fault.reason != 0 {
		r.b.DropLastAlert()
		r.reject(document, d.fault)
		return
	}
	r.docs++
}

// finish sets what every alert has in common, from what fill left.
func (r *record) finish(d *doc, a *schema.Alert) {
	if a.Created == 0 && r.raw.Time == 0 {
		d.fault = fault{reason: schema.ReasonMissingField, what: "no time"}
		return
	}
	vendor := a.Created
	a.Ingested = r.raw.Time
	a.Created = schema.ClampCreated(vendor, a.Ingested)
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
	if a.Vendor == "" {
		a.Vendor = d.f.Vendor
	}
	if a.Product == "" {
		a.Product = d.f.product
	}
	if a.VendorID == "" {
		a.VendorID = d.n.contentSum(d.bytes)
	}
	a.ID = schema.NewAlertID(a.Tenant, a.Source, a.VendorID)
	a.Content = xxh3.Hash(d.bytes)
	a.Raw = d.bytes
	a.RawRef = schema.RawRef{Topic: r.raw.Topic, Partition: r.raw.Partition, Offset: r.raw.Offset, Doc: r.docs}
}

// contentSum is schema.ContentSum in the arena.
func (n *Normalizer) contentSum(b []byte) string {
	sum := sha256.Sum256(b)
	mark := len(n.arena.buf)
	n.arena.buf = hex.AppendEncode(n.arena.buf, sum[:16])
	return n.arena.from(mark)
}

// maxQuote bounds what a reject's detail quotes.
const maxQuote = 64

func (r *record) reject(document []byte, f fault) {
	what := f.what
	if len(what) > maxQuote {
		what = what[:maxQuote]
	}
	r.b.Rejects = append(r.b.Rejects, schema.Reject{
		Raw: r.index, Doc: r.docs, Reason: f.reason, Bytes: document,
		Detail: fmt.Sprintf("%s (offset %d)", what, f.at),
	})
	r.docs++
}
