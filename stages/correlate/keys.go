package correlate

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/interdict/interdict/schema"
)

// maxKey is the longest entity key, in bytes, that makes a key.
const maxKey = 512

// maxExtra bounds the entities of an observation that are kept for heads and
// paths though they make no key: allowlisted ones, and those over max_entities.
const maxExtra = 16

// part is an entity of an observation, with all the roles it has there.
type part struct {
	ref   schema.EntityRef
	class class
	roles uint8 // bit per schema.Role
	links bool
}

// rankOf is the place of an entity type in the table of docs/correlation.md.
func rankOf(t schema.EntityType) (rank uint8, linking bool) {
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

// kind is what an entity tells of: a pair is evidence only when its halves are of
// different kinds. A person's mailbox, a host's address, the domain of a known
// file say again what their partner says.
type kind uint8

const (
	kindNone kind = iota // makes no pairs
	kindPerson
	kindMachine
	kindArtifact
)

func (c class) kind() kind {
	switch c {
	case classUser, classMailbox:
		return kindPerson
	case classHost, classInternalIP:
		return kindMachine
	case classExternalIP, classFileHash, classDomain:
		return kindArtifact
	}
	return kindNone
}

// pairing reports whether two entities of one observation make a pair key.
func pairing(a, b class) bool {
	return a.kind() != kindNone && b.kind() != kindNone && a.kind() != b.kind()
}

func classOf(r schema.EntityRef) class {
	switch r.Type {
	case schema.EntityHost:
		return classHost
	case schema.EntityUser:
		return classUser
	case schema.EntityMailbox:
		return classMailbox
	case schema.EntityCloudResource:
		return classCloudResource
	case schema.EntityCloudAccount:
		return classCloudAccount
	case schema.EntityApplication:
		return classApplication
	case schema.EntityFileHash:
		return classFileHash
	case schema.EntityDomain:
		return classDomain
	case schema.EntityURL:
		return classURL
	}
	if internalIP(r.Key) {
		return classInternalIP
	}
	return classExternalIP
}

// internalIP reports an address that is not unique in the world: it is reused,
// so its window is short.
func internalIP(s string) bool {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return false
	}
	a = a.Unmap()
	if a.Is4() {
		if b := a.As4(); b[0] == 100 && b[1]&0xc0 == 64 { // carrier-grade NAT, RFC 6598
			return true
		}
	}
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()
}

// partsOf lists the entities of a that make keys, in (rank, key) order and at
// most max_entities of them, then at most maxExtra others of linking types.
// The result is valid until the next call; keys alias the alert.
func (c *Correlator) partsOf(a *schema.Alert) []part {
	ps := c.parts[:0]
	for i := range a.Entities {
		e := &a.Entities[i]
		if _, ok := rankOf(e.Type); !ok || e.Key == "" || len(e.Key) > maxKey {
			continue
		}
		ps = append(ps, part{ref: e.Ref(), roles: 1 << (e.Role & 7)})
	}
	slices.SortFunc(ps, func(a, b part) int {
		if a.ref.Type != b.ref.Type {
			ra, _ := rankOf(a.ref.Type)
			rb, _ := rankOf(b.ref.Type)
			return cmp.Compare(ra, rb)
		}
		return cmp.Compare(a.ref.Key, b.ref.Key)
	})
	out := ps[:0]
	for _, p := range ps {
		if n := len(out); n > 0 && out[n-1].ref == p.ref {
			out[n-1].roles |= p.roles
			continue
		}
		out = append(out, p)
	}
	c.parts = ps[:0]

	linking, extra := 0, 0
	kept := c.kept[:0]
	spare := c.spare[:0]
	for _, p := range out {
		_, silent := c.ladder.allow[p.ref]
		silent = silent || p.roles == 1<<schema.RoleSensor
		switch {
		case !silent && linking < c.ladder.maxEntities:
			linking++
			p.links, p.class = true, classOf(p.ref)
			kept = append(kept, p)
		case p.roles != 1<<schema.RoleSensor && extra < maxExtra:
			extra++
			spare = append(spare, p)
		}
	}
	kept = append(kept, spare...)
	c.kept, c.spare = kept, spare[:0]
	return kept
}
