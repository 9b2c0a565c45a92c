package parse

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// looksCSV reports a text whose first line names columns, or whose first field is
// no value while another is.
func (r *reader) looksCSV(head []byte) bool {
	if line := firstLine(head, "#"); bytes.Contains(line, []byte("->")) && bytes.IndexByte(line, '(') > 0 {
		return false // a sensor's rule
	}
	if f := fieldsOf(head, ','); len(f) > 1 {
		known := 0
		for _, name := range commentFields(head) {
			if columnNamed(name) != colNone {
				known++
			}
		}
		if known > 1 {
			return true
		}
	}
	for _, comma := range [...]byte{',', '\t', ';'} {
		if f := fieldsOf(head, comma); len(f) > 1 {
			values, names := 0, 0
			for _, s := range f {
				if columnNamed(s) != colNone {
					names++
				}
				if _, err := observables(s); err == nil {
					values++
				}
			}
			_, err := observables(f[0])
			if comma != ',' { // such a sign may stand before a note: the header must say more
				return values == 0 && names > 1 || err != nil && values > 0 && !isSink(f[0]) && !strings.HasPrefix(f[0], "/") && r.seldom(head, comma)
			}
			return values == 0 && names > 0 || err != nil && values > 0
		}
	}
	return false
}

// fieldsOf gives the fields of a text's first line.
func fieldsOf(head []byte, comma byte) []string {
	line := firstLine(head, "#")
	if len(line) == 0 || len(line) > maxRecord || bytes.IndexByte(line, comma) < 0 {
		return nil
	}
	in := newRecords(bufio.NewReader(bytes.NewReader(append(bytes.Clone(line), '\n'))), comma, "")
	f, ok, err := in.next()
	if err != nil || !ok || in.bad != nil {
		return nil
	}
	return f
}

// commentFields gives the fields of the last comment before a text's first line, where
// they are as many as the line's.
func commentFields(head []byte) []string {
	var comment []byte
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] != '#' {
			break
		}
		comment = line
	}
	f := fieldsOf(append(bytes.TrimLeft(comment, "# "), '\n'), ',')
	if len(f) != len(fieldsOf(head, ',')) {
		return nil
	}
	return f
}

// seldom reports a text in which the first field of hardly any line is a value.
func (r *reader) seldom(head []byte, comma byte) bool {
	lines, values := 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		first, _, _ := bytes.Cut(line, []byte{comma})
		if _, err := observables(string(first)); err == nil {
			values++
		}
		if lines++; lines == sample {
			break
		}
	}
	return values*10 <= lines
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
