package ocsf

import (
	"encoding/base64"
	"net"
	"net/netip"
	"strings"
	"time"
)

// wellFormed reports whether s is what the scalar type promises. Types whose
// content the schema leaves open (host names, paths, URLs, user names, hashes)
// are always well formed.
func wellFormed(typ, s string) bool {
	switch typ {
	case "ip_t":
		_, err := netip.ParseAddr(s)
		return err == nil
	case "mac_t":
		hw, err := net.ParseMAC(s)
		return err == nil && len(hw) == 6 && (s[2] == ':' || s[2] == '-')
	case "subnet_t":
		_, err := netip.ParsePrefix(s)
		return err == nil
	case "email_t":
		local, domain, ok := strings.Cut(s, "@")
		return ok && local != "" && domain != "" && !strings.ContainsAny(s, " \t\r\n") && !strings.Contains(domain, "@")
	case "uuid_t":
		return isUUID(s)
	case "datetime_t":
		return isDatetime(strings.ToUpper(s))
	case "bytestring_t":
		return isBase64(s)
	}
	return true
}

// isUUID accepts the form with hyphens, in either case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20 // lower case, where it is a letter
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if (s[i] < '0' || s[i] > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// isDatetime accepts RFC 3339 and, as the schema does, a time without a zone.
func isDatetime(s string) bool {
	for _, form := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05"} {
		if _, err := time.Parse(form, s); err == nil {
			return true
		}
	}
	return false
}

// isBase64 accepts the standard and the URL alphabet, both padded.
func isBase64(s string) bool {
	// The decoder would skip line breaks.
	if strings.ContainsAny(s, "\r\n") {
		return false
	}
	for _, enc := range [...]*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if _, err := enc.DecodeString(s); err == nil {
			return true
		}
	}
	return false
}
