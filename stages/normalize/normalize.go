package normalize

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
	"github.com/interdict/interdict/stages/normalize/mapping"
	"github.com/interdict/interdict/stages/normalize/syntax"
)

// Normalizer is the stage. It has no memory between batches. One per lane: it
// must not be used by two goroutines at once.
type Normalizer struct {
	cfg     Config
	limits  extract.Limits
	formats *Formats

	lib      *library // the state of formats that the fields below are made for
	scanners [maxNesting]*extract.Scanner
	text     *syntax.Reader
	runner   *mapping.Runner

	arena   arena.Arena
	inflate inflater

	src     *schema.Source // of the caches below
	allowed []bool         // by format
	csv     bool
	trust   mapping.Trust
	zone    *time.Location
	zones   map[string]*time.Location

	record  record
	explain func(format *mapping.Format, step mapping.Step)
}

var _ stages.Stage = (*Normalizer)(nil)

// maxNesting is how deep lists and envelopes may hold each other; the innermost
// holds documents only.
const maxNesting = 5

// New gives a stage that reads f. cfg must be valid.
func New(cfg Config, f *Formats) (*Normalizer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	n := &Normalizer{cfg: cfg, formats: f, zones: map[string]*time.Location{}}
	n.limits = extract.Limits{MaxDepth: cfg.MaxDepth, MaxKeys: cfg.MaxKeys, MaxString: cfg.MaxString, MaxDocument: cfg.MaxDocument}
	n.take(f.current.Load())
	return n, nil
}

// take puts a state of the formats in force.
func (n *Normalizer) take(l *library) {
	n.lib = l
	for i := range n.scanners {
		n.scanners[i] = extract.NewScanner(l.set.Trie, &n.limits, &n.arena)
	}
	n.text = syntax.New(l.set.Trie, &n.limits, &n.arena)
	n.runner = mapping.NewRunner(l.set, &n.arena, n.cfg.MaxEntities)
	n.allowed = make([]bool, len(l.set.Formats))
	n.src = nil
	n.Explain(n.explain)
}

// Explain has tell called with everything a rule does, while Process runs. nil
// ends it.
func (n *Normalizer) Explain(tell func(format *mapping.Format, step mapping.Step)) {
	n.explain = tell
	n.runner.Trace = nil
	if tell != nil {
		n.runner.Trace = func(s mapping.Step) { tell(n.record.format, s) }
	}
}

// Process turns each of b.Raw into alerts, rejects and drops, in order, at least
// one of them per record. What it appends aliases b.Raw and memory of the
// Normalizer: it is valid until b.Reset or the next Process, whichever is first.
func (n *Normalizer) Process(ctx context.Context, b *schema.Batch) error {
	if l := n.formats.current.Load(); l != n.lib {
		n.take(l)
	}
	n.arena.Reset()
	n.inflate.reset()
	n.src = nil // a source may have been changed in place
	for i := range b.Raw {
		if i&0xff == 0 && ctx.Err() != nil {
			return fmt.Errorf("normalize: %w", ctx.Err())
		}
		if err := n.use(b.Raw[i].Source); err != nil {
			return err
		}
		n.runner.For(&n.trust, n.zone, max(b.Raw[i].Time, b.Raw[i].Received))
		n.record = record{n: n, b: b, raw: &b.Raw[i], index: int32(i)}
		n.record.read()
	}
	return nil
}

// CSV in Source.Formats says that the source's records are CSV with a header
// row. It is a container, not a format: the rows' formats may be listed beside it.
const CSV = "csv"

// use caches what a source says about its records.
func (n *Normalizer) use(src *schema.Source) error {
	if src == n.src && src != nil {
		return nil
	}
	n.src, n.csv, n.zone, n.trust = src, false, nil, mapping.Trust{}
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
	for i := range n.allowed {
		n.allowed[i] = named == 0 || slices.Contains(n.src.Formats, n.lib.set.Formats[i].Name)
	}
	for _, field := range n.src.Attests {
		kind, role, ok := ParseAttested(field)
		switch {
		case !ok:
		case role == nil:
			n.trust[kind] = 0xff
		default:
			n.trust[kind] |= 1 << *role
		}
	}
	if z := n.src.Zone; z != "" {
		loc := n.zones[z]
		if loc == nil {
			var err error
			if loc, err = time.LoadLocation(z); err != nil {
				return stages.Permanent(fmt.Errorf("normalize: zone of source %s: %w", n.src.ID, err))
			}
			n.zones[z] = loc
		}
		n.zone = loc
	}
	return nil
}

// ParseAttested reads one of Source.Attests: an entity type, as "host", or a type
// in one role, as "ip:sensor". role is nil for any.
func ParseAttested(field string) (kind schema.EntityType, role *schema.Role, ok bool) {
	name, in, one := strings.Cut(field, ":")
	if kind, ok = schema.ParseEntityType(name); !ok || !one {
		return kind, nil, ok
	}
	for r := schema.RoleRelated; r <= schema.RoleC2; r++ {
		if r.String() == in {
			return kind, &r, true
		}
	}
	return kind, nil, false
}
