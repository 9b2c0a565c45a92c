package match

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Op is what a change does.
type Op uint8

// Changes of an index.
const (
	Add    Op = iota + 1 // the indicator as it is from now on; it takes the place of the one with the same type, value, feed and id
	Remove               // the indicator of that type, value, feed and id is no more; its other fields do not matter
)

// Change is one step in the life of an indicator.
type Change struct {
	Op        Op
	Indicator schema.Indicator
}

// Applied counts what changes did.
type Applied struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Removed   int `json:"removed"`
	Unchanged int `json:"unchanged"` // added as it was already, or removed without being there
}

func (a *Applied) add(b Applied) {
	a.Added, a.Changed, a.Removed, a.Unchanged = a.Added+b.Added, a.Changed+b.Changed, a.Removed+b.Removed, a.Unchanged+b.Unchanged
}

// Errors of Apply, and of whatever reads records.
var (
	ErrStale   = errors.New("the index has been changed already: apply changes to its newest version")
	errDamaged = errors.New("a record of the index is damaged")
)

// Apply gives the index after the changes, as if they were made one after another.
// All of them are in the new index or, with an error, none. x stays as it is and may
// still be asked, but not changed any more.
//
// The price of a change is a copy of the delta of one shard. Now and then Apply
// rebuilds the shard with the largest delta; never more than the changes since the
// last rebuild have paid for, unless a single list fills a shard.
func (x *Index) Apply(changes []Change) (*Index, Applied, error) {
	edits := make([]numbered, len(changes))
	size := 0
	for i := range changes {
		c := &changes[i]
		if c.Op != Add && c.Op != Remove {
			return nil, Applied{}, fmt.Errorf("change %d: operation %d is unknown", i, c.Op)
		}
		if c.Op == Add {
			if err := Check(c.Indicator); err != nil {
				return nil, Applied{}, fmt.Errorf("change %d: indicator %s of feed %s: %w", i, c.Indicator.ID, c.Indicator.Feed, err)
			}
		}
		size += len(c.Indicator.Value) + len(c.Indicator.Feed) + len(c.Indicator.ID) + 40
	}
	memory := make([]byte, 0, size)
	for i := range changes {
		c := &changes[i]
		from := len(memory)
		memory = appendRecord(memory, &c.Indicator)
		r, ok := parse(memory[from:len(memory):len(memory)])
		if !ok {
			return nil, Applied{}, errDamaged
		}
		edits[i] = numbered{edit{hashKey(c.Indicator.Type, c.Indicator.Value), r, c.Op == Remove}, i}
	}
	return x.edit(edits)
}

type numbered struct {
	edit
	n int
}

// byIdentity orders edits by hash, then by indicator, then as they came.
func byIdentity(a, b numbered) int {
	if c := cmp.Compare(a.hash, b.hash); c != 0 {
		return c
	}
	p, q := a.rec, b.rec
	return cmp.Or(cmp.Compare(p.small[0], q.small[0]), compareBytes(p.value, q.value), compareBytes(p.feed, q.feed), cmp.Compare(len(p.id), len(q.id)), compareBytes(p.id, q.id), compareBool(p.uuid, q.uuid), cmp.Compare(a.n, b.n))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func compareBytes(a, b []byte) int { return strings.Compare(string(a), string(b)) }

func byHash(a, b item) int { return cmp.Compare(a.hash, b.hash) }

func (x *Index) edit(list []numbered) (*Index, Applied, error) {
	if !x.own.newest.CompareAndSwap(x, nil) {
		return nil, Applied{}, ErrStale
	}
	next, done, err := x.edited(list)
	if err != nil {
		x.own.newest.Store(x)
		return nil, Applied{}, err
	}
	x.own.newest.Store(next)
	runtime.KeepAlive(x)
	return next, done, nil
}

func (x *Index) edited(list []numbered) (*Index, Applied, error) {
	var done Applied
	slices.SortFunc(list, byIdentity)
	next := &Index{cfg: x.cfg, shards: x.shards, nets: x.nets, types: x.types, debt: x.debt, own: x.own}
	var edits []edit
	for i := 0; i < len(list); {
		number := shardOf(list[i].hash)
		edits = edits[:0]
		for ; i < len(list) && shardOf(list[i].hash) == number; i++ {
			if i+1 < len(list) && list[i].hash == list[i+1].hash && list[i].rec.same(list[i+1].rec) {
				done.Unchanged++ // a later change of the same indicator decides
				continue
			}
			edits = append(edits, list[i].edit)
		}
		s, did, err := x.shards[number].apply(edits, x.own, &next.types)
		if err != nil {
			return nil, done, err
		}
		if s.changes() > 4*x.allowance(s) {
			if s, err = s.compact(x.own, x.cfg.FalsePositives); err != nil {
				return nil, done, err
			}
		}
		next.shards[number] = s
		done.add(did)
		next.debt += did.Added + did.Changed + did.Removed
	}
	if err := next.payDebt(); err != nil {
		return nil, done, err
	}
	for _, s := range next.shards {
		next.n += s.n
		next.sum += s.sum
	}
	next.nets = x.nets.after(next, list)
	return next, done, nil
}

// allowance is how large a delta a shard should have: a larger one costs memory and
// time to copy, a smaller one rebuilds more often.
func (x *Index) allowance(s *shard) int { return min(max(64, s.n/256), 1024) }

// payDebt rebuilds the shards with the largest deltas, as many as the changes made
// since the last time have earned.
func (x *Index) payDebt() error {
	for {
		largest := 0
		for i, s := range x.shards {
			if s.changes() > x.shards[largest].changes() {
				largest = i
			}
		}
		s := x.shards[largest]
		price := x.allowance(s)
		if s.changes() == 0 || x.debt < price {
			return nil
		}
		x.debt -= price
		s, err := s.compact(x.own, x.cfg.FalsePositives)
		if err != nil {
			return err
		}
		x.shards[largest] = s
	}
}

// after gives the networks that go with the changed index x.
func (n *networks) after(x *Index, list []numbered) *networks {
	var come, gone []netip.Prefix
	for i := range list {
		e := &list[i]
		if e.rec.typ() != schema.ObservableCIDR || i > 0 && e.hash == list[i-1].hash && bytes.Equal(e.rec.value, list[i-1].rec.value) {
			continue
		}
		p, err := netip.ParsePrefix(string(e.rec.value))
		if err != nil {
			continue // only a removal, and such a network was never added
		}
		has, had := false, n != nil && n.table.Get(p)
		s := x.shards[shardOf(e.hash)]
		in, _ := s.maybe(e.hash)
		s.find(e.hash, in, schema.ObservableCIDR, string(e.rec.value), func(uint64, []byte) { has = true })
		switch {
		case has && !had:
			come = append(come, p)
		case had && !has:
			gone = append(gone, p)
		}
	}
	if len(come)+len(gone) == 0 {
		return n
	}
	return n.with(come, gone)
}
