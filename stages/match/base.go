package match

import (
	"errors"
	"math/bits"

	"github.com/bits-and-blooms/bloom/v3"
)

// Bounds of a shard's base.
const (
	maxProbes = 24
	maxRadix  = 24
	maxShard  = 1 << 30 // entries
	inOverlay = 1 << 31 // bit of a place: the record is in the shard's overlay, not in the base's records
)

var errShardFull = errors.New("a shard's records take more than 2 GiB")

// base is the bulk of a shard: a filter, and all entries in the order of their
// hashes. The first bits of a hash choose a bucket, of which radix holds the start;
// the 32 bits behind those are stored. The few bits that are stored nowhere cost
// nothing, because every candidate's value is compared. A base never changes.
//
// Filter, radix and entries are in memory; records may be the snapshot file.
type base struct {
	words   []uint64 // of a bloom filter with size bits
	size    uint64
	probes  int
	room    int // keys that the filter takes before it lets through more than it should
	shift   uint
	radix   []uint32 // 1<<shift + 1 starts
	entries []slot
	records []byte
	mapped  *mapping // keeps records there; nil when they are in memory
	segment uint32   // names records in caches
}

// slot is an entry: of its hash what the bucket does not say, and where its record
// begins. Both are in one line of memory, because who wants one wants the other.
type slot struct{ rest, place uint32 }

// slotSize is the size of a slot in memory and in a snapshot.
const slotSize = 8

func (b *base) len() int { return len(b.entries) }

// bucketKey is the part of a hash that a base keeps: bucket and 32 bits.
func (b *base) bucketKey(h uint64) uint64 { return h << shardBits >> (32 - b.shift) }

// span gives the entries that may be of the hash.
func (b *base) span(h uint64) (lo, hi int) {
	key := b.bucketKey(h)
	bucket, want := key>>32, uint32(key)
	lo, end := int(b.radix[bucket]), int(b.radix[bucket+1])
	for lo < end && b.entries[lo].rest < want {
		lo++
	}
	hi = lo
	for hi < end && b.entries[hi].rest == want {
		hi++
	}
	return lo, hi
}

// maybe asks the filter, first the locations that lie in one cache line and turn down
// fifteen of sixteen absent keys. False is certain. The others are asked in pairs
// without a branch between them, so that memory fetches both at once.
func (b *base) maybe(h uint64) bool {
	line, bits := lineOf(h, b.size/lineBits)
	words := b.words[line*(lineBits/64):][:lineBits/64]
	if words[bits>>6&7]>>(bits&63)&(words[bits>>15&7]>>(bits>>9&63))&(words[bits>>24&7]>>(bits>>18&63))&(words[bits>>33&7]>>(bits>>27&63))&1 == 0 {
		return false
	}
	p := probeOf(h)
	n := b.probes - lineProbes
	for ; n > 1; n -= 2 {
		one, two := p.next(b.size), p.next(b.size)
		if b.words[one>>6]>>(one&63)&(b.words[two>>6]>>(two&63))&1 == 0 {
			return false
		}
	}
	if n > 0 {
		at := p.next(b.size)
		return b.words[at>>6]>>(at&63)&1 != 0
	}
	return true
}

// touch reads from the line of memory that maybe reads first.
func (b *base) touch(h uint64) uint64 {
	line, _ := lineOf(h, b.size/lineBits)
	return b.words[line*(lineBits/64)]
}

// filterFor gives the size of a filter for n keys and an eighth more, so that a
// shard can grow a while before its filter is made anew.
func filterFor(n int, falsePositives float64) (size, probes uint, room int) {
	room = n/8 + 64
	m, k := bloom.EstimateParameters(uint(n+room), falsePositives)
	return (m + lineBits - 1) / lineBits * lineBits, min(max(k, lineProbes), maxProbes), room
}

// filter gives the base's filter for setting keys in it while the base is made.
func (b *base) filter() *bloom.BloomFilter {
	return bloom.FromWithM(b.words, uint(b.size), uint(b.probes))
}

func setKey(f *bloom.BloomFilter, h uint64) {
	size := uint64(f.Cap())
	line, bits := lineOf(h, size/lineBits)
	for range lineProbes {
		f.BitSet().Set(uint(line*lineBits + bits%lineBits))
		bits /= lineBits
	}
	p := probeOf(h)
	for range f.K() - lineProbes {
		f.BitSet().Set(uint(p.next(size)))
	}
}

// item is an entry on its way into a base.
type item struct {
	hash  uint64
	place uint32
}

// newBase makes the base of items in order of their hashes. The items' places must
// be valid in records or in the overlay that comes with the base.
func newBase(items []item, records []byte, falsePositives float64) (*base, error) {
	size, probes, room := filterFor(len(items), falsePositives)
	b := &base{size: uint64(size), probes: int(probes), room: room, shift: radixBits(len(items)), records: records}
	if err := b.arrays(int(size+63)/64, 1<<b.shift+1, len(items)); err != nil {
		return nil, err
	}
	filter := b.filter()
	for i := range items {
		setKey(filter, items[i].hash)
	}
	b.fill(items)
	return b, nil
}

// fill puts the items, which are in order, into the buckets.
func (b *base) fill(items []item) {
	for i, it := range items {
		key := b.bucketKey(it.hash)
		b.radix[key>>32+1]++
		b.entries[i] = slot{uint32(key), it.place}
	}
	for i := 1; i < len(b.radix); i++ {
		b.radix[i] += b.radix[i-1]
	}
}

// radixBits chooses the number of buckets: 4 to 8 entries in each.
func radixBits(n int) uint { return uint(min(maxRadix, max(0, bits.Len(uint(n))-3))) }

// crowded reports whether merging makes no sense any more, because the filter or
// the buckets have become too small, or much too large.
func (b *base) crowded(keys, entries int) bool {
	return keys > b.room || entries > 16<<b.shift || entries < 4096 || entries < 2<<b.shift
}
