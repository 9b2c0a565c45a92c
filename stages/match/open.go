package match

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"os"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// ErrSnapshot is what every error about the content of a snapshot wraps.
var ErrSnapshot = errors.New("not a whole snapshot")

// OpenSnapshot loads an index. Filters and entries come into memory, records stay in
// the file. Every byte is checked against the checksums first: a file that is cut,
// damaged or of another version is refused.
func OpenSnapshot(path string) (*Index, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the snapshot: %w", err)
	}
	defer f.Close()
	x, err := openSnapshot(f)
	if err != nil {
		return nil, fmt.Errorf("opening snapshot %s: %w", path, err)
	}
	return x, nil
}

// OpenLast loads the snapshot of that name or, if it is refused, the one that it
// replaced. refused says why the newest was not used; it is nil when it was.
func OpenLast(path string) (x *Index, refused, err error) {
	x, err = OpenSnapshot(path)
	if err == nil {
		return x, nil, nil
	}
	old, oldErr := OpenSnapshot(path + previous)
	if oldErr == nil {
		return old, err, nil
	}
	if errors.Is(err, fs.ErrNotExist) && errors.Is(oldErr, fs.ErrNotExist) {
		return nil, nil, err
	}
	return nil, nil, errors.Join(err, oldErr)
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrSnapshot, fmt.Sprintf(format, args...))
}

// snapshotReader reads and checks.
type snapshotReader struct {
	f    *os.File
	size uint64
	end  uint64 // of what sections may cover
	buf  []byte
	mapp *mapping
}

// section is a place in the file with the sum of what is there.
type section struct{ at, size, sum uint64 }

func openSnapshot(f *os.File) (*Index, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	r := &snapshotReader{f: f, size: uint64(info.Size()), buf: make([]byte, 1<<20)}
	var h [headerSize]byte
	if n, err := f.ReadAt(h[:], 0); n < headerSize {
		return nil, refuse("the header is cut: %v", err)
	}
	if string(h[:8]) != snapshotMagic {
		return nil, refuse("it does not begin like one")
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != snapshotVersion {
		return nil, refuse("version %d, this program reads %d: it must be built anew", v, snapshotVersion)
	}
	if xxh3.Hash(h[:headerUsed-8]) != binary.LittleEndian.Uint64(h[headerUsed-8:]) {
		return nil, refuse("the header is damaged")
	}
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(h[16+8*i:]) }
	if shards := binary.LittleEndian.Uint32(h[12:]); shards != shardCount {
		return nil, refuse("%d shards, want %d", shards, shardCount)
	}
	if word(6) != r.size {
		return nil, refuse("%d bytes long, its header says %d", r.size, word(6))
	}
	r.end = word(3)
	if word(4) != directorySize || r.end > r.size || r.size-r.end != directorySize {
		return nil, refuse("the directory is not where it belongs")
	}
	dir := make([]byte, directorySize)
	if _, err := f.ReadAt(dir, int64(r.end)); err != nil {
		return nil, refuse("reading the directory: %v", err)
	}
	if xxh3.Hash(dir) != word(5) {
		return nil, refuse("the directory is damaged")
	}
	cfg := DefaultConfig()
	cfg.FalsePositives = math.Float64frombits(word(2))
	if err := cfg.Validate(); err != nil {
		return nil, refuse("%v", err)
	}
	if r.mapp, err = mapFile(f, info.Size()); err != nil {
		return nil, err
	}
	x, err := newIndex(cfg)
	if err != nil {
		return nil, err
	}
	for i := range x.shards {
		if x.shards[i], err = r.shard(dir[8*shardWords*i:], x.own.segment()); err != nil {
			return nil, fmt.Errorf("shard %d: %w", i, err)
		}
		x.n += x.shards[i].n
		x.sum += x.shards[i].sum
	}
	if uint64(x.n) != word(0) || x.sum != word(1) {
		return nil, refuse("the shards do not add up to what the header says")
	}
	if x.nets, err = r.networks(dir[8*shardWords*shardCount:]); err != nil {
		return nil, err
	}
	if err := x.types.read(dir[8*(shardWords*shardCount+3):], x.n); err != nil {
		return nil, err
	}
	return x, nil
}

// check gives a section's place after checking that it lies within the file and,
// through take, that its bytes have the right sum.
func (r *snapshotReader) check(name string, s section, take func([]byte)) error {
	if s.at < headerSize || s.at > r.end || s.size > r.end-s.at {
		return refuse("%s lie outside of the file", name)
	}
	h := xxh3.New()
	for at := uint64(0); at < s.size; {
		b := r.buf[:min(uint64(len(r.buf)), s.size-at)]
		if _, err := r.f.ReadAt(b, int64(s.at+at)); err != nil {
			return refuse("reading the %s: %v", name, err)
		}
		_, _ = h.Write(b) // never fails
		if take != nil {
			take(b)
		}
		at += uint64(len(b))
	}
	if h.Sum64() != s.sum {
		return refuse("the %s are damaged", name)
	}
	return nil
}

func (r *snapshotReader) shard(dir []byte, segment uint32) (*shard, error) {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(dir[8*i:]) }
	part := func(i int) section { return section{word(6 + 3*i), word(7 + 3*i), word(8 + 3*i)} }
	n, bits, probes, room, shift := word(0), word(2), word(3), word(4), word(5)
	filter, buckets, entries, records := part(0), part(1), part(2), part(3)
	if n > maxShard || bits == 0 || bits%lineBits != 0 || bits > math.MaxUint32 || probes < lineProbes || probes > maxProbes || room > math.MaxInt32 && int64(room) > 0 || shift > maxRadix {
		return nil, refuse("impossible sizes")
	}
	if filter.size != (bits+63)/64*8 || buckets.size != 4*(1<<shift+1) || entries.size != slotSize*n || records.size >= inOverlay {
		return nil, refuse("sections of impossible sizes")
	}
	if max(filter.size, buckets.size, entries.size, records.size) > r.size {
		return nil, refuse("sections larger than the file")
	}
	b := &base{size: bits, probes: int(probes), room: int(int64(room)), shift: uint(shift), mapped: r.mapp, segment: segment}
	if err := b.arrays(int(filter.size/8), 1<<shift+1, int(n)); err != nil {
		return nil, err
	}
	at := 0
	if err := r.check("filters", filter, func(p []byte) {
		for ; len(p) > 0; p = p[8:] {
			b.words[at] = binary.LittleEndian.Uint64(p)
			at++
		}
	}); err != nil {
		return nil, err
	}
	radix := b.radix
	if err := r.check("buckets", buckets, func(p []byte) {
		for ; len(p) > 0; p, radix = p[4:], radix[1:] {
			radix[0] = binary.LittleEndian.Uint32(p)
		}
	}); err != nil {
		return nil, err
	}
	slots := b.entries
	if err := r.check("entries", entries, func(p []byte) {
		for ; len(p) > 0; p, slots = p[slotSize:], slots[1:] {
			slots[0] = slot{binary.LittleEndian.Uint32(p), binary.LittleEndian.Uint32(p[4:])}
		}
	}); err != nil {
		return nil, err
	}
	if err := r.check("records", records, nil); err != nil {
		return nil, err
	}
	for i := 1; i < len(b.radix); i++ {
		if b.radix[i] < b.radix[i-1] {
			return nil, refuse("buckets out of order")
		}
	}
	if b.radix[0] != 0 || uint64(b.radix[len(b.radix)-1]) != n {
		return nil, refuse("buckets that do not hold all hashes")
	}
	b.records = r.mapp.data[records.at : records.at+records.size : records.at+records.size]
	return &shard{base: b, n: int(n), sum: word(1)}, nil
}

func (r *snapshotReader) networks(dir []byte) (*networks, error) {
	s := section{binary.LittleEndian.Uint64(dir), binary.LittleEndian.Uint64(dir[8:]), binary.LittleEndian.Uint64(dir[16:])}
	var list []netip.Prefix
	var raw []byte
	if s.size%networkSize != 0 {
		return nil, refuse("networks of an impossible size")
	}
	if err := r.check("networks", s, func(p []byte) { raw = append(raw, p...) }); err != nil {
		return nil, err
	}
	for ; len(raw) > 0; raw = raw[networkSize:] {
		a := netip.AddrFrom16([16]byte(raw[:16]))
		if raw[17] == 4 {
			a = a.Unmap()
		}
		p, err := a.Prefix(int(raw[16]))
		if err != nil {
			return nil, refuse("a network that is none: %v", err)
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, nil
	}
	return (*networks)(nil).with(list, nil), nil
}

// read takes the numbers by type, which must add up to n.
func (c *typeCounts) read(dir []byte, n int) error {
	sum := uint64(0)
	for t := range typeSlots {
		v := binary.LittleEndian.Uint64(dir[8*t:])
		if v > uint64(n) || v > 0 && t >= len(c) {
			return refuse("%d indicators of type %d", v, t)
		}
		sum += v
		c.add(schema.ObservableType(t), int(v))
	}
	if sum != uint64(n) {
		return refuse("the types do not add up to what the header says")
	}
	return nil
}
