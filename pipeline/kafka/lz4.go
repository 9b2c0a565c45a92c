package kafka

import (
	"encoding/binary"
	"math/bits"
)

// The LZ4 frame as Kafka's own clients write it: independent blocks, no checksums
// of blocks or content, since every batch of records has a CRC of its own.
const (
	lz4Magic  = 0x184D2204
	lz4Flags  = 1<<6 | 1<<5 // version 1, independent blocks
	lz4Size   = 5 << 4      // blocks of at most lz4Block
	lz4Header = 0xfb        // checksum of the two bytes before it
	lz4Block  = 256 << 10
	lz4Stored = 1 << 31 // in a block's size: it is not compressed
)

// lz4Table finds earlier places of the same bytes in a block. It is small, so that
// it stays in the fastest cache: this matters more than the matches it forgets.
type lz4Table [1 << lz4Bits]uint32

const (
	lz4Bits     = 12
	lz4Window   = 1<<16 - 1       // how far back a match may be
	lz4Margin   = 12              // no match begins in the last bytes of a block
	lz4Tail     = 5               // which ends in so many literals at least
	lz4Patience = 16              // places without a match before the search takes a longer step
	lz4Hurry    = 4 * lz4Patience // a first step of four: where a match began is found by going back
)

// appendLZ4 appends src as one LZ4 frame.
func appendLZ4(dst, src []byte, t *lz4Table) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, lz4Magic)
	dst = append(dst, lz4Flags, lz4Size, lz4Header)
	for len(src) > 0 {
		block := src[:min(len(src), lz4Block)]
		src = src[len(block):]
		at := len(dst)
		dst = binary.LittleEndian.AppendUint32(dst, 0)
		dst = appendLZ4Block(dst, block, t)
		size := uint32(len(dst) - at - 4)
		if int(size) >= len(block) {
			dst = append(dst[:at+4], block...)
			size = uint32(len(block)) | lz4Stored
		}
		binary.LittleEndian.PutUint32(dst[at:], size)
	}
	return binary.LittleEndian.AppendUint32(dst, 0)
}

// lz4Bound is how long the frame of n bytes can be.
func lz4Bound(n int) int { return n + n/255 + 16 + 8*(n/lz4Block+1) + 16 }

// Seven bytes are looked for, though four may match: in text that repeats whole
// keys, shorter repetitions cost more time than they save bytes.
func lz4Hash(v uint64) uint64 { return (v << 8 * 58295818150454627) >> (64 - lz4Bits) }

func load64(b []byte, i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }

// appendLZ4Block appends src as one compressed block, which may be longer than src.
func appendLZ4Block(dst, src []byte, t *lz4Table) []byte {
	clear(t[:])
	done, pos, limit := 0, 1, len(src)-lz4Margin
	for misses := lz4Hurry; pos < limit; {
		v := load64(src, pos)
		slot := &t[lz4Hash(v)]
		ref := int(*slot)
		*slot = uint32(pos)
		if pos-ref > lz4Window || load64(src, ref)<<8 != v<<8 {
			pos += misses / lz4Patience
			misses++
			continue
		}
		misses = lz4Hurry
		if ref >= 8 {
			x := load64(src, pos-8) ^ load64(src, ref-8)
			back := min(bits.LeadingZeros64(x)>>3, pos-done)
			pos, ref = pos-back, ref-back
		}
		end := pos + 4 + matching(src, pos+4, ref+4)
		dst = appendSequence(dst, src, done, pos, pos-ref, end-pos-4)
		done, pos = end, end
		if pos < limit {
			t[lz4Hash(load64(src, pos-2))] = uint32(pos - 2)
		}
	}
	literals := src[done:]
	dst = appendLength(append(dst, byte(min(len(literals), 15))<<4), len(literals))
	return append(dst, literals...)
}

// matching counts the bytes that are the same from a and from b on, b < a, up to
// the tail of src.
func matching(src []byte, a, b int) int {
	start, end := a, len(src)-lz4Tail
	for a+8 <= end {
		if x := load64(src, a) ^ load64(src, b); x != 0 {
			return a - start + bits.TrailingZeros64(x)>>3
		}
		a, b = a+8, b+8
	}
	for a < end && src[a] == src[b] {
		a, b = a+1, b+1
	}
	return a - start
}

// appendSequence appends the literals src[from:to] and a match of 4+extra bytes
// that far back.
func appendSequence(dst, src []byte, from, to, offset, extra int) []byte {
	n := to - from
	dst = append(dst, byte(min(n, 15))<<4|byte(min(extra, 15)))
	if n >= 15 {
		dst = appendLength(dst, n)
	}
	if k := len(dst); n <= 16 && cap(dst)-k >= 16 && len(src)-from >= 16 {
		// Sixteen bytes at once are cheaper than any other number.
		dst = dst[:k+16]
		copy(dst[k:], src[from:from+16])
		dst = dst[:k+n]
	} else {
		dst = append(dst, src[from:to]...)
	}
	dst = append(dst, byte(offset), byte(offset>>8))
	if extra >= 15 {
		dst = appendLength(dst, extra)
	}
	return dst
}

// appendLength appends what of a length does not fit into its four bits.
func appendLength(dst []byte, n int) []byte {
	if n -= 15; n < 0 {
		return dst
	}
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}
