package correlate

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/interdict/interdict/schema"
)

// reasoner computes why each alert is in its incident, from the incident's
// alerts alone: the same whatever order they came in.
type reasoner struct {
	entries []entry
	least   []int32 // by entry: of those at the same key and time up to it, the rank with the least id
	later   []int32 // entries of the current key that are not their alert's first observation
	best    []candidate
	single  []int32 // scratch: keys of one observation
	text    [2][]byte
	ms      []int32
	asked   []bool // by rank
	cost    int    // pairs of observations that a walk looks at, at most
	span    int64  // longest time between an alert's observations
	near    neighbors
}

// entry is one use of a key that has a window at the level.
type entry struct {
	key   uint64 // record of a single key, or pairID
	t     int64
	reach int64 // how far back it links
	rank  int32 // position of its alert in the incident, oldest first
	later bool
}

// candidate is a link; peer < 0: none.
type candidate struct {
	dist int64
	key  uint64
	peer int32 // rank
}

func (c candidate) pair() bool { return c.key>>32 != 0 }

// rows fills the rows of an incident's alerts, which are in order, oldest first.
// news is the pass that marked the alerts with something new.
func (r *reasoner) rows(l *ladder, t *tenant, news uint64, level int, ms []int32, out []row) {
	for i, idx := range ms {
		a := t.alerts.at(idx)
		out[i] = row{level: int8(level), kind: schema.ReasonFounder, weight: uint8(a.weight()), late: a.late}
	}
	if len(ms) == 1 {
		out[0].level = schema.LevelSingle
		return
	}
	r.ask(t, news, level, ms)
	if r.cost <= maxScan {
		r.scan(l, t, level)
	} else {
		r.collect(l, t, level, ms)
		r.older(t)
		r.other(t)
	}
	for i := 1; i < len(ms); i++ {
		if !r.asked[i] {
			old := &t.alerts.at(ms[i]).row
			out[i].kind, out[i].dist, out[i].peer, out[i].keyA, out[i].keyB = old.kind, old.dist, old.peer, old.keyA, old.keyB
			continue
		}
		b := r.best[i]
		out[i].kind = schema.ReasonLinked
		if b.peer < 0 {
			continue // a late alert whose neighbors have left
		}
		out[i].dist, out[i].peer = b.dist, ms[b.peer]
		out[i].keyA, out[i].keyB = int32(b.key), 0
		if b.pair() {
			out[i].keyA, out[i].keyB = int32(b.key>>32), int32(uint32(b.key))
		}
	}
}

// ask decides whose reason may differ from the one it has. Alerts without
// anything new have no new links among themselves, so the reason of one that
// links to an older alert can change only if something is new about it or about
// an older one.
func (r *reasoner) ask(t *tenant, news uint64, level int, ms []int32) {
	r.ms, r.span = ms, 0
	r.asked = slices.Grow(r.asked[:0], len(ms))[:len(ms)]
	r.best = slices.Grow(r.best[:0], len(ms))[:len(ms)]
	fresh := false
	own, all := 0, 0
	for i, idx := range ms {
		a := t.alerts.at(idx)
		fresh = fresh || a.news == news || int(a.row.level) != level
		r.asked[i] = i > 0 && (fresh || a.row.kind != schema.ReasonLinked || a.row.peer == 0 || t.older(idx, a.row.peer))
		r.best[i] = candidate{peer: -1}
		r.span = max(r.span, a.newest-a.first)
		all += int(a.n)
		if r.asked[i] {
			own += int(a.n)
		}
	}
	r.cost = own * all
}

// collect lists the uses of keys by key, time and rank; only of the keys that an
// asked alert has.
func (r *reasoner) collect(l *ladder, t *tenant, level int, ms []int32) {
	r.entries = r.entries[:0]
	t.pass++
	from, to := int64(maxTime), int64(-maxTime) // where asked alerts can link to
	for rank, idx := range ms {
		if !r.asked[rank] {
			continue
		}
		from, to = min(from, t.alerts.at(idx).first-l.longest[level]), max(to, t.alerts.at(idx).newest+l.longest[level])
		for o := t.alerts.at(idx).obs; o != 0; o = t.obs.at(o).next {
			keys := t.keysOf(t.obs.at(o))
			for i := range keys.links() {
				t.keys.at(keys.key(i)).mark = t.pass
			}
		}
	}
	for rank, idx := range ms {
		a := t.alerts.at(idx)
		if a.newest < from || a.first > to {
			continue
		}
		for o := a.obs; o != 0; {
			rec := t.obs.at(o)
			o = rec.next
			e := entry{t: rec.t, rank: int32(rank), later: rec.t != a.first}
			keys := t.keysOf(rec)
			n := keys.links()
			r.single = r.single[:0]
			for i := range n {
				k := keys.key(i)
				if t.keys.at(k).mark != t.pass {
					continue
				}
				if t.keys.at(k).class.kind() != kindNone {
					r.single = append(r.single, k)
				}
				if rec.held || level >= soleLevels {
					continue
				}
				if e.reach = l.sole(level, t.keys.at(k).class, keys.degree(i)); e.reach != noWindow {
					e.key = uint64(k)
					r.entries = append(r.entries, e)
				}
			}
			e.reach = l.reach(level, rec.t)
			for i, x := range r.single {
				for _, y := range r.single[i+1:] {
					if pairing(t.keys.at(x).class, t.keys.at(y).class) {
						e.key = pairID(min(x, y), max(x, y))
						r.entries = append(r.entries, e)
					}
				}
			}
		}
	}
	slices.SortFunc(r.entries, func(x, y entry) int {
		switch {
		case x.key != y.key:
			return cmp.Compare(x.key, y.key)
		case x.t != y.t:
			return cmp.Compare(x.t, y.t)
		}
		return cmp.Compare(x.rank, y.rank)
	})
	r.entries = slices.CompactFunc(r.entries, func(x, y entry) bool { return x.key == y.key && x.t == y.t && x.rank == y.rank })
	r.least = slices.Grow(r.least[:0], len(r.entries))[:len(r.entries)]
	for i, e := range r.entries {
		r.least[i] = e.rank
		if i > 0 && r.entries[i-1].key == e.key && r.entries[i-1].t == e.t && r.idLess(t, r.least[i-1], e.rank) {
			r.least[i] = r.least[i-1]
		}
	}
}

func (r *reasoner) idLess(t *tenant, x, y int32) bool {
	return t.alerts.at(r.ms[x]).id.Compare(t.alerts.at(r.ms[y]).id) < 0
}

// older finds each alert's best link to an older one. Looking back, the nearest
// older neighbor on a key is the best of that key: all of the alert's links
// there reach equally far. Looking forward there are only further observations
// of older alerts, each with a reach of its own.
func (r *reasoner) older(t *tenant) {
	for from := 0; from < len(r.entries); {
		to := from + 1
		for to < len(r.entries) && r.entries[to].key == r.entries[from].key {
			to++
		}
		if to-from > 1 {
			r.olderOn(t, from, to)
		}
		from = to
	}
}

func (r *reasoner) olderOn(t *tenant, from, to int) {
	r.later = r.later[:0]
	for p := from; p < to; p++ {
		if r.entries[p].later {
			r.later = append(r.later, int32(p))
		}
	}
	ahead := 0
	for p := from; p < to; p++ {
		e := &r.entries[p]
		if !r.asked[e.rank] {
			continue
		}
		for q := p - 1; q >= from; q-- {
			d := e.t - r.entries[q].t
			if d > e.reach || r.best[e.rank].peer >= 0 && d > r.best[e.rank].dist {
				break
			}
			if r.entries[q].rank < e.rank {
				r.offer(t, e.rank, candidate{d, e.key, r.least[q]})
				break
			}
		}
		for ahead < len(r.later) && int(r.later[ahead]) <= p {
			ahead++
		}
		for _, q := range r.later[ahead:] {
			f := &r.entries[q]
			d := f.t - e.t
			if r.best[e.rank].peer >= 0 && d > r.best[e.rank].dist {
				break
			}
			if f.rank < e.rank && d <= f.reach {
				r.offer(t, e.rank, candidate{d, e.key, f.rank})
			}
		}
	}
}

// other gives the alerts that have no link to an older one their best link to
// any.
func (r *reasoner) other(t *tenant) {
	lost, any := make([]bool, len(r.best)), false
	for i := range r.best {
		lost[i] = r.asked[i] && r.best[i].peer < 0
		any = any || lost[i]
	}
	if !any {
		return
	}
	for p := range r.entries {
		e := &r.entries[p]
		if !lost[e.rank] {
			continue
		}
		for q := p - 1; q >= 0 && r.entries[q].key == e.key; q-- {
			f := &r.entries[q]
			d := e.t - f.t
			if d > e.reach || r.best[e.rank].peer >= 0 && d > r.best[e.rank].dist {
				break
			}
			if f.rank != e.rank {
				r.offer(t, e.rank, candidate{d, e.key, f.rank})
			}
		}
		for q := p + 1; q < len(r.entries) && r.entries[q].key == e.key; q++ {
			f := &r.entries[q]
			d := f.t - e.t
			if r.best[e.rank].peer >= 0 && d > r.best[e.rank].dist {
				break
			}
			if f.rank != e.rank && d <= f.reach {
				r.offer(t, e.rank, candidate{d, e.key, f.rank})
			}
		}
	}
}

// offer keeps the least of (distance, pair before single, key text, id).
func (r *reasoner) offer(t *tenant, rank int32, c candidate) {
	b := &r.best[rank]
	if b.peer < 0 || r.better(t, c, *b) {
		*b = c
	}
}

func (r *reasoner) better(t *tenant, x, y candidate) bool {
	switch {
	case x.dist != y.dist:
		return x.dist < y.dist
	case x.pair() != y.pair():
		return x.pair()
	case x.key != y.key:
		return r.textLess(t, x.key, y.key)
	}
	return x.peer != y.peer && r.idLess(t, x.peer, y.peer)
}

// textLess orders two single keys, or two pairs, by their texts.
func (r *reasoner) textLess(t *tenant, x, y uint64) bool {
	a, b := t.halves(x)
	c, d := t.halves(y)
	if a == c {
		return t.compareKeys(b, d) < 0
	}
	if p, q := t.keys.at(a).typ, t.keys.at(c).typ; p != q {
		return p.String() < q.String() // no type's name begins with another's
	}
	r.text[0] = t.appendKey(r.text[0][:0], a, b)
	r.text[1] = t.appendKey(r.text[1][:0], c, d)
	return bytes.Compare(r.text[0], r.text[1]) < 0
}

// halves gives the single keys of a pair in order of their texts, or a single key
// and 0.
func (t *tenant) halves(key uint64) (first, second int32) {
	first, second = int32(uint32(key)), int32(key>>32)
	if second != 0 && t.compareKeys(first, second) > 0 {
		first, second = second, first
	}
	return first, second
}

// appendKey appends the text of a key: "type:key", of a pair both joined by "|"
// in lexicographic order. One of a and b may be 0.
func (t *tenant) appendKey(dst []byte, a, b int32) []byte {
	if a == 0 || b == 0 {
		return t.appendSingle(dst, a|b)
	}
	if t.compareKeys(a, b) > 0 {
		a, b = b, a
	}
	return t.appendSingle(append(t.appendSingle(dst, a), '|'), b)
}

func (t *tenant) appendSingle(dst []byte, k int32) []byte {
	r := t.keys.at(k)
	dst = append(dst, r.typ.String()...)
	dst = append(dst, ':')
	return append(dst, t.blobs.get(r.text)...)
}
