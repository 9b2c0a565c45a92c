package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Certificate gives the key of an X.509 certificate by its MD5, SHA-1 or SHA-256
// fingerprint, as tools print it: in groups with colons, blanks or dashes between
// them, with the algorithm's name before it (SHA1:..., "SHA256 Fingerprint=...").
func Certificate(a *arena.Arena, s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxFingerprint {
		return ""
	}
	size := 0
	if i := strings.IndexByte(s, '='); i >= 0 {
		if size = digestSize(fingerprintOf(s[:i])); size == 0 {
			return ""
		}
		s = s[i+1:]
	} else if i := indexOf(s, ':', ' '); i < len(s) && i > 2 { // no group of two digits
		if n := digestSize(s[:i]); n > 0 {
			size, s = n, s[i+1:]
		}
	}
	s = ungrouped(a, strings.TrimSpace(s))
	switch len(s) {
	case 32, 40, 64:
		if size == 0 || size == len(s) {
			return digest(a, s)
		}
	}
	return ""
}

// maxFingerprint is longer than any that is written out.
const maxFingerprint = 256

// fingerprintOf takes away what OpenSSL writes after the algorithm's name.
func fingerprintOf(s string) string {
	const word = "fingerprint"
	if i := len(s) - len(word); i > 0 && strings.EqualFold(s[i:], word) {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// ungrouped takes away what stands between groups of digits.
func ungrouped(a *arena.Arena, s string) string {
	if firstOf(s, ": -") == len(s) {
		return s
	}
	mark := len(a.Buf)
	for i := range len(s) {
		if c := s[i]; c != ':' && c != ' ' && c != '-' {
			a.Buf = append(a.Buf, c)
		}
	}
	return a.From(mark)
}
