package syntax

import (
	"bytes"
	"net/netip"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// fastAlert is a line of Snort's or Suricata's "fast" log, as it came or by
// syslog.
type fastAlert struct {
	time, gid, sid, rev, title, class, priority, proto, src, dst span
}

func (r *Reader) snort(pos int) bool {
	var a fastAlert
	if !a.parse(r.text, pos) {
		return false
	}
	s := &r.at.snort
	r.value(s.time, a.time)
	r.value(s.gid, a.gid)
	r.value(s.sid, a.sid)
	r.value(s.rev, a.rev)
	r.value(s.title, a.title)
	r.value(s.class, a.class)
	r.value(s.priority, a.priority)
	r.value(s.proto, a.proto)
	ported := r.str(a.proto) == "TCP" || r.str(a.proto) == "UDP"
	addr, port := splitPort(r.text, a.src, ported)
	r.value(s.srcIP, addr)
	r.value(s.srcPort, port)
	addr, port = splitPort(r.text, a.dst, ported)
	r.value(s.dstIP, addr)
	r.value(s.dstPort, port)
	return true
}

const stars = "[**]"

func (a *fastAlert) parse(t []byte, pos int) bool {
	p := pos
	if end := fastTime(t, p); end > 0 {
		a.time = span{p, end}
		p = skipBlank(t, end)
	}
	if hasAt(t, p, "[Drop]") || hasAt(t, p, "[wDrop]") {
		p = skipBlank(t, endOfWord(t, p))
	}
	starred := hasAt(t, p, stars)
	if starred {
		p = skipBlank(t, p+len(stars))
	}
	if p = a.numbers(t, p); p == 0 {
		return false
	}
	p = skipBlank(t, p)
	title := len(t)
	for _, end := range [...]string{" " + stars, " [Classification:", " [Priority:", " {"} { // the later ones may be in a title
		if i := bytes.Index(t[p:], arena.Bytes(end)); i >= 0 {
			title = p + i
			break
		}
	}
	a.title = span{p, title}
	if p = skipBlank(t, title); hasAt(t, p, stars) {
		p += len(stars)
	} else if starred {
		return false
	}
	for {
		for p < len(t) && (t[p] == ' ' || t[p] == ':') {
			p++
		}
		if p == len(t) {
			return starred
		}
		end := 0
		switch t[p] {
		case '[':
			end = a.label(t, p)
		case '<': // an interface
			end = bytes.IndexByte(t[p:], '>') + p
		case '{':
			if end = bytes.IndexByte(t[p:], '}') + p; end > p {
				a.proto = span{p + 1, end}
				return a.addresses(t, skipBlank(t, end+1))
			}
		}
		if end <= p {
			return starred
		}
		p = end + 1
	}
}

// numbers reads "[1:2001:3]".
func (a *fastAlert) numbers(t []byte, pos int) (next int) {
	if !hasAt(t, pos, "[") {
		return 0
	}
	p := pos
	for i, s := range [...]*span{&a.gid, &a.sid, &a.rev} {
		q := skipDigits(t, p+1)
		if q == p+1 || q == len(t) || t[q] != ":]"[i/2] {
			return 0
		}
		*s = span{p + 1, q}
		p = q
	}
	return p + 1
}

// label reads "[Priority: 2]", and gives the place of the bracket that ends it.
func (a *fastAlert) label(t []byte, pos int) (end int) {
	i := bytes.IndexByte(t[pos:], ']')
	if i < 0 {
		return 0
	}
	end = pos + i
	for _, l := range [...]struct {
		mark string
		at   *span
	}{{"[Classification:", &a.class}, {"[Priority:", &a.priority}} {
		if hasAt(t, pos, l.mark) {
			*l.at = span{skipBlank(t[:end], pos+len(l.mark)), end}
		}
	}
	return end
}

// addresses reads "192.0.2.1:80 -> 192.0.2.2:1024".
func (a *fastAlert) addresses(t []byte, pos int) bool {
	end := endOfWord(t, pos)
	p := skipBlank(t, end)
	if !hasAt(t, p, "-> ") && !hasAt(t, p, "<> ") {
		return false
	}
	p = skipBlank(t, p+2)
	a.src, a.dst = span{pos, end}, span{p, endOfWord(t, p)}
	return !a.src.empty() && !a.dst.empty()
}

// splitPort parts an address from its port. IPv6 comes with and without
// brackets; without them the port is what is left over by a protocol that has
// ports, or where the whole is no address.
func splitPort(t []byte, s span, ported bool) (addr, port span) {
	text := t[s.from:s.to]
	colon := bytes.LastIndexByte(text, ':')
	if len(text) > 0 && text[0] == '[' {
		end := bytes.IndexByte(text, ']')
		if end < 0 {
			return s, span{}
		}
		addr = span{s.from + 1, s.from + end}
		if colon == end+1 {
			port = span{s.from + colon + 1, s.to}
		}
		return addr, port
	}
	if colon < 0 {
		return s, span{}
	}
	split := span{s.from, s.from + colon}
	if bytes.IndexByte(text[:colon], ':') >= 0 {
		_, err := netip.ParseAddr(arena.Text(text[:colon]))
		if err != nil {
			return s, span{}
		}
		if _, err = netip.ParseAddr(arena.Text(text)); err == nil && !ported {
			return s, span{}
		}
	}
	return split, span{s.from + colon + 1, s.to}
}

// fastTime finds the end of "10/28-22:26:15.123456", with or without a year; 0
// if it is not there.
func fastTime(t []byte, pos int) (end int) {
	for _, shape := range [...]string{"00/00-", "00/00/00-", "00/00/0000-"} {
		if shaped(t, pos, shape) {
			return clock(t, pos+len(shape))
		}
	}
	return 0
}
