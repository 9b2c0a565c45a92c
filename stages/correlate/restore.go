package correlate

import (
	"bufio"
	"errors"
	"io"

	"github.com/interdict/interdict/schema"
)

// ErrSnapshot marks a snapshot that is damaged, of another version, or of
// another configuration.
var ErrSnapshot = errors.New("correlate: unusable snapshot")

// Restore replaces the state with what Snapshot wrote under the same
// configuration. What it reads is checked; memory grows only with what is read.
func (c *Correlator) Restore(r io.Reader) (err error) {
	if len(c.open) > 0 {
		return errOpen
	}
	s := reader{r: bufio.NewReaderSize(r, 64<<10), l: c.ladder}
	defer func() {
		if x := recover(); x != nil {
			f, ok := x.(fault)
			if !ok {
				panic(x)
			}
			err = f.error
		}
	}()
	head := make([]byte, len(magic))
	s.full(head)
	s.check(string(head) == magic, "no correlate snapshot")
	s.check(s.num() == stateVersion, "another version")
	s.check(s.num() == c.hash, "another configuration")
	tenants := make(map[string]*tenant)
	last := ""
	for i := s.num(); i > 0; i-- {
		t := s.tenant()
		s.check(len(tenants) == 0 || t.name > last, "tenants out of order")
		last = t.name
		tenants[t.name] = t
	}
	_, end := s.r.ReadByte()
	s.check(end == io.EOF, "bytes after the end")
	c.tenants = tenants
	return nil
}

// fault carries an error through the reader; Restore catches it.
type fault struct{ error }

type reader struct {
	r *bufio.Reader
	l *ladder
	t *tenant

	alerts, keys, slots []int32 // by number, from 1
	parents             []int32 // by slot number: the component of the level before
}

func (s *reader) tenant() *tenant {
	t := newTenant(string(s.text(maxText)))
	s.t = t
	t.born = s.flag()
	t.watermark = millis(s.time())
	t.cutoff = t.cutoffAt(s.l)
	s.alerts, s.keys, s.slots, s.parents = []int32{0}, []int32{0}, []int32{0}, []int32{0}
	for n := s.num(); n > 0; n-- {
		s.alert()
	}
	for _, a := range s.alerts[1:] {
		s.places(a)
	}
	for _, a := range s.alerts[1:] {
		s.checkPlace(a)
	}
	s.segments()
	s.relations()
	for _, i := range s.slots[1:] {
		r := t.slots.at(i)
		s.check(r.over || r.weight <= s.l.caps[r.level], "component above its cap")
		s.check(r.list != 0, "empty component")
		if r.over && r.level != 0 {
			r.list = 0 // its alerts are kept by their level's
		}
	}
	t.commit()
	return t
}

func (s *reader) alert() {
	t := s.t
	idx, a := t.alerts.alloc()
	s.full(a.id[:])
	if n := len(s.alerts); n > 1 {
		s.check(t.alerts.at(s.alerts[n-1]).id.Compare(a.id) < 0, "alerts out of order")
	}
	s.alerts = append(s.alerts, idx)
	t.byID.set(a.id, idx)
	a.late, a.stale = s.flag(), s.flag()
	a.retro = verdict(s.byte())
	s.check(a.retro.valid(), "a verdict that no match gives")
	n := s.num()
	s.check(n > 0, "alert without observation")
	var obs []int32
	for ; n > 0; n-- {
		obs = append(obs, s.observation(idx, a))
	}
	for _, o := range obs[:len(obs)-1] {
		t.contents.set(content{idx, t.obs.at(o).content}, o)
	}
	if len(obs) > 1 {
		t.contents.set(content{idx, t.obs.at(a.obs).content}, a.obs)
	}
	cur := s.num()
	s.check(cur < uint64(len(obs)), "number out of range")
	a.cur = obs[cur]
	top := s.num()
	s.check(top < levels, "level out of range")
	a.top = int8(top)
	before := int32(0)
	for level := int8(0); level <= a.top; level++ {
		before = s.slotOf(idx, a, level, before)
	}
	if s.flag() {
		i, inc := t.incs.alloc()
		inc.id = schema.NewIncidentID(t.name, a.id)
		inc.head, inc.path = s.num(), s.num()
		inc.touched, inc.live = s.flag(), s.flag()
		if inc.touched {
			t.touched++
		}
		a.own = i
		t.byInc.set(inc.id, idx)
	}
	t.enqueue(idx, hourOf(millis(a.newest)))
}

func (s *reader) observation(alert int32, a *alertRec) int32 {
	t := s.t
	i, o := t.obs.alloc()
	o.t, o.content, o.rev = s.time(), s.num(), s.num()
	o.sev, o.held = schema.Severity(s.byte()), s.flag()
	o.alert = alert
	detailBytes := s.text(maxText)
	var d detail
	s.check(d.valid(detailBytes), "bad detail")
	o.detail = t.blobs.add(detailBytes)
	o.describe(&d)
	links, n := s.num(), s.num()
	s.check(links <= n && links <= uint64(s.l.maxEntities) && n <= maxLinking+maxExtra, "too many keys")
	keys := obsKeys{byte(links)}
	for j := range n {
		k := s.key()
		for m := range keys.len() {
			s.check(keys.key(m) != k, "key twice")
		}
		d := s.num()
		s.check(d <= noDegree, "degree out of range")
		s.check((d != noDegree) == (j < links && !o.held), "degree of a key that has none, or none of one that has")
		keys = keys.append(k, uint16(d), s.byte())
		t.keys.mut(k).refs++
	}
	o.keys, o.contacts = t.blobs.add(keys), t.contacting(keys)
	if a.obs == 0 {
		a.first, a.newest, a.minSev = o.t, o.t, o.sev
	} else {
		s.check(t.obs.at(a.obs).content < o.content, "observations out of order")
		a.first, a.newest, a.minSev = min(a.first, o.t), max(a.newest, o.t), min(a.minSev, o.sev)
	}
	o.next = a.obs
	a.obs = i
	a.n++
	if o.held {
		t.hold(i)
	}
	return i
}

func (s *reader) key() int32 {
	n := s.num()
	if n != uint64(len(s.keys)) {
		s.check(n > 0 && n < uint64(len(s.keys)), "number out of range")
		return s.keys[n]
	}
	t := s.t
	p := part{ref: schema.EntityRef{Type: schema.EntityType(s.byte())}}
	_, ok := rankOf(p.ref.Type)
	s.check(ok, "entity type that makes no key")
	p.ref.Key = string(s.text(maxKey))
	before := t.keys.n
	i := t.intern(p)
	s.check(t.keys.n != before && p.ref.Key != "", "key named twice, or empty")
	s.keys = append(s.keys, i)
	at, last := int32(0), int32(0)
	for n := s.num(); n > 0; n-- {
		h, sum := s.int(), s.num()
		s.check(h >= -1<<31 && h < 1<<31 && (at == 0 || int32(h) < last), "hours out of order")
		s.check(sum > 0 && sum <= 1<<32-1, "count out of range")
		c, rec := t.counts.alloc()
		rec.hour, rec.n = int32(h), uint32(sum)
		if at == 0 {
			t.keys.mut(i).counts = c
		} else {
			t.counts.mut(at).next = c
		}
		at, last = c, int32(h)
	}
	return i
}

// slotOf reads an alert's component at a level and enters the alert. before is
// the number of its component at the level before, which all of them share.
func (s *reader) slotOf(idx int32, a *alertRec, level int8, before int32) int32 {
	no := s.slot(level)
	i := s.slots[no]
	r := s.t.slots.mut(i)
	s.check(r.over == (level < a.top), "alert at a level that is not its incident's")
	if r.list == 0 {
		s.parents[no] = before
		if !r.over || level != 0 {
			r.first, r.firstID, r.newest = a.first, a.id, a.newest
		}
	}
	s.check(s.parents[no] == before, "component across components")
	if founderAfter(r.first, r.firstID, a.first, a.id) {
		s.check(!r.over || level != 0, "alert older than its founder")
		r.first, r.firstID = a.first, a.id
	}
	r.newest = max(r.newest, a.newest)
	r.weight = saturate(r.weight, a.weight())
	r.refs++
	a.slot[level], a.next[level] = i, idx
	if level == 0 {
		a.prev = idx
	}
	r.list = s.t.splice(r.list, idx, level)
	return no
}

func (s *reader) slot(level int8) int32 {
	n := s.num()
	if n != uint64(len(s.slots)) {
		s.check(n > 0 && n < uint64(len(s.slots)), "number out of range")
		s.check(s.t.slots.at(s.slots[n]).level == level, "component of another level")
		return int32(n)
	}
	i, r := s.t.slots.alloc()
	r.level = int8(s.byte())
	s.check(r.level == level, "component of another level")
	r.over = s.flag()
	s.check(!r.over || level < lastLevel, "last level above its cap")
	if r.over && level == 0 {
		r.first = s.time()
		s.full(r.firstID[:])
	}
	s.slots = append(s.slots, i)
	s.parents = append(s.parents, 0)
	return int32(n)
}

func (s *reader) places(idx int32) {
	t := s.t
	a := t.alerts.mut(idx)
	a.shown = s.named(s.alerts)
	pin := s.named(s.alerts)
	s.check(pin == 0 || pin == a.shown, "pinned elsewhere than shown")
	s.check(a.shown != 0 && t.alerts.at(a.shown).own != 0, "shown in no incident")
	if pin != 0 {
		s.check(t.incs.at(t.alerts.at(pin).own).touched, "pinned to an incident that nobody used")
		t.pinTo(idx, pin)
	}
	a.row.peer = s.named(s.alerts)
	a.row.dist = s.int()
	a.row.keyA, a.row.keyB = s.named(s.keys), s.named(s.keys)
	level := s.int()
	s.check(level >= int64(schema.LevelSingle) && level <= lastLevel, "level out of range")
	a.row.level, a.row.kind, a.row.weight, a.row.late = int8(level), schema.ReasonKind(s.byte()), s.byte(), s.flag()
	s.check((a.row.keyA != 0) == (a.row.peer != 0) && (a.row.keyB == 0 || a.row.keyA != 0), "link without key or peer")
	if a.row.keyB != 0 {
		a.row.keyA, a.row.keyB = min(a.row.keyA, a.row.keyB), max(a.row.keyA, a.row.keyB)
	}
}

// checkPlace makes sure that what an alert refers to leaves memory with it.
func (s *reader) checkPlace(idx int32) {
	t := s.t
	a := t.alerts.at(idx)
	same := func(o int32) bool {
		x := t.alerts.at(o)
		return x.top == a.top && x.slot[a.top] == a.slot[a.top]
	}
	s.check(a.pin != 0 || same(a.shown), "shown in another component")
	s.check(a.row.peer == 0 || same(a.row.peer), "linked to another component")
	s.check(t.alerts.at(a.shown).shown == a.shown, "shown in an incident that gave way")
}

func (s *reader) segments() {
	for _, k := range s.keys[1:] {
		s.segmentsOf(k, soleLevels)
	}
	for {
		x := s.named(s.keys)
		if x == 0 {
			return
		}
		y := s.named(s.keys)
		s.check(y != 0 && x < y, "pair out of order")
		s.check(s.t.pairs.get(pairID(x, y)) == 0, "pair twice")
		s.check(pairing(s.t.keys.at(x).class, s.t.keys.at(y).class), "pair of types that make none")
		p := s.t.pairOf(x, y)
		s.segmentsOf(p, levels)
		s.check(s.t.keys.at(p).segs != [levels]int32{}, "pair without segments")
	}
}

// segmentsOf reads the segments of a key, which are told from the oldest on.
func (s *reader) segmentsOf(k int32, below int8) {
	t := s.t
	rec := t.keys.mut(k)
	for n := s.num(); n > 0; n-- {
		i, g := t.segs.alloc()
		level := int8(s.byte())
		s.check(level >= 0 && level < below, "level out of range")
		g.lo, g.hi = s.time(), s.time()
		w := s.num()
		s.check(w < 1<<31 && g.lo <= g.hi, "segment out of range")
		g.window = int32(w)
		hi := int32(0)
		switch {
		case rec.b == 0:
			g.bucket, hi = hourOf(millis(g.lo)), hourOf(millis(g.hi))
		case level == lastLevel:
			g.bucket, hi = int32(floorDiv(g.lo, s.l.slice)), int32(floorDiv(g.hi, s.l.slice))
		}
		s.check(g.bucket == hi, "segment across buckets")
		g.next = rec.segs[level]
		s.check(g.next == 0 || t.segs.at(g.next).hi < g.lo, "segments out of order")
		rec.segs[level] = i
		g.slot = s.slots[s.slot(level)]
		t.slots.mut(g.slot).refs++
	}
}

func (s *reader) relations() {
	for n := s.num(); n > 0; n-- {
		x, y := s.named(s.alerts), s.named(s.alerts)
		s.check(x != 0 && y != 0, "number out of range")
		s.t.related.set(pairID(x, y), 1)
	}
}
