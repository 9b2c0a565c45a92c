package correlate

// arena holds records of one kind in pages, by index. Index 0 is none, so that a
// zeroed record refers to nothing. Pages never move: a pointer stays valid until
// its record is freed. Records hold no pointers, so that the garbage collector
// does not walk them.
//
// Changes since the last commit are noted and can be undone exactly: mut keeps
// a copy of a record before its first change, freed records are kept until the
// commit, and the free list is put back in its old order.
type arena[T any] struct {
	pages []*[pageSize]T
	stamp []*[pageSize]uint32 // epoch of each record's last copy or allocation
	n     int32               // indices handed out so far, and the zero one
	free  []int32

	epoch   uint32
	base    int32 // n at the last commit
	log     []saved[T]
	popped  []int32 // taken from free since the last commit
	pending []int32 // freed since the last commit
}

type saved[T any] struct {
	index int32
	old   T
}

const (
	pageBits = 8
	pageSize = 1 << pageBits
	pageMask = pageSize - 1
)

func newArena[T any]() arena[T] { return arena[T]{n: 1, base: 1, epoch: 1} }

// at gives a record for reading, or for writing what needs no undoing.
func (a *arena[T]) at(i int32) *T { return &a.pages[i>>pageBits][i&pageMask] }

// mut gives a record for writing.
func (a *arena[T]) mut(i int32) *T {
	p := &a.pages[i>>pageBits][i&pageMask]
	if s := &a.stamp[i>>pageBits][i&pageMask]; *s != a.epoch {
		*s = a.epoch
		a.log = append(a.log, saved[T]{i, *p})
	}
	return p
}

// alloc gives a zeroed record.
func (a *arena[T]) alloc() (int32, *T) {
	var i int32
	if n := len(a.free); n > 0 {
		i = a.free[n-1]
		a.free = a.free[:n-1]
		a.popped = append(a.popped, i)
	} else {
		i = a.n
		a.n++
		if int(i>>pageBits) == len(a.pages) {
			a.pages = append(a.pages, new([pageSize]T))
			a.stamp = append(a.stamp, new([pageSize]uint32))
		}
	}
	a.stamp[i>>pageBits][i&pageMask] = a.epoch
	return i, &a.pages[i>>pageBits][i&pageMask]
}

// release frees a record at the next commit; until then it stays readable.
func (a *arena[T]) release(i int32) { a.pending = append(a.pending, i) }

// live is the number of records in use.
func (a *arena[T]) live() int { return int(a.n) - 1 - len(a.free) - len(a.pending) }

func (a *arena[T]) commit() {
	var zero T
	for _, i := range a.pending {
		*a.at(i) = zero
	}
	a.free = append(a.free, a.pending...)
	a.settle()
}

func (a *arena[T]) rollback() {
	var zero T
	for k := len(a.log) - 1; k >= 0; k-- {
		*a.at(a.log[k].index) = a.log[k].old
	}
	for k := len(a.popped) - 1; k >= 0; k-- {
		*a.at(a.popped[k]) = zero
		a.free = append(a.free, a.popped[k])
	}
	for i := a.base; i < a.n; i++ {
		*a.at(i) = zero
	}
	a.n = a.base
	a.settle()
}

// settle starts the next epoch. One huge batch must not keep its memory.
func (a *arena[T]) settle() {
	a.log, a.popped, a.pending = shrink(a.log), shrink(a.popped), shrink(a.pending)
	a.base = a.n
	a.epoch++
	if a.epoch == 0 { // after 2^32 commits old stamps could look new
		for _, p := range a.stamp {
			clear(p[:])
		}
		a.epoch = 1
	}
}

func shrink[T any](s []T) []T {
	if cap(s) > 1<<16 {
		return nil
	}
	return s[:0]
}

// index is a map whose changes can be undone.
type index[K comparable] struct {
	m   map[K]int32
	log []was[K]
}

type was[K comparable] struct {
	key K
	old int32 // 0: absent
}

func newIndex[K comparable]() index[K] { return index[K]{m: make(map[K]int32)} }

func (x *index[K]) get(k K) int32 { return x.m[k] }

// set maps k to v; v = 0 deletes.
func (x *index[K]) set(k K, v int32) {
	x.log = append(x.log, was[K]{k, x.m[k]})
	x.put(k, v)
}

func (x *index[K]) put(k K, v int32) {
	if v == 0 {
		delete(x.m, k)
	} else {
		x.m[k] = v
	}
}

func (x *index[K]) commit() { x.log = shrink(x.log) }

func (x *index[K]) rollback() {
	for i := len(x.log) - 1; i >= 0; i-- {
		x.put(x.log[i].key, x.log[i].old)
	}
	x.commit()
}
