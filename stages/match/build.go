package match

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// Build makes an index of indicators whose values are in canonical form. The
// order of the argument does not matter; of equal indicators of one feed the surest
// counts. An indicator that must never be in an index is an error: see Check.
func Build(cfg Config, indicators []schema.Indicator) (*Index, error) {
	b, err := NewBuilder(cfg, nil)
	if err != nil {
		return nil, err
	}
	for i := range indicators {
		if err := b.Add(indicators[i]); err != nil {
			return nil, err
		}
	}
	return b.Index()
}

// Builder collects indicators in any order and any number.
type Builder struct {
	cfg   Config
	parts [shardCount]part
	nets  []netip.Prefix
	spill *os.File // nil: all is kept in memory
	end   int64    // of what was spilled
}

// part is what goes into one shard: records one behind the other.
type part struct {
	tail   []byte
	chunks []chunk // spilled before the tail
}

type chunk struct{ at, size int64 }

// spillAt is how much of a part waits in memory.
const spillAt = 256 << 10

// NewBuilder makes a builder. With a file, which it writes over, records wait there
// instead of in memory, so that a library larger than memory can be built straight
// into a snapshot.
func NewBuilder(cfg Config, spill *os.File) (*Builder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Builder{cfg: cfg, spill: spill}, nil
}

// Add takes an indicator. One that must not stand in an index is an error and
// changes nothing.
func (b *Builder) Add(i schema.Indicator) error {
	if err := Check(i); err != nil {
		return fmt.Errorf("indicator %s of feed %s: %w", i.ID, i.Feed, err)
	}
	if i.Type == schema.ObservableCIDR {
		b.nets = append(b.nets, netip.MustParsePrefix(i.Value)) // Check has parsed it
	}
	p := &b.parts[shardOf(hashKey(i.Type, i.Value))]
	p.tail = appendRecord(p.tail, &i)
	if b.spill == nil || len(p.tail) < spillAt {
		return nil
	}
	return b.flush(p)
}

// flush writes what waits of a part to the file.
func (b *Builder) flush(p *part) error {
	if _, err := b.spill.WriteAt(p.tail, b.end); err != nil {
		return fmt.Errorf("building the index: %w", err)
	}
	p.chunks = append(p.chunks, chunk{b.end, int64(len(p.tail))})
	b.end += int64(len(p.tail))
	p.tail = p.tail[:0]
	return nil
}

// Index makes the index. Its records are in memory; see WriteSnapshot for a library
// whose records are better left on disk.
func (b *Builder) Index() (*Index, error) {
	x, err := newIndex(b.cfg)
	if err != nil {
		return nil, err
	}
	for i := range b.parts {
		s, err := b.shard(i, x)
		if err != nil {
			return nil, err
		}
		if s != nil {
			x.shards[i] = s
			x.n += s.n
			x.sum += s.sum
		}
	}
	if len(b.nets) > 0 {
		x.nets = x.nets.with(b.nets, nil)
	}
	return x, nil
}

// shard makes one shard of x, counts its types there, and lets go of what it was
// made of; nil when it is empty.
func (b *Builder) shard(number int, x *Index) (*shard, error) {
	p := &b.parts[number]
	size := len(p.tail)
	for _, c := range p.chunks {
		size += int(c.size)
	}
	if size == 0 {
		return nil, nil
	}
	if size >= inOverlay {
		return nil, errShardFull
	}
	raw := make([]byte, 0, size)
	for _, c := range p.chunks {
		raw = raw[:len(raw)+int(c.size)]
		if _, err := b.spill.ReadAt(raw[len(raw)-int(c.size):], c.at); err != nil {
			return nil, fmt.Errorf("building the index: %w", err)
		}
	}
	raw = append(raw, p.tail...)
	*p = part{}
	var items []item
	for at := 0; at < len(raw); {
		r, ok := parse(raw[at:])
		if !ok {
			return nil, errDamaged
		}
		items = append(items, item{hashBytes(r.small[0], r.value), uint32(at)})
		at += bodyEnd(raw[at:])
	}
	slices.SortFunc(items, func(a, b item) int {
		if c := cmp.Compare(a.hash, b.hash); c != 0 {
			return c
		}
		return surest(raw[a.place:], raw[b.place:])
	})
	s := &shard{}
	records := make([]byte, 0, len(raw))
	kept := items[:0]
	var last record
	for _, it := range items {
		r, _ := parse(raw[it.place:])
		if len(last.small) > 0 && r.same(last) {
			continue
		}
		last = r
		kept = append(kept, item{it.hash, uint32(len(records))})
		records = append(records, r.whole...)
		s.sum += xxh3.Hash(r.whole)
		x.types.add(r.typ(), 1)
	}
	s.n = len(kept)
	var err error
	if s.base, err = newBase(kept, records, b.cfg.FalsePositives); err != nil {
		return nil, err
	}
	s.base.segment = x.own.segment()
	return s, nil
}

// bodyEnd is the length of the record at the start of b, which parse has accepted.
func bodyEnd(b []byte) int {
	n, k := binary.Uvarint(b)
	return k + int(n)
}

// surest orders records of one hash: by indicator, and of one that a feed has twice
// the surest first, whichever came first.
func surest(a, b []byte) int {
	p, _ := parse(a)
	q, _ := parse(b)
	if c := cmp.Or(cmp.Compare(p.small[0], q.small[0]), compareBytes(p.value, q.value), compareBytes(p.feed, q.feed),
		compareBytes(p.id, q.id), compareBool(p.uuid, q.uuid)); c != 0 {
		return c
	}
	i, _ := p.decode()
	j, _ := q.decode()
	return cmp.Or(cmp.Compare(j.Confidence, i.Confidence), cmp.Compare(j.Severity, i.Severity), cmp.Compare(i.Verdict, j.Verdict),
		cmp.Compare(j.Rank, i.Rank), cmp.Compare(j.TLP.Secrecy(), i.TLP.Secrecy()), cmp.Compare(i.ValidUntil, j.ValidUntil),
		cmp.Compare(i.ValidFrom, j.ValidFrom), cmp.Compare(j.Fresh, i.Fresh), compareBytes(p.whole, q.whole))
}

// WriteSnapshot makes the index shard by shard and writes it as a snapshot, never
// holding more than one shard's records. The builder is used up.
func (b *Builder) WriteSnapshot(path string) error {
	x, err := newIndex(b.cfg)
	if err != nil {
		return err
	}
	if len(b.nets) > 0 {
		x.nets = x.nets.with(b.nets, nil)
	}
	w, err := createSnapshot(path, nil)
	if err != nil {
		return err
	}
	for i := range b.parts {
		s, err := b.shard(i, x)
		if err != nil {
			return errors.Join(err, w.abandon())
		}
		if s == nil {
			s = x.shards[i]
		}
		x.n += s.n
		x.sum += s.sum
		if err := w.shard(s); err != nil {
			return errors.Join(err, w.abandon())
		}
	}
	return w.finish(x)
}
