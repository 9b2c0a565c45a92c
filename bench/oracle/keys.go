package oracle

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/interdict/interdict/schema"
)

// key is what two observations may share: one entity, or two (b is then set).
// The entities themselves are compared, never a text made of them: an entity's
// key may hold any character.
type key struct{ a, b schema.EntityRef }

func (k key) pair() bool { return !k.b.IsZero() }

// text is the key as reasons show it.
func (k key) text() string {
	if !k.pair() {
		return k.a.String()
	}
	x, y := k.a.String(), k.b.String()
	return min(x, y) + "|" + max(x, y)
}

// rank is the place of a linking type in the table, read by rows.
func rank(t schema.EntityType) (int, bool) {
	switch t {
	case schema.EntityHost:
		return 0, true
	case schema.EntityUser:
		return 1, true
	case schema.EntityIP:
		return 2, true
	case schema.EntityMailbox:
		return 3, true
	case schema.EntityCloudResource:
		return 4, true
	case schema.EntityCloudAccount:
		return 5, true
	case schema.EntityApplication:
		return 6, true
	case schema.EntityFileHash:
		return 7, true
	case schema.EntityDomain:
		return 8, true
	case schema.EntityURL:
		return 9, true
	}
	return 0, false
}

// tells is the kind of thing an entity tells of; "" makes no pairs.
func tells(e schema.EntityRef) string {
	switch e.Type {
	case schema.EntityUser, schema.EntityMailbox:
		return "person"
	case schema.EntityHost:
		return "machine"
	case schema.EntityFileHash, schema.EntityDomain:
		return "artifact"
	case schema.EntityIP:
		if internal(e.Key) {
			return "machine"
		}
		return "artifact"
	}
	return ""
}

// keysOf gives the single and pair keys of an observation.
func (p Params) keysOf(entities []schema.Entity) (keys []key) {
	var used []schema.EntityRef
	for _, e := range entities {
		_, links := rank(e.Type)
		if !links || e.Role == schema.RoleSensor || e.Key == "" || len(e.Key) > maxKeyLen {
			continue
		}
		if !slices.Contains(p.Allowlist, e.Ref()) && !slices.Contains(used, e.Ref()) {
			used = append(used, e.Ref())
		}
	}
	slices.SortFunc(used, func(x, y schema.EntityRef) int {
		rx, _ := rank(x.Type)
		ry, _ := rank(y.Type)
		return cmp.Or(cmp.Compare(rx, ry), cmp.Compare(x.Key, y.Key))
	})
	used = used[:min(len(used), p.MaxEntities)]
	for _, e := range used {
		keys = append(keys, key{a: e})
	}
	for i, x := range used {
		for _, y := range used[i+1:] {
			if tx, ty := tells(x), tells(y); tx != "" && ty != "" && tx != ty {
				keys = append(keys, key{x, y})
			}
		}
	}
	return keys
}

// base is the window that a single key starts from.
func (p Params) base(e schema.EntityRef) schema.Millis {
	switch e.Type {
	case schema.EntityHost:
		return p.Base.Host
	case schema.EntityUser:
		return p.Base.User
	case schema.EntityIP:
		if internal(e.Key) {
			return p.Base.InternalIP
		}
		return p.Base.ExternalIP
	case schema.EntityMailbox:
		return p.Base.Mailbox
	case schema.EntityCloudResource:
		return p.Base.CloudResource
	case schema.EntityCloudAccount:
		return p.Base.CloudAccount
	case schema.EntityApplication:
		return p.Base.Application
	case schema.EntityFileHash:
		return p.Base.FileHash
	case schema.EntityDomain:
		return p.Base.Domain
	}
	return p.Base.URL
}

// internal reports whether an address belongs to nobody on the internet: one
// string may mean another machine tomorrow.
func internal(s string) bool {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	carrier := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	return addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || carrier.Contains(addr)
}
