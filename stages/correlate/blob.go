package correlate

import "encoding/binary"

// blobs stores byte strings in pages, so that a million of them are a few
// hundred pointers. A reference is page and offset; 0 is none. A blob never
// changes: it is replaced. A page is reused when all its blobs are freed.
type blobs struct {
	pages []blobPage
	cur   int32   // page that takes the next blob, 0: none
	spare []int32 // pages without memory

	put  []ref // since the last commit
	dead []ref // freed since the last commit
}

type blobPage struct {
	buf  []byte
	live int32
}

type ref uint64

// blobPageSize suits a tenant of a few alerts as well as one of millions.
const blobPageSize = 32 << 10

func newBlobs() blobs { return blobs{pages: make([]blobPage, 1)} }

// add stores a copy of b.
func (s *blobs) add(b []byte) ref {
	need := len(b) + binary.MaxVarintLen32
	p := &s.pages[s.cur]
	if cap(p.buf)-len(p.buf) < need {
		s.cur = s.newPage(max(need, blobPageSize))
		p = &s.pages[s.cur]
	}
	r := ref(s.cur)<<32 | ref(len(p.buf))
	p.buf = binary.AppendUvarint(p.buf, uint64(len(b)))
	p.buf = append(p.buf, b...)
	p.live++
	s.put = append(s.put, r)
	return r
}

func (s *blobs) newPage(size int) int32 {
	page := blobPage{buf: make([]byte, 0, size)}
	if old := s.cur; old != 0 && s.pages[old].live == 0 {
		s.drop(old)
	}
	if n := len(s.spare); n > 0 {
		i := s.spare[n-1]
		s.spare = s.spare[:n-1]
		s.pages[i] = page
		return i
	}
	s.pages = append(s.pages, page)
	return int32(len(s.pages) - 1)
}

// get gives the blob; valid until the commit after it is freed.
func (s *blobs) get(r ref) []byte {
	b := s.pages[r>>32].buf[uint32(r):]
	n, k := binary.Uvarint(b)
	return b[k : k+int(n)]
}

// release frees a blob at the next commit.
func (s *blobs) release(r ref) {
	if r != 0 {
		s.dead = append(s.dead, r)
	}
}

func (s *blobs) drop(i int32) {
	s.pages[i].buf = nil
	s.spare = append(s.spare, i)
}

func (s *blobs) unref(r ref) {
	i := int32(r >> 32)
	s.pages[i].live--
	if s.pages[i].live == 0 && i != s.cur {
		s.drop(i)
	}
}

func (s *blobs) commit() {
	for _, r := range s.dead {
		s.unref(r)
	}
	s.put, s.dead = shrink(s.put), shrink(s.dead)
}

func (s *blobs) rollback() {
	for _, r := range s.put {
		s.unref(r)
	}
	s.put, s.dead = shrink(s.put), shrink(s.dead)
}
