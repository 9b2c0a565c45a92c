package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Hash gives the key of a file's MD5, SHA-1 or SHA-256, with or without the
// algorithm's name before it (sha256:..., SHA1=...). Others are no keys.
func Hash(a *arena.Arena, s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 3 && s[0] > 'f' || len(s) > 3 && s[0] < 'a' && s[0] > 'F' {
		var size int
		if size, s = algorithm(s); size == 0 || size != len(s) {
			return ""
		}
	} else if len(s) != 32 && len(s) != 40 && len(s) != 64 {
		return ""
	}
	return digest(a, s)
}

// digest gives hexadecimal digits in lower case, "" for what is none, zeros alone
// and digests of nothing.
func digest(a *arena.Arena, s string) string {
	// Without branches: nothing predicts the digits of a hash.
	hex, all := uint64(1), byte(0)
	for i := range len(s) {
		c := s[i]
		hex &= below(c-'0', 10) | below(c|0x20-'a', 6)
		all |= c ^ '0'
	}
	if hex == 0 || all == 0 {
		return ""
	}
	s = Lower(a, s)
	switch s {
	case "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": // of nothing
		return ""
	}
	return s
}

// below gives 1 where c is less than n, else 0.
func below(c, n byte) uint64 { return (uint64(c) - uint64(n)) >> 63 }

// algorithm gives the length that the named algorithm's hashes have, and the text
// after the name. Other names (IMPHASH, SHA512) have none.
func algorithm(s string) (size int, hash string) {
	i := indexOf(s, ':', '=')
	if i == len(s) {
		return 0, ""
	}
	return digestSize(s[:i]), strings.TrimSpace(s[i+1:])
}

// digestSize gives the number of hexadecimal digits that digests of the named
// algorithm have, 0 for algorithms that make no keys.
func digestSize(name string) int {
	switch {
	case strings.EqualFold(name, "md5"):
		return 32
	case strings.EqualFold(name, "sha1"), strings.EqualFold(name, "sha-1"):
		return 40
	case strings.EqualFold(name, "sha256"), strings.EqualFold(name, "sha-256"):
		return 64
	}
	return 0
}

// Hashes gives the keys in a list of hashes, such as Sysmon's
// SHA1=...,MD5=...,IMPHASH=..., until yield says no.
func Hashes(a *arena.Arena, s string, yield func(string) bool) {
	for s != "" {
		end := firstOf(s, ",;| \t\n")
		if h := Hash(a, s[:end]); h != "" && !yield(h) {
			return
		}
		s = s[min(end+1, len(s)):]
	}
}
