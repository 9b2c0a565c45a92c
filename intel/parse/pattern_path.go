package parse

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
)

// compared makes the atom of one object path and value.
func compared(path string, v token, op string) (atom, error) {
	like := op == "LIKE" || op == "MATCHES"
	a := atom{path: path}
	object, steps, _ := strings.Cut(path, ":")
	switch {
	case object == "network-traffic" && (steps == "dst_port" || steps == "src_port"):
		// MISP writes the number as a text.
		n, err := strconv.ParseUint(v.text, 10, 16)
		if like || err != nil || n == 0 {
			return a, fmt.Errorf("pattern: %s is compared with no port", path)
		}
		a.kind, a.port = atomPort, strconv.FormatUint(n, 10)
		return a, nil
	case !v.quoted:
		return a, fmt.Errorf("pattern: %s is not compared with a text", shown(path))
	case object == "network-traffic" && (steps == "dst_ref.type" || steps == "src_ref.type"):
		if like || v.text != "ipv4-addr" && v.text != "ipv6-addr" && v.text != "domain-name" {
			return a, fmt.Errorf("pattern: %s is not matched", shown(path))
		}
		a.kind = atomType
		return a, nil
	}
	t, ok := pathType(object, steps)
	if !ok {
		return a, fmt.Errorf("pattern: %s is not matched", shown(path))
	}
	text := v.text
	if like {
		if t, text, ok = partOf(t, op, text); !ok {
			return a, fmt.Errorf("pattern: %s %s: %w", shown(path), op, errPattern)
		}
	}
	o, err := Value(t, text)
	if err == nil && !like && o.Type == schema.ObservableURLPrefix {
		err = errPattern // "*" is no wildcard of STIX
	}
	switch {
	case err == nil:
	case object == "network-traffic" && t == schema.ObservableIP:
		o, err = domain(text)
	case object == "domain-name" && plainIP(text) != "": // feeds that know of a host only that it has a name or an address
		o, err = Value(schema.ObservableIP, text)
	}
	if err != nil {
		return a, fmt.Errorf("pattern: %s %s: %w", path, shown(v.text), err)
	}
	a.value = o
	return a, nil
}

// pathType gives the type of what an object path leads to.
func pathType(object, steps string) (schema.ObservableType, bool) {
	first, rest, _ := strings.Cut(steps, ".")
	switch object {
	case "ipv4-addr", "ipv6-addr":
		return schema.ObservableIP, steps == "value"
	case "domain-name":
		return schema.ObservableDomain, steps == "value"
	case "url":
		return schema.ObservableURL, steps == "value"
	case "email-addr":
		return schema.ObservableEmail, steps == "value"
	case "email-message":
		return schema.ObservableEmail, steps == "sender_ref.value" || steps == "from_ref.value"
	case "mutex":
		return schema.ObservableMutex, steps == "name"
	case "windows-registry-key":
		return schema.ObservableRegistry, steps == "key"
	case "file":
		if first == "hashes" {
			return hashNamed(rest)
		}
	case "process":
		if first == "image_ref" || first == "binary_ref" {
			if name, ok := strings.CutPrefix(rest, "hashes."); ok {
				return hashNamed(name)
			}
		}
	case "x509-certificate":
		if first == "hashes" {
			t, ok := hashNamed(rest)
			return schema.ObservableCertificate, ok && t == schema.ObservableHash
		}
	case "network-traffic":
		switch {
		case steps == "dst_ref.value" || steps == "src_ref.value" || steps == "dst_ip" || steps == "src_ip": // the latter are no standard's
			return schema.ObservableIP, true
		case word(steps) == "extensionshttprequestextrequestvalue":
			return schema.ObservableURLPath, true
		case word(steps) == "extensionshttprequestextrequestheaderuseragent" || word(steps) == "extensionshttprequestextrequestheaderuseragent0":
			return schema.ObservableUserAgent, true
		}
	}
	// Fingerprints of TLS have no place in the standard: the last step names them.
	switch t, _ := typeNamed(steps[strings.LastIndexByte(steps, '.')+1:]); t {
	case schema.ObservableJA3, schema.ObservableJA3S, schema.ObservableJA4:
		return t, true
	}
	return schema.ObservableUnknown, false
}

// hashNamed gives the type of a hash by its algorithm.
func hashNamed(name string) (schema.ObservableType, bool) {
	switch word(name) {
	case "md5", "sha1", "sha256":
		return schema.ObservableHash, true
	case "ssdeep":
		return schema.ObservableSSDeep, true
	}
	return schema.ObservableUnknown, false
}
