// Package vector cleans up behind the assembly of segmentio/asm, on which
// segmentio/encoding/json rests: as of v1.2.1 its AVX2 code returns without VZEROUPPER,
// and SHA-256 is up to 25 times as slow as long as nothing else has cleared the upper
// halves of the registers. It must not know what the JSON is about.
package vector

import "bytes"

// Clear is to be called when that package has been used and other work follows. It
// costs a few nanoseconds.
func Clear() {
	// More than 32 bytes are searched with AVX2, and Go's own assembly clears up
	// behind itself.
	var nothing [64]byte
	_ = bytes.IndexByte(nothing[:], 1)
}
