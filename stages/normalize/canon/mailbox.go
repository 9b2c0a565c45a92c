package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Mailbox gives the key of one e-mail address, with or without a display name,
// mailto: or quotes. Several addresses are none.
func Mailbox(a *arena.Arena, s string) string {
	s = Clean(s)
	if plainMailbox(s) {
		return s
	}
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		s = strings.TrimSpace(s[i+1 : len(s)-1])
	}
	if ends(s, '"', '"') || ends(s, '\'', '\'') {
		s = strings.TrimSpace(s[1 : len(s)-1])
	}
	if hasPrefixFold(s, "mailto:") {
		s = s[len("mailto:"):]
		s = s[:indexOf(s, '?', '?')]
	}
	if len(s) <= 1024 {
		s = Refang(a, s)
	}
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 {
		return ""
	}
	local, domain := s[:i], s[i+1:]
	if ends(local, '"', '"') {
		local = local[1 : len(local)-1]
	}
	host := mailDomain(a, domain)
	if host == "" || !mailLocal(local) {
		return ""
	}
	if len(local)+1+len(domain) == len(s) && host == domain {
		return Lower(a, s)
	}
	return a.Join(Lower(a, local), "@", host)
}

// plainMailbox reports whether s is its own key, as most are.
func plainMailbox(s string) bool {
	at := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c-'0' <= 9, c == '-', c == '_':
		case c == '+' && at == 0:
		case c == '.' && (at == 0 || i > at+1 && i < len(s)-1 && s[i-1] != '.'):
		case c == '@' && at == 0 && i > 0:
			at = i
		default:
			return false
		}
	}
	return at > 0 && at < len(s)-1
}

// mailLocal reports whether s can stand before the @ without quotes.
func mailLocal(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\n', '\r', ',', ';', ':', '<', '>', '(', ')', '[', ']', '"', '\\', '@':
			return false
		}
	}
	return s != "" && strings.TrimSpace(s) == s
}

// mailDomain gives what stands behind the @: a DNS name, perhaps of one label
// (mail within a house), or an address in brackets.
func mailDomain(a *arena.Arena, s string) string {
	if ends(s, '[', ']') {
		ip := s[1 : len(s)-1]
		if hasPrefixFold(ip, "IPv6:") {
			ip = ip[len("IPv6:"):]
		}
		if ip = IP(a, ip); ip == "" {
			return ""
		}
		return a.Join("[", ip, "]")
	}
	s = hostLabel(a, s)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && i < len(s)-1 && s[i-1] != '.':
		default:
			return ""
		}
	}
	return s
}
