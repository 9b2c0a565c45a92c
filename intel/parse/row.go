package parse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// cells are the texts of one row by what they hold.
type cells [columns]string

// row takes an indicator from a row of a CSV or a flat object.
//
// A time that could be two (03/04/2021) is not guessed. As the end of an
// indicator's validity it costs the row: nothing lives longer than its feed says.
// Otherwise the row is taken without it, and the first such row of a column is
// refused by the name of the column, so that somebody sees it.
func (r *reader) row(n int, c *cells, told *[columns]bool) error {
	text := strings.TrimSpace(c[colValue])
	if text == "" {
		return r.refuse(n, "", errEmpty)
	}
	o, err := r.typed(c[colType], text)
	if err != nil {
		return r.refuse(n, text, err)
	}
	s := fact.Said{Indicator: r.indicator(r.derivedID(o), o)}
	i := &s.Indicator
	if v, ok := verdictNamed(c[colVerdict]); ok {
		i.Verdict = v
	}
	if v, ok := canon.Severity(strings.TrimSpace(c[colSeverity])); ok {
		i.Severity = v
	}
	if v, ok := canon.Confidence(strings.TrimSpace(c[colConfidence])); ok {
		i.Confidence = min(v, 100)
	}
	if mark := strings.TrimSpace(c[colTLP]); mark != "" {
		t, ok := tlpNamed(mark)
		if !ok {
			return r.refuse(n, text, fmt.Errorf("TLP %q is none: who may see the value is not guessed", cut(mark, 32)))
		}
		i.TLP = t
	}
	for l := range strings.FieldsFuncSeq(c[colLabel], func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
		i.Labels = addLabels(i.Labels, l)
	}
	i.Threats = addThreat(i.Threats, schema.ThreatMalware, c[colMalware])
	i.Threats = addThreat(i.Threats, schema.ThreatActor, c[colActor])

	if when := strings.TrimSpace(c[colUntil]); when != "" && !unset(when) {
		t, ok := canon.ParseTime(when)
		if !ok {
			return r.refuse(n, text, fmt.Errorf("column until: %q is no time, or could be two", cut(when, 40)))
		}
		i.ValidUntil = t
	}
	for _, at := range [...]struct {
		col column
		to  *schema.Millis
	}{{colFirst, &i.ValidFrom}, {colSeen, &i.Fresh}} {
		when := strings.TrimSpace(c[at.col])
		if when == "" || unset(when) {
			continue
		}
		t, ok := canon.ParseTime(when)
		if !ok {
			if !told[at.col] {
				told[at.col] = true
				reason := fmt.Errorf("column %s: no time, or one that could be two: rows are taken without it, here and below", at.col)
				if err := r.refuse(n, when, reason); err != nil {
					return err
				}
			}
			continue
		}
		*at.to = t
	}
	i.Fresh = r.past(i.Fresh)
	_, err = r.said(n, text, s)
	return err
}

// unset reports words for a time that is not known.
func unset(s string) bool {
	switch strings.ToLower(s) {
	case "-", "none", "null", "n/a", "na", "never", "unknown", "0":
		return true
	}
	return strings.HasPrefix(s, "9999-") // for ever
}

func addThreat(to []schema.Threat, kind schema.ThreatKind, name string) []schema.Threat {
	if name = cut(strings.TrimSpace(name), maxName); name == "" || unset(name) || len(to) >= maxThreats {
		return to
	}
	return append(to, schema.Threat{Kind: kind, Name: name})
}

// errTyped refuses a kind of value that is not matched.
var errTyped = errors.New("is no type that is matched")

// typed makes an observable of a value by the feed's word for its type, or by its
// looks where there is none.
func (r *reader) typed(typ, text string) (schema.Observable, error) {
	if typ = strings.TrimSpace(typ); typ == "" {
		return Recognize(text)
	}
	t, ok := typeNamed(typ)
	if !ok {
		return schema.Observable{}, fmt.Errorf("type %s %w", strconv.Quote(cut(typ, 40)), errTyped)
	}
	if t == schema.ObservableUnknown {
		return Recognize(text)
	}
	return Value(t, text)
}
