package library

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// sorter puts entries in the order of their keys. What does not fit its memory waits
// in sorted files. Entries of one key stay in the order in which they came.
type sorter struct {
	dir, name string
	limit     int
	arena     []byte
	items     []sortItem
	runs      []string
}

// sortItem is an entry in the arena: key, then payload.
type sortItem struct {
	head     uint64 // first bytes of the key: most comparisons end here
	at       uint32
	key, all uint32 // lengths
}

// maxFan is how many runs are read at once.
const maxFan = 256

func (s *sorter) add(key, payload []byte) error {
	if len(s.arena)+len(key)+len(payload)+24 > s.limit && len(s.items) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	var head [8]byte
	copy(head[:], key)
	s.items = append(s.items, sortItem{binary.BigEndian.Uint64(head[:]), uint32(len(s.arena)), uint32(len(key)), uint32(len(key) + len(payload))})
	s.arena = append(append(s.arena, key...), payload...)
	if len(s.items)*24+len(s.arena) > s.limit {
		return s.spill()
	}
	return nil
}

func (s *sorter) sort() {
	slices.SortFunc(s.items, func(a, b sortItem) int {
		if c := cmp.Compare(a.head, b.head); c != 0 {
			return c
		}
		return cmp.Or(bytes.Compare(s.arena[a.at:a.at+a.key], s.arena[b.at:b.at+b.key]), cmp.Compare(a.at, b.at))
	})
}

// spill writes what is in memory to a file.
func (s *sorter) spill() error {
	if len(s.items) == 0 {
		return nil
	}
	s.sort()
	if err := s.run(func(add func(key, payload []byte) error) error {
		for _, it := range s.items {
			if err := add(s.arena[it.at:it.at+it.key], s.arena[it.at+it.key:it.at+it.all]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	s.items, s.arena = s.items[:0], s.arena[:0]
	if len(s.runs) < maxFan {
		return nil
	}
	old := s.runs
	s.runs = nil
	err := merge(old, func(m *merger) error {
		return s.run(func(add func(key, payload []byte) error) error {
			for !m.done() {
				if err := errors.Join(add(m.key(), m.payload()), m.next()); err != nil {
					return err
				}
			}
			return nil
		})
	})
	for _, name := range old {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func (s *sorter) run(fill func(add func(key, payload []byte) error) error) error {
	f, err := os.CreateTemp(s.dir, temporary+s.name+"-*")
	if err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sorting: %w", err)
	}
	s.runs = append(s.runs, f.Name())
	t, err := createTable(f.Name(), kindRun)
	if err != nil {
		return err
	}
	if err := fill(t.add); err != nil {
		return errors.Join(err, t.f.Close())
	}
	return t.finish(false)
}

// merged hands what was added to use, in order, and frees the memory. It may be called
// again; drop ends it.
func (s *sorter) merged(use func(*merger) error) error {
	if len(s.runs) > 0 || len(s.items) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.items, s.arena = nil, nil
	return merge(s.runs, use)
}

// drop removes the files.
func (s *sorter) drop() (err error) {
	for _, name := range s.runs {
		err = errors.Join(err, os.Remove(name))
	}
	s.runs = nil
	return err
}

// merger goes through several runs at once.
type merger struct{ cursors []mergeRun }

type mergeRun struct {
	*cursor
	n int
}

func (m *merger) Len() int { return len(m.cursors) }
func (m *merger) Less(i, j int) bool {
	a, b := m.cursors[i], m.cursors[j]
	return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.n, b.n)) < 0
}
func (m *merger) Swap(i, j int) { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }
func (m *merger) Push(any)      {}
func (m *merger) Pop() any {
	m.cursors = m.cursors[:len(m.cursors)-1]
	return nil
}

func (m *merger) done() bool      { return len(m.cursors) == 0 }
func (m *merger) key() []byte     { return m.cursors[0].key }
func (m *merger) payload() []byte { return m.cursors[0].payload }

func (m *merger) next() error {
	if err := m.cursors[0].next(); err != nil {
		return err
	}
	if m.cursors[0].done {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return nil
}

func merge(runs []string, use func(*merger) error) (err error) {
	m := &merger{}
	for n, name := range runs {
		t, err := openTable(filepath.Clean(name), kindRun)
		if err != nil {
			return err
		}
		defer t.close()
		c := t.scan()
		if err := c.next(); err != nil {
			return err
		}
		if !c.done {
			m.cursors = append(m.cursors, mergeRun{c, n})
		}
	}
	heap.Init(m)
	return use(m)
}
