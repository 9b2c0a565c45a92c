package syntax

import (
	"strconv"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// span is a part of the message; the zero span is absent.
type span struct{ from, to int }

func (s span) empty() bool { return s.from == s.to }

// header is a syslog header. Absent parts are empty.
type header struct {
	pri                         int // -1: none
	time, host, app, pid, msgid span
	data                        span // structured data, well formed
}

// or fills what h lacks from the header that a relay put before it.
func (h header) or(relay header) header {
	if h.pri < 0 {
		h.pri = relay.pri
	}
	for _, p := range [...][2]*span{{&h.time, &relay.time}, {&h.host, &relay.host}, {&h.app, &relay.app}, {&h.pid, &relay.pid},
		{&h.msgid, &relay.msgid}, {&h.data, &relay.data}} {
		if p[0].empty() {
			*p[0] = *p[1]
		}
	}
	return h
}

// header puts a syslog header's values, and the message behind it.
func (r *Reader) header(h *header, body int) {
	p := &r.at.syslog
	if h.pri >= 0 {
		r.number(p.facility, h.pri>>3)
		r.number(p.severity, h.pri&7)
	}
	r.value(p.time, h.time)
	r.value(p.host, h.host)
	r.value(p.app, h.app)
	r.value(p.pid, h.pid)
	r.value(p.msgid, h.msgid)
	if !h.data.empty() {
		r.structured(h.data)
	}
	r.whole(p.message, body, len(r.text))
}

func (r *Reader) number(node uint16, n int) {
	if node == 0 {
		return
	}
	mark := len(r.arena.Buf)
	r.arena.Buf = strconv.AppendInt(r.arena.Buf, int64(n), 10)
	r.put(node, r.arena.From(mark), 0)
}

// parseHeader reads the syslog header at pos, and gives where the message
// behind it begins. strict is for one inside a message: without a priority it
// needs a tag, or some known syntax behind it, lest a message that begins with
// a time is taken apart.
func parseHeader(t []byte, pos int, strict bool) (h header, body int, ok bool) {
	p := skipFrame(t, pos)
	h.pri = -1
	if n, q := priority(t, p); q > 0 {
		h.pri, p = n, q
	} else if p != pos {
		return header{pri: -1}, pos, false
	}
	if hasAt(t, p, "1 ") {
		if body, ok = h.rfc5424(t, p+2); ok {
			return h, body, true
		}
		if body, ok = h.epoch(t, p+2, 0); ok {
			return h, body, true
		}
	}
	if h.pri < 0 {
		if body, ok = h.epoch(t, p, 3); ok {
			return h, body, true
		}
	}
	if body, ok = h.rfc3164(t, p, strict); !ok {
		return header{pri: -1}, pos, false
	}
	return h, body, true
}

// skipFrame skips the octet count of RFC 6587.
func skipFrame(t []byte, pos int) int {
	if q := skipDigits(t, pos); q > pos && q-pos < 8 && hasAt(t, q, " <") {
		return q + 1
	}
	return pos
}

// priority reads "<34>", and gives where it ends; 0 if it is not there.
func priority(t []byte, pos int) (pri, next int) {
	if pos >= len(t) || t[pos] != '<' {
		return 0, 0
	}
	q := skipDigits(t, pos+1)
	if q == pos+1 || q > pos+4 || q == len(t) || t[q] != '>' {
		return 0, 0
	}
	pri, _ = strconv.Atoi(arena.Text(t[pos+1 : q])) // at most three digits
	if pri > 191 {
		return 0, 0
	}
	return pri, q + 1
}

// rfc5424 reads what follows the version. Devices leave out parts at the end.
func (h *header) rfc5424(t []byte, pos int) (body int, ok bool) {
	end := endOfWord(t, pos)
	switch {
	case hasAt(t, pos, "-") && end == pos+1 && h.pri >= 0:
	case isoTime(t, pos) == end && end > pos+10 && t[pos+10] != ' ':
		h.time = span{pos, end}
	default:
		return 0, false
	}
	pos = skipBlank(t, end)
	for _, f := range [...]*span{&h.host, &h.app, &h.pid, &h.msgid} {
		if pos < len(t) && t[pos] == '[' || startsKnown(t, pos) {
			break
		}
		end = endOfWord(t, pos)
		if end-pos != 1 || t[pos] != '-' {
			*f = span{pos, end}
		}
		pos = skipBlank(t, end)
	}
	switch end = endOfStructured(t, pos); {
	case end > 0:
		h.data, pos = span{pos, end}, end
	case hasAt(t, pos, "-") && endOfWord(t, pos) == pos+1:
		pos++
	}
	return skipMark(t, skipBlank(t, pos)), true
}

// epoch reads a header of seconds since 1970, host and kind of message, as
// Meraki devices send it. fraction is how many digits of it there must be.
func (h *header) epoch(t []byte, pos, fraction int) (body int, ok bool) {
	q := skipDigits(t, pos)
	if q-pos < 9 || q-pos > 11 {
		return 0, false
	}
	end := q
	if q < len(t) && t[q] == '.' {
		end = skipDigits(t, q+1)
	}
	if end-q < fraction || end == len(t) || t[end] != ' ' {
		return 0, false
	}
	host := span{skipBlank(t, end), 0}
	host.to = endOfWord(t, host.from)
	app := span{skipBlank(t, host.to), 0}
	app.to = endOfWord(t, app.from)
	if !isHost(t[host.from:host.to]) || app.empty() || !isHost(t[app.from:app.to]) {
		return 0, false
	}
	h.time, h.host, h.app = span{pos, end}, host, app
	return skipBlank(t, app.to), true
}
