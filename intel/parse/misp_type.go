package parse

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// attributeType tells what kind of value a simple MISP attribute type holds; ok is
// false for types that are not matched.
func attributeType(name string) (t schema.ObservableType, ok bool) {
	switch name {
	case "ip-src", "ip-dst", "ip":
		return schema.ObservableIP, true
	case "domain", "hostname":
		return schema.ObservableDomain, true
	case "url":
		return schema.ObservableURL, true
	case "uri":
		return schema.ObservableURLPath, true
	case "md5", "sha1", "sha256":
		return schema.ObservableHash, true
	case "ssdeep":
		return schema.ObservableSSDeep, true
	case "email", "email-src", "email-dst", "email-reply-to":
		return schema.ObservableEmail, true
	case "x509-fingerprint-md5", "x509-fingerprint-sha1", "x509-fingerprint-sha256":
		return schema.ObservableCertificate, true
	case "ja3-fingerprint-md5":
		return schema.ObservableJA3, true
	case "ja3s-fingerprint-md5":
		return schema.ObservableJA3S, true
	case "ja4", "ja4-fingerprint":
		return schema.ObservableJA4, true
	case "user-agent", "http-user-agent":
		return schema.ObservableUserAgent, true
	case "mutex":
		return schema.ObservableMutex, true
	case "regkey":
		return schema.ObservableRegistry, true
	}
	return schema.ObservableUnknown, false
}

// mispValue is one value of an attribute.
type mispValue struct {
	typ  schema.ObservableType
	text string
}

// mispValues gives the values that an attribute names. A pair is one value where
// both together are (ip|port), the second where the first only describes it
// (filename|sha256), and two where each stands for itself (domain|ip). A registry
// key with a value (regkey|value) is none: the key alone is often everybody's.
func mispValues(name, text string) ([]mispValue, bool) {
	if t, ok := attributeType(name); ok {
		return []mispValue{{t, text}}, true
	}
	if name == "malware-sample" {
		name = "filename|md5"
	}
	left, right, pair := strings.Cut(name, "|")
	if !pair {
		return nil, false
	}
	// A file's name may have the sign itself: what counts stands behind the last.
	cutAt := strings.IndexByte(text, '|')
	if left == "filename" {
		cutAt = strings.LastIndexByte(text, '|')
	}
	one, two := text, ""
	if cutAt >= 0 {
		one, two = text[:cutAt], text[cutAt+1:]
	}
	switch {
	case name == "domain|ip":
		return []mispValue{{schema.ObservableDomain, one}, {schema.ObservableIP, two}}, true
	case name == "ip-src|port" || name == "ip-dst|port" || name == "ip|port":
		if strings.IndexByte(one, ':') >= 0 && !strings.HasPrefix(one, "[") {
			one = "[" + one + "]"
		}
		return []mispValue{{schema.ObservableSocket, one + ":" + two}}, true
	case left == "filename":
		if t, ok := attributeType(right); ok && (t == schema.ObservableHash || t == schema.ObservableSSDeep) {
			return []mispValue{{t, two}}, true
		}
	}
	return nil, false
}
