package parse

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// Reasons of zones.
var (
	errPassed = errors.New("an exception: a feed of benign values is its own feed")
	errZone   = errors.New("a record of a zone that is about neither a name nor an address")
)

// policy reads a record of a response policy zone: a name, and what stands behind it
// with a CNAME. ok is false for other lines.
func (r *reader) policy(n int, name, rest string) (ok bool, err error) {
	if !strings.Contains(rest, "CNAME") && !strings.Contains(rest, "cname") {
		return false, nil
	}
	fields := strings.Fields(rest)
	if len(fields) > 0 && isDigits(fields[0]) {
		fields = fields[1:]
	}
	if len(fields) > 0 && strings.EqualFold(fields[0], "IN") {
		fields = fields[1:]
	}
	if len(fields) < 2 || !strings.EqualFold(fields[0], "CNAME") {
		return false, nil
	}
	if to := strings.ToLower(strings.TrimSuffix(fields[1], ".")); to == "rpz-passthru" || to == strings.ToLower(strings.TrimSuffix(name, ".")) {
		return true, r.refuse(n, name, errPassed)
	}
	switch i := strings.LastIndexByte(name, '.'); name[i+1:] {
	case "rpz-ip":
		ip, ok := triggered(name[:max(i, 0)])
		if !ok {
			return true, r.refuse(n, name, errNoIP)
		}
		return true, r.value(n, ip, "")
	case "rpz-client-ip", "rpz-nsip", "rpz-nsdname":
		return true, r.refuse(n, name, errZone)
	}
	return true, r.value(n, name, "")
}

// triggered reads an address as policy zones write it, backwards and with its prefix
// length in front: 24.0.113.0.203, 128.1.zz.db8.2001.
func triggered(s string) (prefix string, ok bool) {
	parts := strings.Split(s, ".")
	length, err := strconv.ParseUint(parts[0], 10, 8)
	if err != nil || len(parts) < 3 || len(parts) > 10 {
		return "", false
	}
	sep, text := ":", ""
	if len(parts) == 5 && !strings.Contains(s, "zz") {
		sep = "."
	}
	for i := len(parts) - 1; i > 0; i-- {
		if part := parts[i]; part != "zz" {
			text += part
		} else if i == len(parts)-1 {
			text += sep
		}
		if i > 1 || parts[i] == "zz" {
			text += sep
		}
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return "", false
	}
	p := netip.PrefixFrom(ip, int(length))
	return p.String(), p.IsValid()
}
