package parse

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
)

// sample is how many records are looked at to find the column of the values.
const sample = 32

// errColumn refuses a row in which nothing is a value.
var errColumn = errors.New("no field is a value that can be matched")

// table reads rows once their columns are known.
type table struct {
	r      *reader
	at     [columns]int // place of each column, -1: none
	typ    schema.ObservableType
	labels []int   // places of further columns of labels
	values []place // of the columns of values, by their names; a row may have its value in any
	told   [columns]bool
}

// place is a column that is named after a kind of value.
type place struct {
	i    int
	kind schema.ObservableType // unknown: of any
}

// csv reads records by the feed's mapping, or by their header, or by their looks.
func (r *reader) csv(br *bufio.Reader) error {
	comma, err := r.comma(br)
	if err != nil {
		return err
	}
	in := newRecords(br, comma, r.feed.CSV.Comment)
	var first [][]string
	var lineOf []int
	for len(first) < sample {
		f, ok, err := in.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if in.bad != nil {
			if err := r.refuse(in.line, strings.Join(f, string(comma)), in.bad); err != nil {
				return err
			}
			continue
		}
		first, lineOf = append(first, f), append(lineOf, in.line)
	}
	if len(first) == 0 {
		return nil
	}
	t, skip, err := r.table(first, in.last, comma)
	if err != nil {
		return err
	}
	for i := skip; i < len(first); i++ {
		if err := t.row(lineOf[i], first[i]); err != nil {
			return err
		}
	}
	for {
		f, ok, err := in.next()
		if err != nil || !ok {
			return err
		}
		if in.bad != nil {
			err = r.refuse(in.line, strings.Join(f, string(comma)), in.bad)
		} else {
			err = t.row(in.line, f)
		}
		if err != nil {
			return err
		}
	}
}

// table decides where the columns are and how many of the first records are no rows.
func (r *reader) table(first [][]string, comment string, comma byte) (*table, int, error) {
	t := &table{r: r}
	for i := range t.at {
		t.at[i] = -1
	}
	header, skip := r.header(first, comment, comma)
	if err := t.mapped(header); err != nil {
		return nil, 0, err
	}
	if t.at[colValue] >= 0 {
		return t, skip, nil
	}
	t.named(header)
	if t.at[colType] >= 0 && !t.types(first[skip:]) {
		t.labels = append(t.labels, t.at[colType])
		t.at[colType] = -1
	}
	for k, v := range t.values {
		if values(first[skip:], v.i) == 0 {
			continue
		}
		t.values[0], t.values[k] = v, t.values[0]
		t.at[colValue] = v.i
		// A column named after a kind that looks like another says the kind.
		if t.at[colType] < 0 && v.kind > schema.ObservableEmail {
			t.typ = v.kind
		}
		return t, skip, nil
	}
	if len(t.values) > 0 {
		t.at[colValue] = t.values[0].i
	}
	best := 0
	for i := range first[0] {
		if n := values(first[skip:], i); n > best {
			best, t.at[colValue], t.values = n, i, nil // the names mean something else
		}
	}
	return t, skip, nil
}

// named places columns by what their headers say. Digests in a list of certificates
// are theirs: only SSLBL calls a column the reason of listing.
func (t *table) named(header []string) {
	certificates := false
	for i, name := range header {
		c := columnNamed(name)
		certificates = certificates || word(name) == "listingreason"
		switch {
		case c == colNone:
		case c == colValue:
			kind, _ := typeNamed(name)
			if word(name) != "link" || len(t.values) == 0 { // beside values it says where to read of them
				t.values = append(t.values, place{i, kind})
			}
		case t.at[c] < 0 || c == colMalware && word(name) == "malwareprintable":
			t.at[c] = i
		case c == colLabel:
			t.labels = append(t.labels, i)
		}
	}
	for k := range t.values {
		if v := &t.values[k]; certificates && v.kind == schema.ObservableHash {
			v.kind = schema.ObservableCertificate
		}
	}
}

// types reports whether a column that is called one of types is one.
func (t *table) types(rows [][]string) bool {
	any := false
	for _, f := range rows {
		if i := t.at[colType]; i < len(f) && strings.TrimSpace(f[i]) != "" {
			any = true
			_, known := typeNamed(f[i])
			_, pair := mispValues(strings.ToLower(strings.TrimSpace(f[i])), "")
			if known || pair || isOtherKind(f[i]) {
				return true
			}
		}
	}
	return !any
}

// values counts the records whose field i is a value.
func values(rows [][]string, i int) (n int) {
	for _, f := range rows {
		if i < len(f) {
			if _, err := observables(f[i]); err == nil {
				n++
			}
		}
	}
	return n
}

// header gives the names of the columns and how many records they took. They may
// stand in the last comment before the rows.
func (r *reader) header(first [][]string, comment string, comma byte) (names []string, skip int) {
	switch r.feed.CSV.Header {
	case "yes":
		return first[0], 1
	case "no":
		return nil, 0
	}
	known := false
	for _, s := range first[0] {
		if _, err := observables(s); err == nil {
			known = false
			break
		}
		known = known || columnNamed(s) != colNone || r.names(s)
	}
	if known {
		return first[0], 1
	}
	in := newRecords(bufio.NewReader(strings.NewReader(comment)), comma, "")
	if f, ok, err := in.next(); err == nil && ok && len(f) == len(first[0]) && len(f) > 1 {
		for _, s := range f {
			if columnNamed(s) != colNone || r.names(s) {
				return f, 0
			}
		}
	}
	return nil, 0
}

// settings gives what the feed's settings say of each column.
func (r *reader) settings() [columns]string {
	c := r.feed.CSV
	return [columns]string{"", c.Value, c.Type, c.Verdict, c.Severity, c.Confidence, c.TLP, c.Label, c.Malware, c.Actor, c.First, c.Until, c.Seen, ""}
}

// names reports whether the settings speak of a column by this header.
func (r *reader) names(header string) bool {
	for _, s := range r.settings() {
		if s != "" && strings.EqualFold(s, strings.TrimSpace(header)) {
			return true
		}
	}
	return false
}

// mapped places the columns that the settings name, by header or number.
func (t *table) mapped(header []string) error {
	for c, name := range t.r.settings() {
		if name == "" {
			continue
		}
		for i, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), name) {
				t.at[c] = i
				break
			}
		}
		if t.at[c] >= 0 {
			continue
		}
		n, err := strconv.Atoi(name)
		if err != nil || n < 1 || n > maxFields {
			return fmt.Errorf("csv: column %s: no header is %q, and it is no number from 1", column(c), name)
		}
		t.at[c] = n - 1
	}
	return nil
}

// row takes one record.
func (t *table) row(line int, f []string) error {
	if t.at[colValue] < 0 {
		return t.r.refuse(line, strings.Join(f, ","), errColumn)
	}
	var c cells
	for col, i := range t.at {
		if i >= 0 && i < len(f) {
			c[col] = f[i]
		}
	}
	kind, digests := t.typ, []string(nil)
	if len(t.values) > 0 && t.values[0].kind == schema.ObservableDomain && isFileName(c[colValue]) {
		kind = schema.ObservableDomain // its header says so
	}
	for k, v := range t.values {
		if v.i >= len(f) {
			continue
		}
		switch text := strings.TrimSpace(f[v.i]); {
		case text == "" || unset(text):
		case k > 0 && (strings.TrimSpace(c[colValue]) == "" || unset(strings.TrimSpace(c[colValue]))): // its value is in another column
			c[colValue], kind = text, v.kind
		case k > 0 && v.kind == schema.ObservableHash && t.values[0].kind == schema.ObservableHash:
			digests = append(digests, text)
		}
	}
	for _, i := range t.labels {
		if i < len(f) && !unset(strings.TrimSpace(f[i])) {
			c[colLabel] = withLabels(c[colLabel], f[i])
		}
	}
	if c[colType] == "" && kind != schema.ObservableUnknown {
		c[colType] = kind.String()
	}
	return t.r.row(line, &c, digests, &t.told)
}
