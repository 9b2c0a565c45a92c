package syntax

import "bytes"

// ciscoMark is "%FACILITY-SEVERITY-CODE:"; end is the place of the colon, or of
// the blank that some devices write instead behind a code of six digits; 0 if
// there is no mark.
type ciscoMark struct {
	facility, severity, code span
	end                      int
}

// ciscoHead reads the mark at pos. The facility may have dashes, and the
// severity is the last part but one.
func ciscoHead(t []byte, pos int) (m ciscoMark) {
	p := pos + 1
	if p >= len(t) || t[pos] != '%' || t[p] < 'A' || t[p] > 'Z' {
		return m
	}
	dash, before := 0, 0 // the last two dashes
	for p < len(t) && p-pos < 96 && (isAlnum(t[p]) || t[p] == '_' || t[p] == '-') {
		if t[p] == '-' {
			before, dash = dash, p
		}
		p++
	}
	if p == len(t) || before == 0 || dash != before+2 || t[before+1]-'0' > 7 || p == dash+1 {
		return m
	}
	if t[p] != ':' && (t[p] != ' ' || p != dash+7 || skipDigits(t, dash+1) != p) {
		return m
	}
	return ciscoMark{facility: span{pos + 1, before}, severity: span{before + 1, dash}, code: span{dash + 1, p}, end: p}
}

func (r *Reader) cisco(pos int) bool {
	var m ciscoMark
	for p, end := pos, min(len(r.text), pos+r.ahead); p < end; p++ {
		i := bytes.IndexByte(r.text[p:end], '%')
		if i < 0 {
			return false
		}
		p += i
		if p > pos && r.text[p-1] != ' ' && r.text[p-1] != ':' && r.text[p-1] != '%' {
			continue
		}
		if m = ciscoHead(r.text, p); m.end > 0 {
			break
		}
	}
	if m.end == 0 {
		return false
	}
	c := &r.at.cisco
	r.value(c.facility, m.facility)
	r.value(c.severity, m.severity)
	r.value(c.code, m.code)
	text := skipBlank(r.text, m.end+1)
	r.whole(c.text, text, len(r.text))
	if r.fault.Reason == 0 {
		r.fields(text)
	}
	return true
}
