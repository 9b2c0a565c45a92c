package correlate

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
)

// The snapshot says what is so, not where it lies in memory: alerts by id, each
// with its observations; keys and components where they are first named;
// segments by key. Counts, lists and sums that follow from that are made again
// on the way back. So equal states give equal bytes, and a damaged snapshot has
// little to lie about.

// stateVersion is the version of the snapshot's layout and of the rules.
const stateVersion = 3

const magic = "correlate"

var errOpen = errors.New("correlate: snapshot of uncommitted state")

// Snapshot writes the committed state. The caller adds a checksum.
func (c *Correlator) Snapshot(w io.Writer) error {
	if len(c.open) > 0 {
		return errOpen
	}
	s := writer{w: bufio.NewWriterSize(w, 64<<10)}
	s.w.WriteString(magic)
	s.num(stateVersion)
	s.num(c.hash)
	names := make([]*tenant, 0, len(c.tenants))
	for _, t := range c.tenants {
		names = append(names, t)
	}
	slices.SortFunc(names, func(x, y *tenant) int { return strings.Compare(x.name, y.name) })
	s.num(uint64(len(names)))
	for _, t := range names {
		s.tenant(t)
	}
	return s.w.Flush() // the first error sticks
}

type writer struct {
	w   *bufio.Writer
	t   *tenant
	buf [binary.MaxVarintLen64]byte

	alertNo, keyNo, slotNo []int32 // by record; 0: not named yet
	order                  []int32
	keys, slots            int32
	segs                   []int32
}

func (s *writer) num(v uint64) { s.w.Write(s.buf[:binary.PutUvarint(s.buf[:], v)]) }
func (s *writer) int(v int64)  { s.w.Write(s.buf[:binary.PutVarint(s.buf[:], v)]) }
func (s *writer) flag(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	s.w.WriteByte(b)
}
func (s *writer) text(b []byte) {
	s.num(uint64(len(b)))
	s.w.Write(b)
}

func (s *writer) tenant(t *tenant) {
	s.t = t
	s.text([]byte(t.name))
	s.flag(t.born)
	s.int(int64(t.watermark))
	s.alertNo, s.keyNo, s.slotNo = make([]int32, t.alerts.n), make([]int32, t.keys.n), make([]int32, t.slots.n)
	s.keys, s.slots = 0, 0
	s.order = s.order[:0]
	for _, i := range t.byID.m {
		s.order = append(s.order, i)
	}
	slices.SortFunc(s.order, func(x, y int32) int { return t.alerts.at(x).id.Compare(t.alerts.at(y).id) })
	for i, a := range s.order {
		s.alertNo[a] = int32(i) + 1
	}
	s.num(uint64(len(s.order)))
	for _, a := range s.order {
		s.alert(t.alerts.at(a))
	}
	for _, a := range s.order {
		s.places(t.alerts.at(a))
	}
	s.segments()
	s.relations()
}

// alert writes an alert with its observations and components.
func (s *writer) alert(a *alertRec) {
	s.w.Write(a.id[:])
	s.flag(a.late)
	s.flag(a.stale)
	s.w.WriteByte(byte(a.retro))
	obs := s.observations(a)
	s.num(uint64(len(obs)))
	for _, o := range obs {
		s.observation(s.t.obs.at(o))
	}
	s.num(uint64(slices.Index(obs, a.cur)))
	s.num(uint64(a.top))
	for level := int8(0); level <= a.top; level++ {
		s.slot(a.slot[level])
	}
	s.flag(a.own != 0)
	if a.own != 0 {
		inc := s.t.incs.at(a.own)
		s.num(inc.head)
		s.num(inc.path)
		s.flag(inc.touched)
		s.flag(inc.live)
	}
}

// observations lists an alert's observations by content.
func (s *writer) observations(a *alertRec) []int32 {
	var obs []int32
	for o := a.obs; o != 0; o = s.t.obs.at(o).next {
		obs = append(obs, o)
	}
	slices.SortFunc(obs, func(x, y int32) int { return cmp.Compare(s.t.obs.at(x).content, s.t.obs.at(y).content) })
	return obs
}

func (s *writer) observation(o *obsRec) {
	s.int(o.t)
	s.num(o.content)
	s.num(o.rev)
	s.w.WriteByte(byte(o.sev))
	s.flag(o.held)
	s.text(s.t.blobs.get(o.detail))
	keys := s.t.keysOf(o)
	s.num(uint64(keys.links()))
	s.num(uint64(keys.len()))
	for i := range keys.len() {
		s.key(keys.key(i))
		s.num(uint64(keys.degree(i)))
		s.w.WriteByte(keys.roles(i))
	}
}

// key writes the number of a single key and, the first time, what it is.
func (s *writer) key(k int32) {
	if s.keyNo[k] != 0 {
		s.num(uint64(s.keyNo[k]))
		return
	}
	s.keys++
	s.keyNo[k] = s.keys
	s.num(uint64(s.keys))
	rec := s.t.keys.at(k)
	s.w.WriteByte(byte(rec.typ))
	s.text(s.t.blobs.get(rec.text))
	n := 0
	for c := rec.counts; c != 0; c = s.t.counts.at(c).next {
		n++
	}
	s.num(uint64(n))
	for c := rec.counts; c != 0; c = s.t.counts.at(c).next {
		s.int(int64(s.t.counts.at(c).hour))
		s.num(uint64(s.t.counts.at(c).n))
	}
}

// slot writes the number of a component and, the first time, what it is.
func (s *writer) slot(i int32) {
	for s.t.slots.at(i).parent != 0 {
		i = s.t.slots.at(i).parent
	}
	if s.slotNo[i] != 0 {
		s.num(uint64(s.slotNo[i]))
		return
	}
	s.slots++
	s.slotNo[i] = s.slots
	s.num(uint64(s.slots))
	r := s.t.slots.at(i)
	s.w.WriteByte(byte(r.level))
	s.flag(r.over)
	if r.over && r.level == 0 { // its founder may have left
		s.int(r.first)
		s.w.Write(r.firstID[:])
	}
}

// places writes where an alert is shown, and why; after all alerts have numbers.
func (s *writer) places(a *alertRec) {
	key := func(k int32) uint64 {
		if k == 0 {
			return 0
		}
		return uint64(s.keyNo[k])
	}
	x, y := key(a.row.keyA), key(a.row.keyB)
	if y != 0 && x > y {
		x, y = y, x
	}
	s.num(uint64(s.alertNo[a.shown]))
	s.num(uint64(s.alertNo[a.pin]))
	s.num(uint64(s.alertNo[a.row.peer]))
	s.int(a.row.dist)
	s.num(x)
	s.num(y)
	s.int(int64(a.row.level))
	s.w.WriteByte(byte(a.row.kind))
	s.w.WriteByte(a.row.weight)
	s.flag(a.row.late)
}

// segments writes the segments of every single key by number, then of every
// pair in the order in which observations name them.
func (s *writer) segments() {
	byNo := make([]int32, s.keys+1)
	for k, no := range s.keyNo {
		byNo[no] = int32(k)
	}
	for _, k := range byNo[1:] {
		s.segmentsOf(k)
	}
	t := s.t
	for _, a := range s.order {
		for _, o := range s.observations(t.alerts.at(a)) {
			keys := t.keysOf(t.obs.at(o))
			for i := range keys.links() {
				for j := i + 1; j < keys.links(); j++ {
					x, y := keys.key(i), keys.key(j)
					p := t.pairs.get(pairID(min(x, y), max(x, y)))
					if p == 0 || s.keyNo[p] != 0 {
						continue
					}
					s.keyNo[p] = 1
					s.num(uint64(min(s.keyNo[x], s.keyNo[y])))
					s.num(uint64(max(s.keyNo[x], s.keyNo[y])))
					s.segmentsOf(p)
				}
			}
		}
	}
	s.num(0)
}

func (s *writer) segmentsOf(k int32) {
	t := s.t
	s.segs = s.segs[:0]
	var from [levels + 1]int
	for level, g := range t.keys.at(k).segs {
		for ; g != 0; g = t.segs.at(g).next {
			s.segs = append(s.segs, g)
		}
		from[level+1] = len(s.segs)
	}
	s.num(uint64(len(s.segs)))
	for level := range levels {
		for i := from[level+1] - 1; i >= from[level]; i-- {
			g := t.segs.at(s.segs[i])
			s.w.WriteByte(byte(level))
			s.int(g.lo)
			s.int(g.hi)
			s.num(uint64(g.window))
			s.slot(g.slot)
		}
	}
}

func (s *writer) relations() {
	var pairs [][2]int32
	for id := range s.t.related.m {
		pairs = append(pairs, [2]int32{s.alertNo[id>>32], s.alertNo[uint32(id)]})
	}
	slices.SortFunc(pairs, func(x, y [2]int32) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	s.num(uint64(len(pairs)))
	for _, p := range pairs {
		s.num(uint64(p[0]))
		s.num(uint64(p[1]))
	}
}
