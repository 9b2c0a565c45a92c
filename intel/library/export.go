package library

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
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
	// At leaves out what is not valid then. Zero: nothing is left out for that.
	At schema.Millis
	// Listed takes entries of benign lists too.
	Listed bool
}

// Exported counts what an export wrote and why it left out the rest. Of feeds that are
// damaged it has what they said before, or nothing; of one whose objects are, no threats.
type Exported struct {
	Version Version        `json:"version"`
	Written int            `json:"written"`
	Left    map[string]int `json:"left_out,omitempty"`
	Damaged []Damage       `json:"damaged,omitempty"`
}

var errFull = errors.New("the export is full")

// Export writes the indicators that count and that the options admit, in order of
// feed, type, value and id. The same library and options give the same bytes. After a
// *Partial what was written is well formed, and done.Damaged says what it lacks.
func (l *Library) Export(ctx context.Context, o ExportOptions, w io.Writer) (Exported, error) {
	limit := l.cfg.ExportTLP
	if o.MaxTLP != nil {
		limit = *o.MaxTLP
	}
	done := Exported{Left: map[string]int{}}
	out := bufio.NewWriterSize(w, 64<<10)
	var e exporter
	switch o.Format {
	case ExportSTIX:
		e = &stixExporter{w: out}
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
	v, err := l.each(ctx, o.Feeds, func(i schema.Indicator) error {
		why := o.leaves(&i, limit)
		if why == "" {
			why = e.leaves(&i)
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
		return e.put(&i)
	})
	lacks := &secret.lacks
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
	case o.At != 0 && (i.ValidFrom != 0 && o.At < i.ValidFrom || i.ValidUntil != 0 && o.At >= i.ValidUntil):
		return "not valid at the time"
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
	put(i *schema.Indicator) error
	end() error
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

// leaves keeps a list to what is bad, since its readers block what stands in it; the
// entries of benign lists stand there only if they are asked for.
func (e *listExporter) leaves(i *schema.Indicator) string {
	switch {
	case strings.ContainsAny(i.Value, "\r\n"):
		return "has more than one line"
	case i.Wish == schema.WishAllow:
		return "allowed: a list cannot say so"
	case i.Verdict != schema.VerdictMalicious && i.Verdict != schema.VerdictSuspicious && !i.Listed:
		return i.Verdict.String() + ": a list cannot say so"
	}
	return ""
}

func (e *listExporter) put(i *schema.Indicator) error {
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
	return e.w.Write([]string{"type", "value", "feed", "id", "verdict", "severity", "wish", "confidence", "rank", "tlp", "tenant", "exact", "valid_from", "valid_until", "fresh", "labels", "threats"})
}

func (e *csvExporter) tellsThreats() bool { return true }

func (e *csvExporter) leaves(*schema.Indicator) string { return "" }

func (e *csvExporter) end() error {
	e.w.Flush()
	return e.w.Error()
}

func (e *csvExporter) put(i *schema.Indicator) error {
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
		i.TLP.String(), i.Tenant, strconv.FormatBool(i.Exact), when(i.ValidFrom), when(i.ValidUntil), when(i.Fresh), strings.Join(i.Labels, ";"), strings.Join(threats, ";")}
	for n, cell := range row {
		// What a spreadsheet would take for a formula becomes text.
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row[n] = "'" + cell
		}
	}
	return e.w.Write(row)
}

// jsonText writes a value the way all of a bundle is written: without HTML escapes.
func jsonText(w *bufio.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
