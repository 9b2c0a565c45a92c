package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// JA3 gives the key of a JA3 or JA3S fingerprint: the MD5 of what a client or a
// server said in its TLS hello. The text that was hashed is none.
func JA3(a *arena.Arena, s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 32 {
		return ""
	}
	return digest(a, s)
}

// JA4 gives the key of a JA4 fingerprint of a TLS client:
// t13d1516h2_8daaf6152771_02713d6af862.
func JA4(a *arena.Arena, s string) string {
	s = strings.TrimSpace(s)
	if len(s) != 36 || s[10] != '_' || s[23] != '_' || s[4]-'0' > 9 || s[5]-'0' > 9 || s[6]-'0' > 9 || s[7]-'0' > 9 {
		return ""
	}
	switch s[0] | 0x20 { // over TCP, QUIC, DTLS
	case 't', 'q', 'd':
	default:
		return ""
	}
	if name := s[3] | 0x20; name != 'd' && name != 'i' { // with a name of the server, without
		return ""
	}
	for _, i := range [...]int{1, 2, 8, 9} { // the version, and the protocol within
		if c := s[i]; c-'0' > 9 && !isLetter(c) {
			return ""
		}
	}
	for i := 11; i < len(s); i++ {
		if c := s[i]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') && i != 23 {
			return ""
		}
	}
	return Lower(a, s)
}
