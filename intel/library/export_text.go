package library

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"strings"
	"unicode"

	"github.com/interdict/interdict/schema"
)

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
