package fetch

import "encoding/binary"

// maxHad is how many objects of a collection are remembered from one pull to the
// next, by a hash of eight bytes each. More of them within Config.Overlap are had
// twice, which changes nothing but the work.
const maxHad = 10_000

// recent are the hashes of the objects that came last: maxHad at least where there
// were as many.
type recent []uint64

func (r *recent) add(sums ...uint64) {
	for _, s := range sums {
		if len(*r) == 2*maxHad {
			*r = (*r)[:copy(*r, (*r)[maxHad:])]
		}
		*r = append(*r, s)
	}
}

// encode gives the last ones for a state.
func (r recent) encode() []byte {
	var text []byte
	for _, s := range r[max(0, len(r)-maxHad):] {
		text = binary.LittleEndian.AppendUint64(text, s)
	}
	return text
}

// decodeHad reads what encode wrote.
func decodeHad(text []byte) recent {
	var r recent
	for ; len(text) >= 8; text = text[8:] {
		r = append(r, binary.LittleEndian.Uint64(text))
	}
	return r
}

// known is a set of them.
func (r recent) known() map[uint64]bool {
	set := make(map[uint64]bool, len(r))
	for _, s := range r {
		set[s] = true
	}
	return set
}
