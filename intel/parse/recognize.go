package parse

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// Reasons of Recognize.
var (
	errUnknown = errors.New("neither address, network, domain, URL, file hash, e-mail address nor fingerprint")
	errSHA512  = errors.New("SHA-224, SHA-384 and SHA-512 are not matched")
	errBlank   = errors.New("a value with a blank in it")
	errPattern = errors.New("a pattern: values are matched, never patterns")
	errNoPort  = errors.New("an address with a port that is not from 1 to 65535")
	errFile    = errors.New("the name of a file: files are matched by their hashes only")
	errNumber  = errors.New("an address and a number: if that is its port, a colon belongs between them")
	errLocal   = errors.New("a name of the machine itself")
	errLength  = errors.New("an address with a prefix length that no network has")
)

// Recognize tells what kind of observable a text is and gives its canonical form.
// Defanged forms (hxxp, [.], (dot), [@], \.) are understood, quotes and code marks
// around the text taken away. 32 hex digits are taken for
// the hash of a file, a host with a path for the URL of any scheme, and "/*" at the
// end of a URL for the mark of a prefix. Its errors do not repeat the text.
func Recognize(text string) (schema.Observable, error) {
	s := unwrapped(trimmed(text))
	switch {
	case s == "":
		return schema.Observable{}, errEmpty
	case len(s) > maxValue:
		return schema.Observable{}, errLong
	case !utf8.ValidString(s):
		return schema.Observable{}, errUTF8
	}
	sh := shapeOf(s)
	if n := len(s); sh.hex && (n == 32 || n == 40 || n == 64) {
		return fileHash(s)
	}
	if sh.odd {
		if plain := refanged(s); plain != s {
			s, sh = plain, shapeOf(plain)
		}
	}
	if sh.bracket || sh.x {
		// What brackets stand for decides what follows. The path of a URL keeps its
		// own: canon.URL knows which are marks.
		if plain := key(canon.Refang, s); len(plain) != len(s) || sh.x && plain != s {
			if i := strings.Index(plain, "://"); i > 0 {
				return url(schema.ObservableURL, s)
			}
			if strings.IndexByte(plain, '/') < 0 {
				s, sh = plain, shapeOf(plain)
			} else if sh = shapeOf(plain); strings.IndexByte(plain, '@') < 0 && sh.slash > 0 && !isPrefix(plain) {
				return hostAndPath(s)
			} else {
				s = plain
			}
		}
	}
	switch {
	case sh.slash == 0:
		if len(s) > 1 && s[1] == '/' {
			return url(schema.ObservableURL, s)
		}
		return urlPath(s)
	case sh.colon > 0 && strings.HasPrefix(s[sh.colon:], "://"):
		return url(schema.ObservableURL, s)
	case sh.backslash:
		if o, err := Value(schema.ObservableRegistry, s); err == nil {
			return o, nil
		}
		if sh.pattern {
			return schema.Observable{}, errPattern
		}
		return schema.Observable{}, errUnknown
	case sh.blank:
		return schema.Observable{}, errBlank
	case sh.colon >= 0 && isSSDeep(s):
		if _, err := netip.ParseAddr(s); err != nil {
			return schema.Observable{Type: schema.ObservableSSDeep, Value: s}, nil
		}
	}
	switch {
	case sh.slash > 0 && (sh.at < 0 || sh.slash < sh.at):
		if isPrefix(s) {
			return network(s)
		}
		return hostAndPath(s)
	case sh.at >= 0:
		return found(schema.ObservableEmail, mailbox(s), errNoEmail)
	case sh.colon >= 0:
		return withColon(s)
	case len(s) == ja4Length && isJA4(strings.ToLower(s)):
		return schema.Observable{Type: schema.ObservableJA4, Value: strings.ToLower(s)}, nil
	case s[0]-'0' <= 9 && sh.numeric:
		return found(schema.ObservableIP, plainIP(s), errNoIP)
	case sh.pattern:
		if host, n, ok := strings.Cut(s, "|"); ok && canon.IsIP(host) && isDigits(n) {
			return schema.Observable{}, errNumber
		}
		return schema.Observable{}, errPattern
	}
	if o, err := domain(s); err == nil {
		switch {
		case isFileName(o.Value):
			return schema.Observable{}, errFile
		case strings.HasSuffix(o.Value, ".localdomain") || strings.HasSuffix(o.Value, ".localhost"):
			return schema.Observable{}, errLocal
		}
		return o, nil
	}
	if n := len(s); sh.hex && (n == 56 || n == 96 || n == 128) {
		return schema.Observable{}, errSHA512
	}
	return schema.Observable{}, errUnknown
}

// withColon tells apart an address of IPv6, one with a port, a hash with its
// algorithm's name and a domain with a port.
func withColon(s string) (schema.Observable, error) {
	if v := plainIP(s); v != "" {
		return schema.Observable{Type: schema.ObservableIP, Value: v}, nil
	}
	if o, err := socket(s); err == nil || errors.Is(err, errNoIP) {
		return o, err
	}
	if v := key(canon.Hash, s); v != "" {
		return schema.Observable{Type: schema.ObservableHash, Value: v}, nil
	}
	if netAddr(s) {
		return schema.Observable{}, errNoIP
	}
	if host, port, _ := strings.Cut(s, ":"); netAddr(host) && isDigits(port) {
		return schema.Observable{}, errNoPort
	}
	if _, err := domain(s); errors.Is(err, errDomainPort) {
		return schema.Observable{}, err
	}
	return schema.Observable{}, errUnknown
}

// netAddr reports an address of any kind, also one that names no single machine.
func netAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// hostAndPath gives a URL without a scheme.
func hostAndPath(s string) (schema.Observable, error) {
	host, path, _ := strings.Cut(s, "/")
	if canon.IsIP(host) && (isDigits(path) || canon.IsIP(path)) {
		return schema.Observable{}, errLength
	}
	return url(schema.ObservableURL, s)
}

// maxSeveral bounds the values of one field.
const maxSeveral = 64

// observables gives what a text names: one value, the networks of a range, the values
// of a STIX pattern, or several values with nothing else between them.
func observables(text string) ([]schema.Observable, error) {
	o, err := Recognize(text)
	if err == nil {
		return []schema.Observable{o}, nil
	}
	s := trimmed(text)
	if list, ok, err := span(s); ok {
		return list, err
	}
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") && strings.Contains(s, ":") && strings.Contains(s, "'") {
		return Pattern(s)
	}
	fields := strings.FieldsFunc(s[:min(len(s), maxValue)], func(r rune) bool { return r <= ' ' || r == ',' || r == ';' || r == '|' })
	if len(fields) < 2 || len(fields) > maxSeveral || len(s) > maxValue {
		return nil, err
	}
	list := make([]schema.Observable, 0, len(fields))
	for _, f := range fields {
		o, no := Recognize(f)
		if no != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// isPrefix reports a network, with a prefix length or a mask.
func isPrefix(s string) bool {
	_, err := prefix(s)
	return err == nil
}

// prefix reads a network with a prefix length or a mask behind its slash.
func prefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err == nil || strings.IndexByte(s, '.') < 0 {
		return p, err
	}
	address, mask, _ := strings.Cut(s, "/")
	if text, ok := masked(address, mask); ok {
		return netip.ParsePrefix(text)
	}
	return p, err
}

// shape is what one look at a text tells.
type shape struct {
	colon, slash, at int  // place of the first, -1: none
	hex              bool // hex digits only
	numeric          bool // digits and dots only
	backslash        bool
	blank            bool
	bracket          bool // may be a mark against clicking
	x                bool // begins like hxxp or fxp
	pattern          bool // holds what only patterns have
	odd              bool // may hold a mark that canon does not know
}

func shapeOf(s string) shape {
	sh := shape{colon: -1, slash: -1, at: -1, hex: true, numeric: true}
	for i := range len(s) {
		c := s[i]
		switch {
		case c-'0' <= 9:
			continue
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			sh.numeric = false
			continue
		case c == '.':
			sh.hex = false
			continue
		}
		sh.hex, sh.numeric = false, false
		switch c {
		case ':':
			if sh.colon < 0 {
				sh.colon = i
				sh.odd = sh.odd || i > 2 && i < 10 && !strings.HasPrefix(s, "http")
			}
		case '/':
			if sh.slash < 0 {
				sh.slash = i
			}
		case '@':
			if sh.at < 0 {
				sh.at = i
			}
		case '\\':
			sh.backslash, sh.odd = true, true
		case ' ', '\t', '\r', '\n':
			sh.blank = true
		case '[', '(', '{':
			sh.bracket, sh.pattern, sh.odd = true, true, true
		case ']', ')', '}':
			sh.odd = true
		case '*':
			sh.pattern = sh.pattern || i > 0
		case '|', '^', '$', '?', '+':
			sh.pattern = true
		}
	}
	if len(s) > 4 {
		sh.x = (s[0]|0x20 == 'h' || s[0]|0x20 == 'f') && s[1]|0x20 == 'x'
	}
	return sh
}
