package parse

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// cells are the texts of one row by what they hold.
type cells [columns]string

// row takes the indicators of a row of a CSV or a flat object: those that its value
// names, and the other digests of the same file.
//
// A time that could be two (03/04/2021) is not guessed. As the end of an indicator's
// validity it costs the row where the settings name the column: nothing lives longer
// than its feed says. Otherwise the row is taken without it, and the first such row of
// a column is refused by the name of the column, so that somebody sees it.
func (r *reader) row(n int, c *cells, digests []string, told *[columns]bool) error {
	text := trimmed(c[colValue])
	if text == "" {
		return r.refuse(n, "", errEmpty)
	}
	values, err := r.typed(c[colType], text)
	if err != nil {
		return r.refuse(n, text, err)
	}
	if r.feed.IDsOnly && (c[colIDs] == "0" || strings.EqualFold(c[colIDs], "false")) {
		return r.refuse(n, text, errNotIDs)
	}
	s := fact.Said{Indicator: r.indicator("", schema.Observable{})}
	if ok, err := r.described(n, &s.Indicator, c, told); !ok || err != nil {
		return err
	}
	for _, d := range digests {
		if o, err := fileHash(trimmed(d)); err == nil && !slices.Contains(values, o) {
			values = append(values, o)
		}
	}
	for _, o := range values {
		one := s // each has its own copy of what a sink may change
		one.ID, one.Type, one.Value = r.derivedID(o), o.Type, o.Value
		one.Labels, one.Threats = slices.Clone(s.Labels), slices.Clone(s.Threats)
		if _, err := r.said(n, text, one); err != nil {
			return err
		}
	}
	return nil
}

// described reads what a row says of its values. ok is false for a row that was
// refused.
func (r *reader) described(n int, i *schema.Indicator, c *cells, told *[columns]bool) (ok bool, err error) {
	text := c[colValue]
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
			return false, r.refuse(n, text, fmt.Errorf("TLP %q is none: who may see the value is not guessed", cut(mark, 32)))
		}
		i.TLP = t
	}
	for l := range labelsIn(c[colLabel]) {
		i.Labels = addLabels(i.Labels, l)
	}
	i.Threats = addThreat(i.Threats, schema.ThreatMalware, c[colMalware])
	i.Threats = addThreat(i.Threats, schema.ThreatActor, c[colActor])

	for _, at := range [...]struct {
		col column
		to  *schema.Millis
	}{{colFirst, &i.ValidFrom}, {colUntil, &i.ValidUntil}, {colSeen, &i.Fresh}} {
		when := strings.TrimSpace(c[at.col])
		if when == "" || unset(when) {
			continue
		}
		t, ok := rowTime(when)
		switch {
		case ok:
			*at.to = t
		case at.col == colUntil && r.feed.CSV.Until != "":
			return false, r.refuse(n, text, fmt.Errorf("column until: %q is no time, or could be two", cut(when, 40)))
		case !told[at.col]:
			told[at.col] = true
			reason := fmt.Errorf("column %s: no time, or one that could be two: rows are taken without it, here and below", at.col)
			if err := r.refuse(n, when, reason); err != nil {
				return false, err
			}
		}
	}
	if r.feed.CSV.First == "" && i.ValidUntil != 0 && i.ValidUntil <= i.ValidFrom {
		i.ValidFrom = 0 // it ended when it began
	}
	i.Fresh = r.past(i.Fresh)
	return true, nil
}

// maxLabelText bounds the labels of one row together, in bytes.
const maxLabelText = 4 << 10

// withLabels gives the text of a row's labels with more of them.
func withLabels(text, more string) string {
	switch {
	case more == "" || len(text) >= maxLabelText:
		return text
	case text != "":
		more = text + "," + more
	}
	return cut(more, maxLabelText)
}

// labelsIn lists the labels in a text.
func labelsIn(text string) iter.Seq[string] {
	return strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == '|' })
}

// firstNumber is the least number of seconds since 1970 that is taken for a time: of
// 1973. A smaller one is rather a year, or the beginning of a date that was cut off.
const firstNumber schema.Millis = 100_000_000_000

// rowTime reads a time that says at least year, month and day.
func rowTime(when string) (schema.Millis, bool) {
	t, ok := canon.ParseTime(when)
	switch {
	case !ok:
		return 0, false
	case t < firstNumber && strings.Trim(when, "0123456789.") == "":
		return 0, false
	case len(when) == len("2026-01-1") && when[4] == '-' && when[5] == '0' && when[7] == '-': // its month has two digits, so the day had
		return 0, false
	}
	return t, true
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

// typed makes observables of a value by the feed's word for its type, or by its looks
// where there is none. A value that is plainly of another kind than its row says, such
// as an address with a port in a row of addresses, is what it looks like where that
// says less than the row.
func (r *reader) typed(typ, text string) ([]schema.Observable, error) {
	if typ = strings.TrimSpace(typ); typ == "" {
		return observables(text)
	}
	t, ok := typeNamed(typ)
	switch {
	case !ok, strings.IndexByte(typ, '|') >= 0 && strings.IndexByte(text, '|') >= 0:
		return mispTyped(typ, text)
	case t == schema.ObservableUnknown:
		return observables(text)
	}
	o, err := Value(t, text)
	if err == nil {
		return []schema.Observable{o}, nil
	}
	if _, rest, ok := labelled(text); ok && t == schema.ObservableHash { // "SHA256: ..."
		text = rest
	}
	list, no := observables(text)
	if no != nil {
		return nil, err
	}
	for _, o := range list {
		if !narrows(o.Type, t) {
			return nil, err
		}
	}
	return list, nil
}

// narrows reports whether a value by its looks says no more than a type that its row
// names.
func narrows(looks, named schema.ObservableType) bool {
	switch named {
	case schema.ObservableHash:
		return looks == schema.ObservableHash
	case schema.ObservableIP, schema.ObservableCIDR, schema.ObservableSocket, schema.ObservableDomain, schema.ObservableURL, schema.ObservableURLPath:
		switch looks {
		case schema.ObservableIP, schema.ObservableCIDR, schema.ObservableSocket, schema.ObservableURL, schema.ObservableURLPrefix:
			return true
		}
		return looks == named
	}
	return false
}

// mispTyped makes observables by MISP's names of types, some of which are of two
// values: "filename|sha256".
func mispTyped(typ, text string) (list []schema.Observable, err error) {
	values, ok := mispValues(strings.ToLower(typ), text)
	if !ok {
		return nil, fmt.Errorf("type %s %w", strconv.Quote(cut(typ, 40)), errTyped)
	}
	for _, v := range values {
		o, no := Value(v.typ, v.text)
		if no != nil {
			err = no
			continue
		}
		list = append(list, o)
	}
	if len(list) > 0 {
		return list, nil
	}
	return nil, err
}
