package canon

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

// Canonical gives the key under which the value of an observable stands in
// alerts, or "" for what is no such thing. Threat intelligence is brought into
// the same form by it, so that equal things are equal bytes.
func Canonical(t schema.ObservableType, s string) string {
	var a arena.Arena
	switch t {
	case schema.ObservableIP:
		return IP(&a, s)
	case schema.ObservableDomain:
		return Domain(&a, s)
	case schema.ObservableURL:
		return URL(&a, s)
	case schema.ObservableHash:
		return Hash(&a, s)
	case schema.ObservableEmail:
		return Mailbox(&a, s)
	case schema.ObservableCertificate:
		return Certificate(&a, s)
	case schema.ObservableJA3, schema.ObservableJA3S:
		return JA3(&a, s)
	case schema.ObservableJA4:
		return JA4(&a, s)
	case schema.ObservableUserAgent:
		return UserAgent(&a, s)
	case schema.ObservableMutex:
		return Mutex(&a, s)
	case schema.ObservableRegistry:
		return Registry(&a, s)
	}
	return ""
}

// HostKey gives the key under which a host stands in alerts, or "".
func HostKey(name string) string {
	var a arena.Arena
	return Host(&a, name)
}
