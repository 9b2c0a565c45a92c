package retro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/zeebo/xxh3"
)

// filter is what one hour has seen: a stack of bloom filters, each of twice the
// capacity and half the rate of false positives of the one before, so that their sum
// stays below the hour's however much it sees.
type filter struct {
	rate   float64
	layers []layer
}

type layer struct {
	n, capacity uint64
	bits        *bloom.BloomFilter
}

// firstCapacity suits a quiet hour: at a rate of 0.0001 the first layer takes 10 KB.
const firstCapacity = 4096

// maxLayers bounds a file: 4096 << 24 values are more than an hour can bring.
const maxLayers = 24

func (f *filter) has(h uint64) bool {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], h)
	for i := range f.layers {
		if f.layers[i].bits.Test(b[:]) {
			return true
		}
	}
	return false
}

func (f *filter) add(h uint64) {
	if f.has(h) {
		return
	}
	if k := len(f.layers); k == 0 || f.layers[k-1].n >= f.layers[k-1].capacity && k < maxLayers {
		c := uint64(firstCapacity) << k
		f.layers = append(f.layers, layer{capacity: c, bits: bloom.NewWithEstimates(uint(c), f.rate/float64(uint64(2)<<k))})
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], h)
	top := &f.layers[len(f.layers)-1]
	top.bits.Add(b[:])
	top.n++
}

// count is the number of values, as far as the filter could tell them apart.
func (f *filter) count() (n uint64) {
	for i := range f.layers {
		n += f.layers[i].n
	}
	return n
}

// size is the memory it takes, in bytes.
func (f *filter) size() (n int64) {
	for i := range f.layers {
		n += int64(f.layers[i].bits.Cap() / 8)
	}
	return n + 64
}

// The form of a file: magic; hour; number of layers; of each its number of values,
// its capacity and bloom/v3's own form; XXH3 of all before.
const filterMagic = "interdict seen hour 1\n"

var errDamaged = errors.New("the file is damaged")

func (f *filter) encode(hour int64) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(filterMagic)
	head := binary.LittleEndian.AppendUint64(nil, uint64(hour))
	b.Write(binary.LittleEndian.AppendUint32(head, uint32(len(f.layers))))
	for i := range f.layers {
		l := &f.layers[i]
		b.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, l.n), l.capacity))
		if _, err := l.bits.WriteTo(&b); err != nil {
			return nil, fmt.Errorf("encoding a filter: %w", err)
		}
	}
	return binary.LittleEndian.AppendUint64(b.Bytes(), xxh3.Hash(b.Bytes())), nil
}

// decodeFilter reads what encode wrote for the hour. Nothing of a file is believed
// before its sum is right.
func decodeFilter(b []byte, hour int64, rate float64) (*filter, error) {
	if len(b) < len(filterMagic)+12+8 || string(b[:len(filterMagic)]) != filterMagic {
		return nil, errDamaged
	}
	body, sum := b[:len(b)-8], binary.LittleEndian.Uint64(b[len(b)-8:])
	if xxh3.Hash(body) != sum || int64(binary.LittleEndian.Uint64(body[len(filterMagic):])) != hour {
		return nil, errDamaged
	}
	count := binary.LittleEndian.Uint32(body[len(filterMagic)+8:])
	if count > maxLayers {
		return nil, errDamaged
	}
	f := &filter{rate: rate}
	r := bytes.NewReader(body[len(filterMagic)+12:])
	for range count {
		var head [16]byte
		if n, _ := r.Read(head[:]); n != len(head) {
			return nil, errDamaged
		}
		l := layer{n: binary.LittleEndian.Uint64(head[:]), capacity: binary.LittleEndian.Uint64(head[8:]), bits: new(bloom.BloomFilter)}
		// bloom/v3 takes memory by what its header says: m, k, and the length of the bits.
		rest := body[len(body)-r.Len():]
		if len(rest) < 24 || binary.BigEndian.Uint64(rest[16:]) > uint64(len(rest))*8 || binary.BigEndian.Uint64(rest) != binary.BigEndian.Uint64(rest[16:]) {
			return nil, errDamaged
		}
		if _, err := l.bits.ReadFrom(r); err != nil {
			return nil, errDamaged
		}
		f.layers = append(f.layers, l)
	}
	if r.Len() != 0 {
		return nil, errDamaged
	}
	return f, nil
}
