package parse

import (
	"bufio"
	"bytes"
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
	r    *reader
	at   [columns]int // place of each column, -1: none
	typ  schema.ObservableType
	told [columns]bool
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

// comma gives the byte that separates fields. Where the settings have the default,
// tabs or semicolons do if the first line has no comma but these.
func (r *reader) comma(br *bufio.Reader) (byte, error) {
	switch c := r.feed.CSV.Comma; {
	case c == "tab" || c == "\t":
		return '\t', nil
	case c == "" || c == ",":
		head, err := peek(br)
		if err != nil {
			return 0, err
		}
		line := firstLine(head, r.feed.CSV.Comment)
		for _, sep := range [...]byte{'\t', ';'} {
			if bytes.IndexByte(line, ',') < 0 && bytes.IndexByte(line, sep) > 0 {
				return sep, nil
			}
		}
		return ',', nil
	case len(c) == 1 && c != "\"" && c != "\n" && c != "\r":
		return c[0], nil
	default:
		return 0, fmt.Errorf("csv: comma %q is not one character", c)
	}
}

// firstLine gives the first line of a text that is neither empty nor a comment.
func firstLine(head []byte, comment string) []byte {
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte{'\n'})
		line = bytes.TrimSpace(line)
		if len(line) > 0 && (comment == "" || !bytes.HasPrefix(line, []byte(comment))) {
			return line
		}
		head = rest
	}
	return nil
}

// looksCSV reports a text whose first line names columns, or whose first field is
// no value while another is.
func (r *reader) looksCSV(head []byte) bool {
	line := firstLine(head, "#")
	if len(line) == 0 || len(line) > maxRecord || bytes.IndexByte(line, ',') < 0 {
		return false
	}
	in := newRecords(bufio.NewReader(bytes.NewReader(append(bytes.Clone(line), '\n'))), ',', "")
	f, ok, err := in.next()
	if err != nil || !ok || in.bad != nil || len(f) < 2 {
		return false
	}
	values, names := 0, 0
	for _, s := range f {
		if columnNamed(s) != colNone {
			names++
		}
		if _, err := Recognize(s); err == nil {
			values++
		}
	}
	_, err = Recognize(f[0])
	return values == 0 && names > 0 || err != nil && values > 0
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
	for i, name := range header {
		c := columnNamed(name)
		if c == colNone || t.at[c] >= 0 {
			continue
		}
		t.at[c] = i
	}
	if t.at[colValue] >= 0 && values(first[skip:], t.at[colValue]) > 0 {
		// A column named after a kind that looks like another says the kind.
		if typ, ok := typeNamed(header[t.at[colValue]]); ok && t.at[colType] < 0 && typ > schema.ObservableEmail {
			t.typ = typ
		}
		return t, skip, nil
	}
	best := 0
	for i := range first[0] {
		if n := values(first[skip:], i); n > best {
			best, t.at[colValue] = n, i
		}
	}
	return t, skip, nil
}

// values counts the records whose field i is a value.
func values(rows [][]string, i int) (n int) {
	for _, f := range rows {
		if i < len(f) {
			if _, err := Recognize(f[i]); err == nil {
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
		if _, err := Recognize(s); err == nil {
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
	return [columns]string{"", c.Value, c.Type, c.Verdict, c.Severity, c.Confidence, c.TLP, c.Label, c.Malware, c.Actor, c.First, c.Until, c.Seen}
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
	if c[colType] == "" && t.typ != schema.ObservableUnknown {
		c[colType] = t.typ.String()
	}
	return t.r.row(line, &c, &t.told)
}
