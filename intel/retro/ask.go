package retro

import (
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
)

// ask is one value that the store is to be asked for because of one indicator.
type ask struct {
	field Field
	value string
}

// asks appends what the store must be asked so that it gives every entity that the
// indicator may name: the entities of its own type and, of names and addresses, the
// URLs whose host they are.
func asks(to []ask, i *schema.Indicator) []ask {
	switch i.Type {
	case schema.ObservableIP:
		return literal(append(to, ask{FieldKey, i.Value}), FieldHost, i.Value)
	case schema.ObservableSocket:
		if a, err := netip.ParseAddrPort(i.Value); err == nil {
			return literal(append(to, ask{FieldKey, a.Addr().String()}), FieldHost, a.Addr().String())
		}
	case schema.ObservableCIDR:
		if p, err := netip.ParsePrefix(i.Value); err == nil {
			text := leading(p)
			return literal(append(to, ask{FieldAddress, text}), FieldLiteral, text)
		}
	case schema.ObservableDomain:
		return append(to, ask{FieldName, i.Value}, ask{FieldHost, i.Value}, ask{FieldSender, i.Value})
	case schema.ObservableSender:
		return append(to, ask{FieldSender, i.Value})
	case schema.ObservableURL:
		if _, rest := anyScheme(i.Value); rest != "" {
			return append(to, ask{FieldURL, rest})
		}
	case schema.ObservableURLPrefix:
		if _, rest := anyScheme(i.Value); rest != "" {
			return append(to, ask{FieldPrefix, rest})
		}
	case schema.ObservableURLPath:
		return append(to, ask{FieldPath, i.Value})
	case schema.ObservableJA3, schema.ObservableJA3S, schema.ObservableJA4:
		return append(to, ask{FieldKey, i.Type.String() + ":" + i.Value})
	case schema.ObservableHash, schema.ObservableEmail, schema.ObservableCertificate, schema.ObservableUserAgent, schema.ObservableMutex, schema.ObservableRegistry:
		return append(to, ask{FieldKey, i.Value})
	}
	return to
}

// literal asks for an address, or the beginning of one, as the host of a URL: an IPv4
// address may stand there in the form of IPv6.
func literal(to []ask, f Field, text string) []ask {
	if !strings.Contains(text, ":") {
		to = append(to, ask{f, "::ffff:" + text})
	}
	return append(to, ask{f, text})
}

// perQuery is how many values one query has. Values that are compared one by one
// with every row are fewer.
func perQuery(f Field) int {
	switch f {
	case FieldPrefix, FieldAddress, FieldLiteral:
		return 64
	}
	return 1000
}

// Answers reports whether an entity is in the answer to a query's values: what
// stores must agree with, and fakes are made of.
func (q *Query) Answers(e *schema.Entity) bool {
	equal := func(s string) bool {
		for _, v := range q.Values {
			if s == v {
				return true
			}
		}
		return false
	}
	begins := func(s string) bool {
		for _, v := range q.Values {
			if strings.HasPrefix(s, v) {
				return true
			}
		}
		return false
	}
	parents := func(name string) bool {
		for {
			if equal(name) {
				return true
			}
			var ok bool
			if _, name, ok = strings.Cut(name, "."); !ok {
				return false
			}
		}
	}
	switch q.Field {
	case FieldKey:
		return e.Type != schema.EntityURL && e.Type != schema.EntityDomain && equal(e.Key)
	case FieldName:
		return e.Type == schema.EntityDomain && parents(e.Key)
	case FieldSender:
		return e.Type == schema.EntityMailbox && parents(mailHost(e.Key))
	case FieldAddress:
		return e.Type == schema.EntityIP && begins(e.Key)
	}
	if e.Type != schema.EntityURL {
		return false
	}
	_, rest := anyScheme(e.Key)
	if rest == "" {
		return false
	}
	host, _, at := authority(rest)
	switch q.Field {
	case FieldHost:
		return parents(host)
	case FieldLiteral:
		return begins(host)
	case FieldURL:
		return equal(rest)
	case FieldPrefix:
		return begins(rest)
	case FieldPath:
		path, _, _ := strings.Cut(rest[at:], "?")
		return equal(rest[at:]) || equal(path)
	}
	return false
}
