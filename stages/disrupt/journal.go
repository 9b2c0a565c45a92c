package disrupt

// journal notes how to undo what was done since the last commit.
type journal struct{ undo []func() }

func (j *journal) note(f func()) { j.undo = append(j.undo, f) }

func (j *journal) commit() {
	clear(j.undo)
	if cap(j.undo) > 1<<16 { // one huge batch must not keep its memory
		j.undo = nil
	}
	j.undo = j.undo[:0]
}

func (j *journal) rollback() {
	for i := len(j.undo) - 1; i >= 0; i-- {
		j.undo[i]()
	}
	j.commit()
}

// table is a map whose changes can be undone. Values must not be changed in
// place: they are replaced.
type table[K comparable, V any] struct {
	m map[K]V
	j *journal
}

func newTable[K comparable, V any](j *journal) table[K, V] { return table[K, V]{map[K]V{}, j} }

func (t table[K, V]) get(k K) (V, bool) {
	v, ok := t.m[k]
	return v, ok
}

func (t table[K, V]) put(k K, v V) {
	t.keep(k)
	t.m[k] = v
}

func (t table[K, V]) del(k K) {
	if _, ok := t.m[k]; ok {
		t.keep(k)
		delete(t.m, k)
	}
}

func (t table[K, V]) keep(k K) {
	old, had := t.m[k]
	t.j.note(func() {
		if had {
			t.m[k] = old
		} else {
			delete(t.m, k)
		}
	})
}

// cell is a value whose changes can be undone.
type cell[V any] struct {
	v V
	j *journal
}

func (c *cell[V]) set(v V) {
	old := c.v
	c.j.note(func() { c.v = old })
	c.v = v
}
