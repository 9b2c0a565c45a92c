package correlate

import (
	"encoding/binary"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// hashOf seeds with the type: the maps are per tenant, so tenants never meet.
func hashOf(r schema.EntityRef) uint64 { return xxh3.HashStringSeed(r.Key, uint64(r.Type)) }

// intern gives the record of a single key. The text is compared: equal hashes
// do not make equal keys.
func (t *tenant) intern(p part) int32 {
	h := hashOf(p.ref)
	head := t.singles.get(h)
	for i := head; i != 0; i = t.keys.at(i).chain {
		if k := t.keys.at(i); k.typ == p.ref.Type && string(t.blobs.get(k.text)) == p.ref.Key {
			return i
		}
	}
	i, k := t.keys.alloc()
	k.hash, k.chain, k.typ, k.class = h, head, p.ref.Type, classOf(p.ref)
	k.text = t.blobs.add([]byte(p.ref.Key))
	t.singles.set(h, i)
	return i
}

// entity names a single key. The key aliases state that is never overwritten.
func (t *tenant) entity(k int32) schema.EntityRef {
	r := t.keys.at(k)
	return schema.EntityRef{Type: r.typ, Key: alias(t.blobs.get(r.text))}
}

func pairID(a, b int32) uint64 { return uint64(a)<<32 | uint64(b) }

// pairOf gives the record of a pair of single keys, a < b.
func (t *tenant) pairOf(a, b int32) int32 {
	id := pairID(a, b)
	if i := t.pairs.get(id); i != 0 {
		return i
	}
	i, k := t.keys.alloc()
	k.a, k.b = a, b
	t.keys.mut(a).refs++
	t.keys.mut(b).refs++
	t.pairs.set(id, i)
	return i
}

// unrefKey takes a reference from a single key and frees it with the last one.
// Its degree is not needed any more: what is evicted is older than any degree
// that can still be asked for.
func (t *tenant) unrefKey(i int32) {
	k := t.keys.mut(i)
	k.refs--
	if k.refs > 0 {
		return
	}
	for c := k.counts; c != 0; c = t.counts.at(c).next {
		t.counts.release(c)
	}
	for _, s := range k.segs {
		for ; s != 0; s = t.segs.at(s).next {
			t.unref(t.segs.at(s).slot)
			t.segs.release(s)
		}
	}
	if head := t.singles.get(k.hash); head == i {
		t.singles.set(k.hash, k.chain)
	} else {
		for t.keys.at(head).chain != i {
			head = t.keys.at(head).chain
		}
		t.keys.mut(head).chain = k.chain
	}
	t.blobs.release(k.text)
	t.keys.release(i)
}

// count adds an on-time observation of key i in hour h, and forgets the hours
// that no on-time observation can ask for.
func (t *tenant) count(i, h int32) {
	oldest := int32(-1 << 31)
	if t.born {
		oldest = hourOf(t.watermark) - degreeSpan - sealedLag
	}
	prev, c := int32(0), t.keys.at(i).counts
	for c != 0 && t.counts.at(c).hour > h {
		prev, c = c, t.counts.at(c).next
	}
	if c != 0 && t.counts.at(c).hour == h {
		t.counts.mut(c).n++
		return
	}
	n, rec := t.counts.alloc()
	rec.hour, rec.n, rec.next = h, 1, c
	if prev == 0 {
		t.keys.mut(i).counts = n
	} else {
		t.counts.mut(prev).next = n
	}
	c = n
	for n := t.counts.at(c).next; n != 0; c, n = n, t.counts.at(n).next {
		if t.counts.at(n).hour >= oldest {
			continue
		}
		t.counts.mut(c).next = 0
		for ; n != 0; n = t.counts.at(n).next {
			t.counts.release(n)
		}
		return
	}
}

// degree sums the sealed hours before an observation in hour h; saturated. What
// is sealed stays as it is, so the last sum is kept.
func (t *tenant) degree(i, h int32) uint16 {
	k := t.keys.mut(i)
	if k.known && k.degAt == h {
		return k.deg
	}
	var sum uint64
	for c := k.counts; c != 0; c = t.counts.at(c).next {
		r := t.counts.at(c)
		if r.hour < h-sealedLag-degreeSpan {
			break
		}
		if r.hour < h-sealedLag {
			sum += uint64(r.n)
		}
	}
	k.deg, k.degAt, k.known = uint16(min(sum, noDegree-1)), h, true
	return k.deg
}

// obsKeys is an observation's entities: the linking ones first, in (rank, key)
// order. Encoded as the number that link, then 7 bytes each: key record, degree,
// roles.
type obsKeys []byte

const obsKeySize = 7

func (k obsKeys) links() int { return int(k[0]) }
func (k obsKeys) len() int   { return (len(k) - 1) / obsKeySize }
func (k obsKeys) key(i int) int32 {
	return int32(binary.LittleEndian.Uint32(k[1+i*obsKeySize:]))
}
func (k obsKeys) degree(i int) uint16 { return binary.LittleEndian.Uint16(k[5+i*obsKeySize:]) }
func (k obsKeys) roles(i int) uint8   { return k[7+i*obsKeySize] }

func (k obsKeys) append(key int32, degree uint16, roles uint8) obsKeys {
	k = binary.LittleEndian.AppendUint32(k, uint32(key))
	k = binary.LittleEndian.AppendUint16(k, degree)
	return append(k, roles)
}

func (t *tenant) keysOf(o *obsRec) obsKeys { return obsKeys(t.blobs.get(o.keys)) }
