package syntax

// rfc3164 reads what follows the priority: time, host and tag, of which devices
// leave out any.
func (h *header) rfc3164(t []byte, pos int, strict bool) (body int, ok bool) {
	if pos = skipBlank(t, pos); h.pri >= 0 && hasAt(t, pos, ": ") { // Cisco's Nexus
		pos = skipBlank(t, pos+1)
	}
	p, iso := h.timeOf(t, pos)
	if p < 0 {
		if h.pri < 0 {
			return pos, false
		}
		p = pos
		if q := skipSequence(t, pos); q > pos && hasAt(t, q, "%") {
			p = q
		}
	}
	known := startsKnown(t, p)
	if !known {
		if q := h.hostOf(t, p, p != pos); q > p {
			p = q
			known = startsKnown(t, p)
		}
	}
	tagged := false
	if !known {
		if q := h.tagOf(t, p); q > p {
			p, tagged = q, true
		}
	}
	if h.pri < 0 && (strict || iso) && (h.host.empty() || !tagged && !known) {
		return pos, false
	}
	return p, true
}

// timeOf reads the time at pos, behind which there may be Cisco's number of the
// message and its host. next is -1 without a time.
func (h *header) timeOf(t []byte, pos int) (next int, iso bool) {
	p := skipSequence(t, pos)
	if p > pos && h.pri >= 0 { // "29: host: 000123: *Mar  1 00:00:00.000: %SYS..."
		if q := endOfWord(t, p); q > p+1 && q < len(t) && t[q-1] == ':' && isHost(t[p:q-1]) {
			if s := skipSequence(t, skipBlank(t, q)); clockTime(t, s) > 0 || s < len(t) && clockTime(t, s+1) > 0 {
				h.host, p = span{p, q - 1}, s
			}
		}
	}
	if p < len(t) && (t[p] == '*' || t[p] == '.') { // the device's clock is not set
		p++
	}
	end := clockTime(t, p)
	if end == 0 {
		if end = isoTime(t, p); end == 0 || h.pri < 0 && t[p+10] == ' ' {
			h.host = span{}
			return -1, false
		}
		iso = true
	}
	h.time = span{p, end}
	if end < len(t) && t[end] == ' ' { // a zone is known by the colon after it
		q := end + 1
		for q < len(t) && q-end < 7 && t[q] >= 'A' && t[q] <= 'Z' {
			q++
		}
		if q > end+2 && q < len(t) && t[q] == ':' {
			h.time.to, end = q, q
		}
	}
	if end < len(t) && t[end] == ':' {
		end++
	}
	if end < len(t) && t[end] != ' ' {
		h.time, h.host = span{}, span{}
		return -1, false
	}
	end = skipBlank(t, end)
	if hasAt(t, end, ": ") {
		end = skipBlank(t, end+1)
	}
	return end, iso
}

// skipSequence skips "29: ".
func skipSequence(t []byte, pos int) int {
	if q := skipDigits(t, pos); q > pos && q-pos < 12 && hasAt(t, q, ": ") {
		return skipBlank(t, q+1)
	}
	return pos
}

// hostOf reads the host at pos. Without a time before it, a word is a host only
// if a known syntax follows.
func (h *header) hostOf(t []byte, pos int, timed bool) (next int) {
	end := endOfWord(t, pos)
	next = skipBlank(t, end)
	host := span{pos, end}
	switch {
	case end == pos || next == len(t):
		return pos
	case t[end-1] == ':': // a tag, but for Cisco's devices
		if !hasAt(t, next, "%") || ciscoHead(t, next).end == 0 {
			return pos
		}
		host.to--
	case hasAt(t, next, ": %"):
		next += 2
	case !timed && !startsKnown(t, next):
		return pos
	}
	if !isHost(t[host.from:host.to]) {
		return pos
	}
	if h.host.empty() {
		h.host = host
	}
	return next
}

// tagOf reads "sshd[4711]: ", "sshd: " or "sshd[4711] ".
func (h *header) tagOf(t []byte, pos int) (next int) {
	p := pos
	for p < len(t) && p-pos < 64 && isTagByte(t[p]) {
		p++
	}
	if p == pos || p == len(t) {
		return pos
	}
	app, pid := span{pos, p}, span{}
	switch t[p] {
	case '[':
		q := p + 1
		for q < len(t) && q-p < 64 && (isTagByte(t[q]) || t[q] == ':') {
			q++
		}
		if q == len(t) || t[q] != ']' {
			return pos
		}
		pid, p = span{p + 1, q}, q+1
		if p < len(t) && t[p] == ':' {
			p++
		}
	case ':':
		p++
	default:
		return pos
	}
	if p < len(t) && t[p] != ' ' && t[p] != '\t' {
		return pos
	}
	h.app, h.pid = app, pid
	return skipBlank(t, p)
}

func isTagByte(c byte) bool {
	switch c {
	case '_', '-', '.', '/', '(', ')', '@', '+', '#', '\\':
		return true
	}
	return isAlnum(c)
}

// isHost reports whether a word can be a host: a name or an address.
func isHost(word []byte) bool {
	if len(word) == 0 || len(word) > 255 {
		return false
	}
	for _, c := range word {
		if !isAlnum(c) && c != '.' && c != '-' && c != '_' && c != ':' && c != '@' && c != '%' {
			return false
		}
	}
	last := word[len(word)-1]
	return word[0] != '%' && word[0] != '@' && (last != ':' || len(word) > 1 && word[len(word)-2] == ':')
}

// startsKnown reports whether something begins at pos that is no host and no
// tag.
func startsKnown(t []byte, pos int) bool {
	if pos >= len(t) {
		return false
	}
	switch t[pos] {
	case '{', '[', '<':
		return true
	case '%':
		return ciscoHead(t, pos).end > 0
	case '@':
		return hasAt(t, pos, "@cee:")
	case 'C':
		return extendedHead(t, pos, "CEF:")
	case 'L':
		return extendedHead(t, pos, "LEEF:")
	}
	return false
}
