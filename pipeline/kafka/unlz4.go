package kafka

import (
	"encoding/binary"
	"errors"
)

// errLZ4 says that a frame is not one that unlz4 reads. It may still be sound: what
// is rare in a batch of records (dictionaries, several frames) is left to the client
// library.
var errLZ4 = errors.New("not a plain LZ4 frame")

// unlz4 gives what a frame holds, at most limit bytes, in memory of its own. It
// checks no checksum of the frame: the client has checked that of the batch. Whatever
// src is, it takes time in proportion to src and to what it gives.
func unlz4(src []byte, limit int) ([]byte, error) {
	flags, blocks, err := lz4Blocks(src)
	if err != nil {
		return nil, err
	}
	size := 0
	if err := eachBlock(flags, blocks, func(block []byte, stored bool) error {
		n := len(block)
		if !stored {
			if n, err = lz4Length(block, limit-size); err != nil {
				return err
			}
		}
		if size += n; size > limit {
			return errLZ4
		}
		return nil
	}); err != nil {
		return nil, err
	}
	dst, done := make([]byte, size), 0
	err = eachBlock(flags, blocks, func(block []byte, stored bool) error {
		if stored {
			done += copy(dst[done:], block)
			return nil
		}
		done, err = unlz4Block(dst, done, block)
		return err
	})
	return dst, err
}

// lz4Blocks gives what follows a frame's header.
func lz4Blocks(src []byte) (flags byte, blocks []byte, err error) {
	const versions, version, dictionary, contentSize = 0xc0, 0x40, 1, 8
	if len(src) < 7 || binary.LittleEndian.Uint32(src) != lz4Magic || src[4]&versions != version || src[4]&dictionary != 0 {
		return 0, nil, errLZ4
	}
	flags, src = src[4], src[7:]
	if flags&contentSize != 0 {
		if len(src) < 8 {
			return 0, nil, errLZ4
		}
		src = src[8:]
	}
	return flags, src, nil
}

// eachBlock calls do with the blocks of a frame, which must end where src does.
func eachBlock(flags byte, src []byte, do func(block []byte, stored bool) error) error {
	const blockSum, contentSum = 0x10, 4
	for {
		if len(src) < 4 {
			return errLZ4
		}
		head := binary.LittleEndian.Uint32(src)
		src = src[4:]
		if head == 0 {
			if flags&contentSum != 0 && len(src) == 4 || flags&contentSum == 0 && len(src) == 0 {
				return nil
			}
			return errLZ4
		}
		n := int(head &^ lz4Stored)
		if n > len(src) {
			return errLZ4
		}
		if err := do(src[:n], head&lz4Stored != 0); err != nil {
			return err
		}
		if src = src[n:]; flags&blockSum != 0 {
			if len(src) < 4 {
				return errLZ4
			}
			src = src[4:]
		}
	}
}

// lz4Run reads the rest of a length whose four bits are all set. next is -1 where
// src ends within it.
func lz4Run(src []byte, pos int) (n, next int) {
	for n = 15; pos < len(src); pos++ {
		n += int(src[pos])
		if src[pos] != 255 {
			return n, pos + 1
		}
	}
	return 0, -1
}

// lz4Length goes over a block and gives the size of what it holds. That it gives one
// means that no length in it points behind its end.
func lz4Length(src []byte, limit int) (size int, err error) {
	for pos := 0; pos < len(src); {
		literals, match := int(src[pos]>>4), int(src[pos]&15)
		if pos++; literals == 15 {
			if literals, pos = lz4Run(src, pos); pos < 0 {
				return 0, errLZ4
			}
		}
		if literals > len(src)-pos {
			return 0, errLZ4
		}
		size += literals
		if pos += literals; pos == len(src) {
			break
		}
		if pos += 2; pos > len(src) {
			return 0, errLZ4
		}
		if match == 15 {
			if match, pos = lz4Run(src, pos); pos < 0 {
				return 0, errLZ4
			}
		}
		if size += match + 4; size > limit {
			return 0, errLZ4
		}
	}
	return size, nil
}

// unlz4Block writes what a block holds to dst[done:]. lz4Length must have gone over
// it, and dst must have the room that it said.
func unlz4Block(dst []byte, done int, src []byte) (int, error) {
	for pos := 0; pos < len(src); {
		literals, match := int(src[pos]>>4), int(src[pos]&15)
		if pos++; literals == 15 {
			literals, pos = lz4Run(src, pos)
		}
		if literals <= 16 && len(src)-pos >= 16 && len(dst)-done >= 16 {
			copy(dst[done:done+16], src[pos:pos+16])
		} else {
			copy(dst[done:], src[pos:pos+literals])
		}
		done, pos = done+literals, pos+literals
		if pos == len(src) {
			break
		}
		offset := int(binary.LittleEndian.Uint16(src[pos:]))
		if pos += 2; match == 15 {
			match, pos = lz4Run(src, pos)
		}
		match += 4
		from := done - offset
		if offset == 0 || from < 0 {
			return done, errLZ4
		}
		if match <= 16 && offset >= 16 && len(dst)-done >= 16 {
			copy(dst[done:done+16], dst[from:from+16])
			done += match
			continue
		}
		// A match may reach into itself: then it repeats, twice as much each time.
		for end := done + match; done < end; {
			done += copy(dst[done:end], dst[from:done])
		}
	}
	return done, nil
}
