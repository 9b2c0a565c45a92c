package parse

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// maxValue bounds a value as a feed writes it; an index takes no longer one.
const maxValue = 16 << 10

// Reasons for which a text is no value.
var (
	errEmpty      = errors.New("no value")
	errLong       = fmt.Errorf("a value longer than %d bytes", maxValue)
	errUTF8       = errors.New("a value that is not UTF-8")
	errNoIP       = errors.New("no address of a single machine")
	errPort       = errors.New("an address with a port, where one without is asked for")
	errDomainPort = errors.New("a domain with a port: connections are matched by address and port only")
	errNoNetwork  = errors.New("no network in CIDR form")
	errNoDomain   = errors.New("no domain of two labels or more")
	errNoURL      = errors.New("no URL with a host")
	errNoPrefix   = errors.New("no URL up to and with a slash")
	errNoPath     = errors.New("no path of a URL: it must begin with one slash and hold more")
	errNoHash     = errors.New("no MD5, SHA-1 or SHA-256")
	errNothing    = errors.New("the hash of an empty file or of zeros: it names no file")
	errNoEmail    = errors.New("no e-mail address")
	errNoSocket   = errors.New("no address with a port")
	errNoSender   = errors.New("no domain of a sender")
	errNoCert     = errors.New("no MD5, SHA-1 or SHA-256 digest of a certificate")
	errNoJA3      = errors.New("no JA3 digest: 32 hex digits")
	errNoJA4      = errors.New("no JA4 fingerprint")
	errNoSSDeep   = errors.New("no ssdeep hash")
	errNoRegistry = errors.New("no registry key below a hive")
	errControl    = errors.New("a value with control characters")
	errType       = errors.New("a type that is not matched")
)

// key calls one of canon's functions. They keep what they make in an arena; a value
// that outlives its line gets one of its own.
func key[A any](f func(*A, string) string, s string) string { return f(new(A), s) }

// Value gives the canonical form of a text whose kind is known. The type may come
// back more exact: a network of a single address is an address, an address with a
// prefix length a network, a URL that ends with "/*" a prefix. Defanged forms (hxxp,
// [.], [@]) are understood.
func Value(t schema.ObservableType, text string) (schema.Observable, error) {
	s := trimmed(text)
	switch {
	case s == "":
		return schema.Observable{}, errEmpty
	case len(s) > maxValue:
		return schema.Observable{}, errLong
	case !utf8.ValidString(s):
		return schema.Observable{}, errUTF8
	}
	switch t {
	case schema.ObservableIP, schema.ObservableCIDR:
		return address(t, s)
	case schema.ObservableSocket:
		return socket(s)
	case schema.ObservableDomain:
		return domain(s)
	case schema.ObservableURL, schema.ObservableURLPrefix:
		return url(t, s)
	case schema.ObservableURLPath:
		return urlPath(s)
	case schema.ObservableEmail:
		return found(t, mailbox(s), errNoEmail)
	case schema.ObservableSender:
		if i := strings.LastIndexByte(s, '@'); i >= 0 {
			s = s[i+1:]
		}
		if o, err := domain(s); err == nil {
			return schema.Observable{Type: t, Value: o.Value}, nil
		}
		return schema.Observable{}, errNoSender
	case schema.ObservableHash:
		return fileHash(s)
	case schema.ObservableCertificate:
		return digest(t, s, errNoCert, 32, 40, 64)
	case schema.ObservableJA3, schema.ObservableJA3S:
		return digest(t, s, errNoJA3, 32)
	case schema.ObservableJA4:
		if s = strings.ToLower(s); isJA4(s) {
			return schema.Observable{Type: t, Value: s}, nil
		}
		return schema.Observable{}, errNoJA4
	case schema.ObservableSSDeep:
		if !isSSDeep(s) {
			return schema.Observable{}, errNoSSDeep
		}
		return schema.Observable{Type: t, Value: s}, nil
	case schema.ObservableRegistry:
		if s = key(canon.Registry, s); !strings.HasPrefix(s, "hkey_") || strings.IndexByte(s, '\\') < 0 {
			return schema.Observable{}, errNoRegistry
		}
		return schema.Observable{Type: t, Value: s}, nil
	case schema.ObservableUserAgent, schema.ObservableMutex:
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return schema.Observable{}, errControl
		}
		return schema.Observable{Type: t, Value: s}, nil
	}
	return schema.Observable{}, errType
}

// found makes an observable of a key that is not empty.
func found(t schema.ObservableType, key string, err error) (schema.Observable, error) {
	if key == "" || len(key) > maxValue {
		return schema.Observable{}, err
	}
	return schema.Observable{Type: t, Value: key}, nil
}

// mailbox gives an address whose domain has a dot, or is an address itself.
func mailbox(s string) string {
	v := key(canon.Mailbox, s)
	if strings.IndexByte(v[strings.LastIndexByte(v, '@')+1:], '.') < 0 && !strings.HasSuffix(v, "]") {
		return ""
	}
	return v
}

// fileHash gives the canonical form of a file's hash.
func fileHash(s string) (schema.Observable, error) {
	if v := key(canon.Hash, s); v != "" {
		return schema.Observable{Type: schema.ObservableHash, Value: v}, nil
	}
	if n := len(s); (n == 32 || n == 40 || n == 64) && isHex(s) {
		return schema.Observable{}, errNothing
	}
	return schema.Observable{}, errNoHash
}

// digest gives a digest in hex of one of the sizes, with or without colons between
// its bytes.
func digest(t schema.ObservableType, s string, err error, sizes ...int) (schema.Observable, error) {
	s = strings.ToLower(strings.ReplaceAll(s, ":", ""))
	for _, n := range sizes {
		if len(s) == n && isHex(s) {
			if strings.Trim(s, "0") == "" {
				return schema.Observable{}, errNothing
			}
			return schema.Observable{Type: t, Value: s}, nil
		}
	}
	return schema.Observable{}, err
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return s != ""
}

const ja4Length = len("t13d1516h2_8daaf6152771_02713d6af862")

// isJA4 knows the form of JA4 in lower case: protocol, version, SNI, two counts and
// ALPN in ten characters, then two cut hashes.
func isJA4(s string) bool {
	if len(s) != ja4Length || s[10] != '_' || s[23] != '_' {
		return false
	}
	for i := range 10 {
		if c := s[i]; c-'0' > 9 && (c < 'a' || c > 'z') {
			return false
		}
	}
	return strings.IndexByte("tqd", s[0]) >= 0 && (s[3] == 'd' || s[3] == 'i') && isDigits(s[4:8]) && isHex(s[11:23]) && isHex(s[24:])
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return s != ""
}

// isSSDeep knows the form of ssdeep: a block size and two texts of base64 digits.
func isSSDeep(s string) bool {
	size, rest, _ := strings.Cut(s, ":")
	one, two, ok := strings.Cut(rest, ":")
	if i := strings.IndexByte(two, ','); i >= 0 { // a file's name behind it
		return false
	}
	return ok && isDigits(size) && len(size) <= 12 && one != "" && two != "" && isBase64(one) && isBase64(two)
}

func isBase64(s string) bool {
	for i := range len(s) {
		if c := s[i]; c-'0' > 9 && (c|0x20 < 'a' || c|0x20 > 'z') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}
