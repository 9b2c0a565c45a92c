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
	"strings"
	"unicode"

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

var errFull = errors.New("the export is full")

// Export writes the indicators that count and that the options admit, in order of
// feed, type, value and id. The same library and options give the same bytes. After a
// *Partial what was written is well formed, and done.Damaged says what it lacks.
func (l *Library) Export(ctx context.Context, o ExportOptions, w io.Writer) (done Exported, err error) {
	limit := l.cfg.ExportTLP
	if o.MaxTLP != nil {
		limit = *o.MaxTLP
	}
	done = Exported{Left: map[string]int{}, Doubted: map[string]int{}}
	if o.Doubtful && o.Format == ExportList {
		return done, errors.New("a list cannot say what does not count: stix and csv can")
	}
	out := bufio.NewWriterSize(w, 64<<10)
	var past *history // of STIX
	var link *linker
	stix := &stixExporter{w: out}
	defer func() {
		if past != nil {
			err = errors.Join(err, past.close())
		}
	}()
	var e exporter
	switch o.Format {
	case ExportSTIX:
		over, err := l.overlay()
		if err != nil {
			return done, fmt.Errorf("exporting: %w", err)
		}
		past = &history{l: l, over: over, now: o.At}
		link = &linker{l: l, to: stix, limit: limit, done: &done}
		e = stix
	case ExportCSV:
		e = &csvExporter{csv.NewWriter(out)}
	case ExportList:
		e = &listExporter{w: out}
	default:
		return done, fmt.Errorf("export format %q is unknown: want stix, csv or list", o.Format)
	}
	if err := e.begin(); err != nil {
		return done, fmt.Errorf("exporting: %w", err)
	}
	var secret secrets
	ask := examiner{index: o.Index, decay: o.Decay, subject: match.Subject{Tenant: o.Tenant, Created: o.At}, reader: match.NewReader()}
	v, err := l.each(ctx, o.Feeds, func(i schema.Indicator) error {
		why := o.leaves(&i, limit)
		if why == "" {
			why = e.leaves(&i)
		}
		against := doubt{}
		if why == "" {
			if against = ask.about(&i); against.kind != "" && !o.Doubtful {
				why = against.kind
			}
		}
		if why == "" && l.cfg.MaxExport > 0 && done.Written >= l.cfg.MaxExport {
			why = "more than " + strconv.Itoa(l.cfg.MaxExport)
		}
		if why != "" {
			done.Left[why]++
			return nil
		}
		if len(i.Threats) > 0 && e.tellsThreats() {
			if err := secret.hide(ctx, l, &i, limit); err != nil {
				return err
			}
		}
		done.Written++
		if against.kind != "" {
			done.Doubted[against.kind]++
		}
		b := beside{doubt: against.why}
		if past != nil {
			var err error
			if b.times, err = past.of(ctx, &i); err != nil {
				return err
			}
			if err := link.begin(ctx, i.Feed); err != nil {
				return err
			}
		}
		if err := e.put(&i, b); err != nil || link == nil {
			return err
		}
		return link.told(&i, stix.last, b)
	})
	lacks := &secret.lacks
	if err = lacks.Add(err); err == nil && link != nil {
		err = errors.Join(link.finish(ctx), lacks.Add(past.lacks.Err()), lacks.Add(link.lacks.Err()))
	}
	if err = lacks.Add(err); err == nil {
		err = e.end()
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return done, fmt.Errorf("exporting: %w", err)
	}
	done.Version, done.Damaged = v, lacks.Damaged
	return done, lacks.Err()
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

// maxSeen bounds the values that a list remembers: in a longer one some may stand
// twice.
const maxSeen = 8_000_000

type listExporter struct {
	w    *bufio.Writer
	seen map[digest]bool
}

func (e *listExporter) begin() error { e.seen = map[digest]bool{}; return nil }
func (e *listExporter) end() error   { return nil }

func (e *listExporter) tellsThreats() bool { return false }

func (e *listExporter) leaves(i *schema.Indicator) string {
	if strings.ContainsAny(i.Value, "\r\n") {
		return "has more than one line"
	}
	return ""
}

func (e *listExporter) put(i *schema.Indicator, _ beside) error {
	d := digestOf(i.Value)
	if e.seen[d] {
		return nil
	}
	if len(e.seen) < maxSeen {
		e.seen[d] = true
	}
	_, err := e.w.WriteString(i.Value + "\n")
	return err
}

type csvExporter struct{ w *csv.Writer }

func (e *csvExporter) begin() error {
	return e.w.Write([]string{"type", "value", "feed", "id", "verdict", "severity", "wish", "confidence", "rank", "tlp", "tenant", "exact", "valid_from", "valid_until", "fresh", "labels", "threats", "doubt"})
}

func (e *csvExporter) tellsThreats() bool { return true }

func (e *csvExporter) leaves(*schema.Indicator) string { return "" }

func (e *csvExporter) end() error {
	e.w.Flush()
	return e.w.Error()
}

func (e *csvExporter) put(i *schema.Indicator, b beside) error {
	when := func(m schema.Millis) string {
		if m == 0 {
			return ""
		}
		return m.String()
	}
	threats := make([]string, len(i.Threats))
	for n, t := range i.Threats {
		threats[n] = t.Kind.String() + ":" + t.Name
	}
	row := []string{i.Type.String(), i.Value, i.Feed, i.ID, i.Verdict.String(), i.Severity.String(), i.Wish.String(), strconv.Itoa(int(i.Confidence)), strconv.Itoa(int(i.Rank)),
		i.TLP.String(), i.Tenant, strconv.FormatBool(i.Exact), when(i.ValidFrom), when(i.ValidUntil), when(i.Fresh), strings.Join(i.Labels, ";"), strings.Join(threats, ";"), b.doubt}
	for n, cell := range row {
		cell = harmless(cell)
		row[n] = cell
		// What a spreadsheet would take for a formula becomes text.
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row[n] = "'" + cell
		}
	}
	return e.w.Write(row)
}

// harmless takes out what a terminal would obey, such as in a label: an export is looked
// at there, too. No value of an indicator has it.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}
