package normalize

import "github.com/interdict/interdict/schema"

// Canonical gives the key under which the value of an observable stands in
// alerts, or "" for what is no such thing. Threat intelligence is brought into
// the same form by it, so that equal things are equal bytes.
func Canonical(t schema.ObservableType, s string) string {
	var a arena
	switch t {
	case schema.ObservableIP:
		return a.ip(s)
	case schema.ObservableDomain:
		return a.domain(s)
	case schema.ObservableURL:
		return a.url(s)
	case schema.ObservableHash:
		return a.hash(s)
	case schema.ObservableEmail:
		return a.mailbox(s)
	}
	return ""
}

// HostKey gives the key under which a host stands in alerts, or "".
func HostKey(name string) string {
	var a arena
	return a.host(name)
}
