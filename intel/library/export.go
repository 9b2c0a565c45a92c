package library

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// ExportFormat is a form that indicators are given to others in.
type ExportFormat string

// Forms.
const (
	ExportSTIX ExportFormat = "stix" // a STIX 2.1 bundle
	ExportCSV  ExportFormat = "csv"
	ExportList ExportFormat = "list" // one value a line
)

// ExportOptions say what is exported.
type ExportOptions struct {
	Format ExportFormat
	Feeds  []string                // empty: all
	Types  []schema.ObservableType // empty: all
	// MaxTLP is the most secret marking; nil: Config.ExportTLP.
	MaxTLP *schema.TLP
	// Tenant for whom it is. Indicators of a tenant are given to nobody else, bound
	// ones only to their tenant.
	Tenant string
	// MinConfidence leaves out what is less sure, by the confidence at Fresh.
	MinConfidence uint8
	// At is the time at which what is exported counts: it is judged as for an alert of
	// then and of Tenant.
	At schema.Millis
	// Index is of all that may speak against an indicator: benign lists, what is allowed,
	// feeds of a higher rank. Nil: only what an indicator says itself is asked.
	Index *match.Index
	Decay match.Decay
	// Listed takes entries of benign lists too.
	Listed bool
	// Doubtful takes what does not count too, and says with each why it does not. A list
	// cannot say so.
	Doubtful bool
}

// Exported counts what an export wrote and why it left out the rest. Of feeds that are
// damaged it has what they said before, or nothing; of one whose objects are, no threats.
type Exported struct {
	Version Version        `json:"version"`
	Written int            `json:"written"`            // indicators
	Doubted map[string]int `json:"doubted,omitempty"`  // of these, why they do not count
	Left    map[string]int `json:"left_out,omitempty"` // indicators, by why
	// What is behind the indicators that were written, which STIX alone tells.
	Objects    int            `json:"objects,omitzero"`
	Relations  int            `json:"relations,omitzero"`
	LeftThings map[string]int `json:"objects_left_out,omitempty"` // objects and relations of feeds of which something was written, by why
	Damaged    []Damage       `json:"damaged,omitempty"`
}

// Export writes the indicators that count and that the options admit, in order of
// feed, type, value and id. The same library and options give the same bytes. After a
// *Partial what was written is well formed, and done.Damaged says what it lacks.
func (l *Library) Export(ctx context.Context, o ExportOptions, w io.Writer) (_ Exported, err error) {
	x := exporting{l: l, o: &o, limit: l.cfg.ExportTLP, done: Exported{Left: map[string]int{}, Doubted: map[string]int{}}}
	if o.MaxTLP != nil {
		x.limit = *o.MaxTLP
	}
	out := bufio.NewWriterSize(w, 64<<10)
	if err := x.begin(out); err != nil {
		return x.done, fmt.Errorf("exporting: %w", err)
	}
	defer func() {
		if x.past != nil {
			err = errors.Join(err, x.past.close())
		}
	}()
	v, err := l.each(ctx, o.Feeds, func(i schema.Indicator) error { return x.take(ctx, &i) })
	lacks := &x.secret.lacks
	if err = lacks.Add(err); err == nil && x.stix != nil {
		err = errors.Join(x.link.finish(ctx), lacks.Add(x.past.lacks.Err()), lacks.Add(x.link.lacks.Err()))
	}
	if err == nil {
		err = x.e.end()
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return x.done, fmt.Errorf("exporting: %w", err)
	}
	x.done.Version, x.done.Damaged = v, lacks.Damaged
	return x.done, lacks.Err()
}

// exporting is one export.
type exporting struct {
	l      *Library
	o      *ExportOptions
	limit  schema.TLP // the most secret marking
	e      exporter
	ask    examiner
	secret secrets
	done   Exported

	stix *stixExporter // nil in other forms, and so are these:
	past *history
	link *linker
}

func (x *exporting) begin(out *bufio.Writer) error {
	switch x.o.Format {
	case ExportSTIX:
		over, err := x.l.overlay()
		if err != nil {
			return err
		}
		x.stix = &stixExporter{w: out}
		x.e, x.past = x.stix, &history{l: x.l, over: over, now: x.o.At}
		x.link = &linker{l: x.l, to: x.stix, limit: x.limit, done: &x.done}
	case ExportCSV:
		x.e = &csvExporter{csv.NewWriter(out)}
	case ExportList:
		if x.o.Doubtful {
			return errors.New("a list cannot say what does not count: stix and csv can")
		}
		x.e = &listExporter{w: out}
	default:
		return fmt.Errorf("export format %q is unknown: want stix, csv or list", x.o.Format)
	}
	x.ask = examiner{index: x.o.Index, decay: x.o.Decay, subject: match.Subject{Tenant: x.o.Tenant, Created: x.o.At}, reader: match.NewReader()}
	return x.e.begin()
}

// take writes an indicator or counts why it is left out.
func (x *exporting) take(ctx context.Context, i *schema.Indicator) (err error) {
	why := x.o.leaves(i, x.limit)
	if why == "" {
		why = x.e.leaves(i)
	}
	against := doubt{}
	if why == "" {
		if against = x.ask.about(i); !x.o.Doubtful {
			why = against.kind
		}
	}
	if most := x.l.cfg.MaxExport; why == "" && most > 0 && x.done.Written >= most {
		why = "more than " + strconv.Itoa(most)
	}
	if why != "" {
		x.done.Left[why]++
		return nil
	}
	if len(i.Threats) > 0 && x.e.tellsThreats() {
		if err := x.secret.hide(ctx, x.l, i, x.limit); err != nil {
			return err
		}
	}
	x.done.Written++
	if against.kind != "" {
		x.done.Doubted[against.kind]++
	}
	b := beside{doubt: against.why}
	if x.stix == nil {
		return x.e.put(i, b)
	}
	if b.times, err = x.past.of(ctx, i); err == nil {
		err = x.link.begin(ctx, i.Feed)
	}
	if err == nil {
		err = x.e.put(i, b)
	}
	if err == nil {
		err = x.link.told(i, x.stix.last, b)
	}
	return err
}

// leaves tells why an indicator is left out; empty if it is not.
func (o *ExportOptions) leaves(i *schema.Indicator, limit schema.TLP) string {
	switch {
	case len(o.Feeds) > 0 && !slices.Contains(o.Feeds, i.Feed):
		return "other feed"
	case len(o.Types) > 0 && !slices.Contains(o.Types, i.Type):
		return "other type"
	case i.Tenant != "" && i.Tenant != o.Tenant, i.TLP.Bound() && o.Tenant == "":
		return "belongs to a tenant"
	case i.TLP.Secrecy() > limit.Secrecy():
		return "tlp " + i.TLP.String()
	case i.Listed && !o.Listed:
		return "entry of a benign list"
	case i.Confidence < o.MinConfidence:
		return "confidence"
	}
	return ""
}

// secrets are the threats of one feed whose own marking is more secret than what is
// exported: an indicator may be everybody's while the report it stands in is not.
type secrets struct {
	feed  string
	ids   map[digest]bool
	all   bool    // which they are cannot be read
	lacks Partial // feeds of which that is so
}

// hide takes secret threats off an indicator. Indicators come feed by feed.
func (s *secrets) hide(ctx context.Context, l *Library, i *schema.Indicator, limit schema.TLP) error {
	if s.ids == nil || s.feed != i.Feed {
		s.feed, s.ids, s.all = i.Feed, map[digest]bool{}, false
		err := l.things(ctx, i.Feed, func(t *thing) {
			if t.Object != nil && t.Object.TLP.Secrecy() > limit.Secrecy() {
				s.ids[digestOf(t.Object.ID)] = true
			}
		})
		s.all = err != nil
		if err := s.lacks.take(i.Feed, err); err != nil {
			return err
		}
	}
	if s.all {
		i.Threats = nil
	}
	if len(s.ids) > 0 {
		i.Threats = slices.DeleteFunc(slices.Clone(i.Threats), func(t schema.Threat) bool { return t.ID != "" && s.ids[digestOf(t.ID)] })
	}
	return nil
}

// exporter writes one form. leaves tells what the form cannot say, tellsThreats
// whether it names threats.
type exporter interface {
	begin() error
	tellsThreats() bool
	leaves(i *schema.Indicator) string
	put(i *schema.Indicator, b beside) error
	end() error
}

// beside is what an export says of an indicator that is none of its fields.
type beside struct {
	doubt string // why it does not count; empty: it does
	times        // of STIX
}
