package draft

import (
	"fmt"
	"regexp"
	"strings"
)

var rePlain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\-/]*(?: [A-Za-z0-9_.\-/]+)*$`)

// q writes a text as a YAML scalar that is the same in flow and in block.
func q(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return "'" + s + "'"
	}
	if rePlain.MatchString(s) {
		return s
	}
	if strings.ContainsAny(s, "\n\r\t\x00\u2028\u2029\ufeff") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }) {
		return fmt.Sprintf("%q", s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// list writes texts as a flow sequence, or the only one by itself.
func list(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = q(s)
	}
	if len(all) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// page collects lines of YAML.
type page struct {
	strings.Builder
	lines int // that are no comments
}

// line writes one line; check says what a reader must look at, "" for nothing.
func (p *page) line(text, check string) {
	p.lines++
	p.WriteString(text)
	if check != "" {
		p.WriteString("  # check: " + comment(check))
	}
	p.WriteByte('\n')
}

// note writes a line that is a comment.
func (p *page) note(indent, text string) { p.WriteString(indent + "# " + comment(text) + "\n") }

// maxComment bounds a comment, in runes.
const maxComment = 160

// comment makes what comes from samples fit for a comment.
func comment(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > maxComment {
		return string(r[:maxComment-3]) + "..."
	}
	return s
}
