package match

import (
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// The hash of a key is made once; everything else follows from its bits. The top
// shardBits name the shard; the bits behind them are the place in the shard's sorted
// base; all of them, mixed, are the locations in its filter.
const (
	shardBits  = 8
	shardCount = 1 << shardBits
)

// hashKey hashes a value with its type: the same text as another type is another
// key. The hash is the same in every process, because snapshots hold it.
func hashKey(t schema.ObservableType, value string) uint64 {
	return xxh3.HashString(value) ^ uint64(t)*0x9E3779B97F4A7C15
}

func hashBytes(t byte, value []byte) uint64 {
	return xxh3.Hash(value) ^ uint64(t)*0x9E3779B97F4A7C15
}

func shardOf(h uint64) int { return int(h >> (64 - shardBits)) }

// lineBits is the size of a cache line, lineProbes how many locations of a key lie in
// one: an absent value nearly always costs a single access to memory.
const (
	lineBits   = 512
	lineProbes = 4
)

// lineOf gives the line of a key among so many, and the places of its bits there,
// nine bits each.
func lineOf(h, lines uint64) (line, bits uint64) {
	return h * 0xD6E8FEB86659FD93 >> 32 * lines >> 32, h * 0x9FB21C651E98DF25 >> 28
}

// probe is the walk through the whole filter: a first location and an odd step, both
// of 32 bits, scaled to the filter's size without a division.
type probe struct{ at, step uint32 }

func probeOf(h uint64) probe {
	g := h * 0xA0761D6478BD642F
	return probe{uint32(g >> 32), uint32(g) | 1}
}

// next gives a location below size and steps on.
func (p *probe) next(size uint64) uint64 {
	at := uint64(p.at) * size >> 32
	p.at += p.step
	return at
}
