package library

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"

	"github.com/klauspost/compress/s2"
	"github.com/zeebo/xxh3"
)

// A table is a file of keys in order, each with a payload: a header, blocks, the
// first key and the place of each block, and a trailer. A block is its two lengths,
// the xxh3 of these and its bytes, and its bytes, packed with S2; the trailer has the
// place and xxh3 of the list of blocks, how many entries and blocks there are, and
// the xxh3 of all blocks' sums. So any byte that is missing or changed is found by
// who reads it, and one value is found without reading the rest.

// ErrDamaged is what every error about the content of a file wraps.
var ErrDamaged = errors.New("the file is damaged")

const (
	tableMagic  = "ITDFACT1"
	tableHeader = 9 // magic and kind
	blockHeader = 16
	trailerSize = 48
	blockTarget = 32 << 10
	maxBlock    = 8 << 20 // of one unpacked block; an entry is far smaller
)

// Kinds of tables.
const (
	kindFacts byte = iota + 1
	kindCurrent
	kindObjects
	kindRun
)

type tableWriter struct {
	path  string
	f     *os.File
	w     *bufio.Writer
	at    uint64
	raw   []byte
	pack  []byte
	first []byte
	list  []byte // of blocks
	sums  *xxh3.Hasher
	n     uint64
	last  []byte
	err   error
}

func createTable(path string, kind byte) (*tableWriter, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("writing a table: %w", err)
	}
	t := &tableWriter{path: path, f: f, w: bufio.NewWriterSize(f, 256<<10), sums: xxh3.New()}
	t.write(append([]byte(tableMagic), kind))
	return t, nil
}

func (t *tableWriter) write(b []byte) {
	if t.err == nil {
		_, t.err = t.w.Write(b)
		t.at += uint64(len(b))
	}
}

// add appends an entry. Only runs may have a key twice.
func (t *tableWriter) add(key, payload []byte) error {
	if len(t.raw) == 0 {
		t.first = append(t.first[:0], key...)
	}
	if t.n > 0 && bytes.Compare(key, t.last) < 0 {
		return fmt.Errorf("writing %s: keys are out of order", t.path)
	}
	t.last = append(t.last[:0], key...)
	t.raw = binary.AppendUvarint(t.raw, uint64(len(key)))
	t.raw = append(t.raw, key...)
	t.raw = binary.AppendUvarint(t.raw, uint64(len(payload)))
	t.raw = append(t.raw, payload...)
	t.n++
	if len(t.raw) >= blockTarget {
		t.block()
	}
	if t.err != nil {
		return fmt.Errorf("writing %s: %w", t.path, t.err)
	}
	return nil
}

func (t *tableWriter) block() {
	if len(t.raw) == 0 {
		return
	}
	if len(t.raw) > maxBlock {
		t.err = errors.Join(t.err, fmt.Errorf("an entry of %d bytes is too long", len(t.raw)))
		return
	}
	t.list = appendText(t.list, string(t.first))
	t.list = binary.AppendUvarint(t.list, t.at)
	if n := s2.MaxEncodedLen(len(t.raw)); cap(t.pack) < n {
		t.pack = make([]byte, n)
	}
	packed := s2.Encode(t.pack[:cap(t.pack)], t.raw)
	var h [blockHeader]byte
	binary.LittleEndian.PutUint32(h[0:], uint32(len(packed)))
	binary.LittleEndian.PutUint32(h[4:], uint32(len(t.raw)))
	binary.LittleEndian.PutUint64(h[8:], blockSum(h[:8], packed))
	_, _ = t.sums.Write(h[8:]) // never fails
	t.write(h[:])
	t.write(packed)
	t.raw = t.raw[:0]
}

// blockSum covers the lengths of a block too.
func blockSum(lengths, packed []byte) uint64 {
	return xxh3.HashSeed(packed, binary.LittleEndian.Uint64(lengths))
}

// finish completes the file and, if asked, makes it durable.
func (t *tableWriter) finish(durable bool) error {
	t.block()
	var tail [trailerSize]byte
	for n, v := range [...]uint64{t.at, uint64(len(t.list)), xxh3.Hash(t.list), t.n, t.sums.Sum64()} {
		binary.LittleEndian.PutUint64(tail[8*n:], v)
	}
	binary.LittleEndian.PutUint64(tail[40:], xxh3.Hash(tail[:40]))
	t.write(t.list)
	t.write(tail[:])
	err := t.err
	if err == nil {
		err = t.w.Flush()
	}
	if err == nil && durable {
		err = t.f.Sync()
	}
	if err = errors.Join(err, t.f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", t.path, err)
	}
	return nil
}

// abandon closes and removes the file.
func (t *tableWriter) abandon() error { return errors.Join(t.f.Close(), os.Remove(t.path)) }

// table is a table that is read. It is not safe for several goroutines.
type table struct {
	path      string
	f         *os.File
	size      uint64
	listAt    uint64
	listSize  uint64
	listSum   uint64
	n         uint64
	sums      uint64
	keys      [][]byte // first of each block, once seek needs them
	places    []uint64
	lastBlock int // whose bytes raw has; -1: none
	raw, pack []byte
}

// openTable checks header and trailer. The blocks are checked as they are read.
func openTable(path string, kind byte) (_ *table, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a table: %w", err)
	}
	t := &table{path: path, f: f, lastBlock: -1}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	t.size = uint64(st.Size())
	var head [tableHeader]byte
	var tail [trailerSize]byte
	if t.size < tableHeader+trailerSize {
		return nil, t.damaged("it has been cut to %d bytes", t.size)
	}
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if _, err := f.ReadAt(tail[:], int64(t.size-trailerSize)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if string(head[:8]) != tableMagic || head[8] != kind {
		return nil, t.damaged("its beginning is not that of such a file")
	}
	word := func(n int) uint64 { return binary.LittleEndian.Uint64(tail[8*n:]) }
	if xxh3.Hash(tail[:40]) != word(5) {
		return nil, t.damaged("it has been cut, or its end has changed")
	}
	t.listAt, t.listSize, t.listSum, t.n, t.sums = word(0), word(1), word(2), word(3), word(4)
	if t.listAt < tableHeader || t.listAt > t.size-trailerSize || t.listSize != t.size-trailerSize-t.listAt {
		return nil, t.damaged("it is longer or shorter than it should be")
	}
	return t, nil
}

func (t *table) damaged(format string, args ...any) error {
	return &fileError{t.path, fmt.Sprintf(format, args...)}
}

func (t *table) close() error { return t.f.Close() }

// unpack checks a block and unpacks it into raw.
func (t *table) unpack(h, packed, raw []byte) ([]byte, error) {
	n := int(binary.LittleEndian.Uint32(h[4:]))
	if blockSum(h[:8], packed) != binary.LittleEndian.Uint64(h[8:]) || n > maxBlock {
		return nil, t.damaged("a block has changed")
	}
	if size, err := s2.DecodedLen(packed); err != nil || size != n {
		return nil, t.damaged("a block does not unpack to its length")
	}
	if cap(raw) < n {
		raw = make([]byte, n)
	}
	raw, err := s2.Decode(raw[:n], packed)
	if err != nil || len(raw) != n {
		return nil, t.damaged("a block does not unpack")
	}
	return raw, nil
}

// grown gives a slice of that length, in b's memory if there is enough.
func grown(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

// cutEntry takes an entry off the front of a block.
func cutEntry(b []byte) (key, payload, rest []byte, ok bool) {
	n, k := binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, nil, false
	}
	key, b = b[k:k+int(n)], b[k+int(n):]
	n, k = binary.Uvarint(b)
	if k <= 0 || n > uint64(len(b)-k) {
		return nil, nil, nil, false
	}
	return key, b[k : k+int(n)], b[k+int(n):], true
}

// cursor goes through a table from its beginning to its end. key and payload are
// valid until the next call of next.
type cursor struct {
	t            *table
	r            *bufio.Reader
	at           uint64
	sums         *xxh3.Hasher
	n            uint64
	rest         []byte
	raw, pack    []byte
	key, payload []byte
	done         bool
}

// scan begins at the first entry. A nil table has none.
func (t *table) scan() *cursor {
	if t == nil {
		return &cursor{done: true}
	}
	return &cursor{t: t, at: tableHeader, sums: xxh3.New(),
		r: bufio.NewReaderSize(io.NewSectionReader(t.f, tableHeader, int64(t.listAt-tableHeader)), 64<<10)}
}

// next goes on to the next entry; done tells that there is none. Only a table that
// was read to its end is known to be whole.
func (c *cursor) next() error {
	if c.done {
		return nil
	}
	for len(c.rest) == 0 {
		if c.at == c.t.listAt {
			if c.n != c.t.n {
				return c.t.damaged("%d entries, its end says %d", c.n, c.t.n)
			}
			if err := c.whole(); err != nil {
				return err
			}
			c.done, c.key, c.payload = true, nil, nil
			return nil
		}
		if err := c.block(); err != nil {
			return err
		}
	}
	var ok bool
	if c.key, c.payload, c.rest, ok = cutEntry(c.rest); !ok {
		return c.t.damaged("an entry is cut")
	}
	c.n++
	return nil
}

// whole checks what the end of the file says of all blocks, which have been read.
func (c *cursor) whole() error {
	if c.sums.Sum64() != c.t.sums {
		return c.t.damaged("its blocks are not those that were written")
	}
	list := xxh3.New()
	if _, err := io.Copy(list, io.NewSectionReader(c.t.f, int64(c.t.listAt), int64(c.t.listSize))); err != nil {
		return fmt.Errorf("reading %s: %w", c.t.path, err)
	}
	if list.Sum64() != c.t.listSum {
		return c.t.damaged("its list of blocks has changed")
	}
	return nil
}

func (c *cursor) block() error {
	h, err := c.packed()
	if err != nil {
		return err
	}
	raw, err := c.t.unpack(h[:], c.pack, c.raw)
	if err != nil {
		return err
	}
	c.raw, c.rest = raw, raw
	return nil
}

// packed reads the next block as it is in the file.
func (c *cursor) packed() (h [blockHeader]byte, err error) {
	left := c.t.listAt - c.at
	if left < blockHeader {
		return h, c.t.damaged("a block is cut")
	}
	if _, err := io.ReadFull(c.r, h[:]); err != nil {
		return h, fmt.Errorf("reading %s: %w", c.t.path, err)
	}
	n := uint64(binary.LittleEndian.Uint32(h[:]))
	if n > left-blockHeader || n > uint64(s2.MaxEncodedLen(maxBlock)) {
		return h, c.t.damaged("a block is longer than the file")
	}
	c.pack = grown(c.pack, int(n))
	if _, err := io.ReadFull(c.r, c.pack); err != nil {
		return h, fmt.Errorf("reading %s: %w", c.t.path, err)
	}
	_, _ = c.sums.Write(h[8:]) // never fails
	c.at += blockHeader + n
	return h, nil
}

// verify reads all of the file and checks its sums, without unpacking.
func (t *table) verify(ctx context.Context) error {
	for c := t.scan(); ; {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if c.at == t.listAt {
			return c.whole()
		}
		h, err := c.packed()
		if err != nil {
			return err
		}
		if blockSum(h[:8], c.pack) != binary.LittleEndian.Uint64(h[8:]) {
			return t.damaged("a block has changed")
		}
	}
}

// blocks reads the list of blocks.
func (t *table) blocks() error {
	if t.keys != nil || t.n == 0 {
		return nil
	}
	list := make([]byte, t.listSize)
	if _, err := t.f.ReadAt(list, int64(t.listAt)); err != nil {
		return fmt.Errorf("reading %s: %w", t.path, err)
	}
	if xxh3.Hash(list) != t.listSum {
		return t.damaged("its list of blocks has changed")
	}
	for len(list) > 0 {
		n, k := binary.Uvarint(list)
		if k <= 0 || n > uint64(len(list)-k) {
			return t.damaged("its list of blocks is cut")
		}
		key := list[k : k+int(n)]
		list = list[k+int(n):]
		at, k := binary.Uvarint(list)
		if k <= 0 || at < tableHeader || at > t.listAt {
			return t.damaged("its list of blocks is cut")
		}
		list = list[k:]
		t.keys, t.places = append(t.keys, key), append(t.places, at)
	}
	return nil
}

// find calls yield for every entry of a place (see appendPlace).
func (t *table) find(place []byte, yield func(key, payload []byte) error) error {
	if t == nil || t.n == 0 {
		return nil
	}
	if err := t.blocks(); err != nil {
		return err
	}
	low := append(bytes.Clone(place), 0)
	from := sort.Search(len(t.keys), func(n int) bool { return bytes.Compare(t.keys[n], low) >= 0 }) - 1
	for n := max(0, from); n < len(t.keys); n++ {
		if n > from && !samePlace(t.keys[n], place) && bytes.Compare(t.keys[n], low) > 0 {
			return nil
		}
		rest, err := t.block(n)
		if err != nil {
			return err
		}
		for len(rest) > 0 {
			var key, payload []byte
			var ok bool
			if key, payload, rest, ok = cutEntry(rest); !ok {
				return t.damaged("an entry is cut")
			}
			if samePlace(key, place) {
				if err := yield(key, payload); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// get calls yield for the entry of a key, if it is there.
func (t *table) get(key []byte, yield func(payload []byte) error) error {
	if t == nil || t.n == 0 {
		return nil
	}
	if err := t.blocks(); err != nil {
		return err
	}
	in := sort.Search(len(t.keys), func(n int) bool { return bytes.Compare(t.keys[n], key) > 0 }) - 1
	if in < 0 {
		return nil
	}
	rest, err := t.block(in)
	for err == nil && len(rest) > 0 {
		k, payload, behind, ok := cutEntry(rest)
		if !ok {
			return t.damaged("an entry is cut")
		}
		if bytes.Equal(k, key) {
			return yield(payload)
		}
		rest = behind
	}
	return err
}

// block reads one block by its number.
func (t *table) block(n int) ([]byte, error) {
	if t.lastBlock == n {
		return t.raw, nil
	}
	until := t.listAt
	if n+1 < len(t.places) {
		until = t.places[n+1]
	}
	if until < t.places[n]+blockHeader || until-t.places[n] > uint64(blockHeader+s2.MaxEncodedLen(maxBlock)) {
		return nil, t.damaged("its list of blocks is wrong")
	}
	t.pack = grown(t.pack, int(until-t.places[n]))
	if _, err := t.f.ReadAt(t.pack, int64(t.places[n])); err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.path, err)
	}
	t.lastBlock = -1
	raw, err := t.unpack(t.pack[:blockHeader], t.pack[blockHeader:], t.raw)
	if err != nil {
		return nil, err
	}
	t.raw, t.lastBlock = raw, n
	return raw, nil
}
