package retro

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/interdict/interdict/schema"
)

// Seen remembers which observables the alerts of each hour named. What See has
// acknowledged survives any end of the process. It is safe for concurrent use; one
// process at a time may have the folder.
type Seen struct {
	cfg Config

	mu      sync.Mutex
	journal *os.File
	size    int64 // of the journal's whole blocks
	pending map[int32]map[uint64]struct{}
	waiting int                            // entries of pending
	hours   map[int32]bool                 // that have a file
	loaded  *simplelru.LRU[int32, *filter] // the last used; dropped by size
	memory  int64                          // of loaded
	folds   uint64
	scratch struct {
		notes []note
		keys  []uint64
		block []byte
	}
}

// hourOf gives the hour of a time, as a number from 1970 on.
func hourOf(t schema.Millis) int32 {
	h := t / schema.Hour
	if t%schema.Hour < 0 {
		h--
	}
	return int32(min(max(h, -1<<31), 1<<31-1))
}

// Open opens the folder, made if need be. Files that are damaged are put aside,
// and their hours are asked as if they had seen everything.
func Open(cfg Config) (*Seen, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the memory of observables: %w", err)
	}
	s := &Seen{cfg: cfg, pending: map[int32]map[uint64]struct{}{}, hours: map[int32]bool{}}
	var err error
	if s.loaded, err = simplelru.NewLRU(1<<20, func(_ int32, f *filter) { s.memory -= f.size() }); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening the memory of observables: %w", err)
	}
	for _, e := range entries {
		if h, ok := hourName(e.Name()); ok {
			s.hours[h] = true
		}
	}
	take := func(n note) { s.wait(n) }
	// A fold that was cut off is begun again: what it had done already is done again.
	old, err := openJournal(s.path(foldingName), take)
	if err == nil {
		err = old.Close()
	}
	if err == nil {
		s.journal, err = openJournal(s.path(journalName), take)
	}
	if err == nil {
		s.size, err = s.journal.Seek(0, 2)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the journal of observables: %w", err)
	}
	return s, nil
}

func (s *Seen) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

func (s *Seen) hourPath(h int32) string { return s.path(strconv.Itoa(int(h)) + ".seen") }

// wait keeps a note until the next fold, and reports whether it is new.
func (s *Seen) wait(n note) bool {
	m := s.pending[n.hour]
	if m == nil {
		m = map[uint64]struct{}{}
		s.pending[n.hour] = m
	}
	if _, ok := m[n.key]; ok {
		return false
	}
	m[n.key] = struct{}{}
	s.waiting++
	return true
}

// See remembers what alerts named, each in the hour it was created in. When it
// returns without an error all of it is on the disk. Seeing an alert again changes
// nothing. Alerts are not kept.
func (s *Seen) See(alerts []schema.Alert) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &s.scratch
	x.notes = x.notes[:0]
	for i := range alerts {
		a := &alerts[i]
		h := hourOf(a.Created)
		known := s.cached(h)
		for k := range a.Entities {
			x.keys = keys(x.keys[:0], &a.Entities[k])
			for _, v := range x.keys {
				if known != nil && known.has(v) {
					continue // or taken for it: it will be found either way
				}
				if n := (note{h, v}); s.wait(n) {
					x.notes = append(x.notes, n)
				}
			}
		}
	}
	if len(x.notes) > 0 {
		if err := s.write(x.notes); err != nil {
			s.forget(x.notes)
			return fmt.Errorf("remembering observables: %w", err)
		}
	}
	if s.waiting >= s.cfg.Pending {
		return s.fold(hourOf(latest(alerts)))
	}
	return nil
}

func latest(alerts []schema.Alert) (t schema.Millis) {
	for i := range alerts {
		t = max(t, alerts[i].Ingested, alerts[i].Created)
	}
	return t
}

// write appends notes to the journal, durably. A block that is written in part is
// cut off again, or else what comes after it would be lost with it.
func (s *Seen) write(notes []note) error {
	x := &s.scratch
	x.block = x.block[:0]
	for part := range slices.Chunk(notes, maxNotes) {
		x.block = appendBlock(x.block, part)
	}
	_, err := s.journal.Write(x.block)
	if err == nil {
		err = s.journal.Sync()
	}
	if err != nil {
		undo := s.journal.Truncate(s.size)
		if undo == nil {
			_, undo = s.journal.Seek(s.size, 0)
		}
		return errors.Join(err, undo)
	}
	s.size += int64(len(x.block))
	return nil
}

func (s *Seen) forget(notes []note) {
	for _, n := range notes {
		delete(s.pending[n.hour], n.key)
		s.waiting--
	}
}

// cached gives an hour's filter if it is in memory.
func (s *Seen) cached(h int32) *filter {
	f, _ := s.loaded.Peek(h)
	return f
}

// load gives an hour's filter; nil if there is none.
func (s *Seen) load(h int32) (*filter, error) {
	if f, ok := s.loaded.Get(h); ok || !s.hours[h] {
		return f, nil
	}
	b, err := os.ReadFile(s.hourPath(h))
	if err != nil {
		return nil, fmt.Errorf("reading the filter of an hour: %w", err)
	}
	f, err := decodeFilter(b, int64(h), s.cfg.FalsePositives)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(s.hourPath(h)), err)
	}
	s.keep(h, f)
	return f, nil
}

// keep puts a filter among the loaded ones, and drops others to stay within the
// memory.
func (s *Seen) keep(h int32, f *filter) {
	s.loaded.Remove(h)
	s.memory += f.size()
	s.loaded.Add(h, f)
	for s.memory > s.cfg.Memory && s.loaded.Len() > 1 {
		s.loaded.RemoveOldest()
	}
}

// Fold puts what waits in the journal into the filters and removes hours that are
// older than the retention before now. See does it when enough waits; a service
// calls it now and then, so that a restart has little to read.
func (s *Seen) Fold(now schema.Millis) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fold(hourOf(now))
}

// fold turns the journal over, writes the hours, and only then removes what the
// journal held: whatever is cut off is done again from the journal.
func (s *Seen) fold(now int32) error {
	if s.waiting > 0 {
		if err := s.turn(); err != nil {
			return fmt.Errorf("turning the journal over: %w", err)
		}
	}
	oldest := now - int32(s.cfg.Retention.Hours())
	for _, h := range sorted(s.pending) {
		if h >= oldest {
			if err := s.foldHour(h); err != nil {
				return err
			}
		}
		s.waiting -= len(s.pending[h])
		delete(s.pending, h)
	}
	if err := remove(s.path(foldingName)); err != nil {
		return err
	}
	s.folds++
	return s.expire(oldest)
}

// expire removes the hours before the oldest.
func (s *Seen) expire(oldest int32) error {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		h, ok := damagedHour(e.Name())
		if !ok {
			h, ok = hourName(e.Name())
		}
		if !ok || h >= oldest {
			continue
		}
		if err := remove(s.path(e.Name())); err != nil {
			return err
		}
		s.loaded.Remove(h)
		delete(s.hours, h)
	}
	return nil
}

// hourName reads the name of an hour's file.
func hourName(name string) (int32, bool) {
	text, ok := strings.CutSuffix(name, ".seen")
	h, err := strconv.ParseInt(text, 10, 32)
	return int32(h), ok && err == nil
}

// damagedHour reads the name of one that was put aside.
func damagedHour(name string) (int32, bool) {
	text, ok := strings.CutSuffix(name, ".damaged")
	if !ok {
		return 0, false
	}
	return hourName(text)
}

// turn moves the journal aside. One that lies there already, of a fold that failed,
// is part of pending as well: both are written as one.
func (s *Seen) turn() error {
	var all []note
	for _, h := range sorted(s.pending) {
		for k := range s.pending[h] {
			all = append(all, note{h, k})
		}
	}
	var b []byte
	for part := range slices.Chunk(all, maxNotes) {
		b = appendBlock(b, part)
	}
	if err := replaceFile(s.path(foldingName), b); err != nil {
		return err
	}
	if err := s.journal.Truncate(0); err != nil {
		return err
	}
	if _, err := s.journal.Seek(0, 0); err != nil {
		return err
	}
	s.size = 0
	return s.journal.Sync()
}

func (s *Seen) foldHour(h int32) error {
	f, err := s.load(h)
	if errors.Is(err, errDamaged) {
		// Nobody knows what it held: it stands aside, and the hour is always asked.
		if err := os.Rename(s.hourPath(h), s.hourPath(h)+".damaged"); err != nil {
			return err
		}
		f, err = nil, nil
	}
	if err != nil {
		return err
	}
	next := &filter{rate: s.cfg.FalsePositives}
	if f != nil {
		s.loaded.Remove(h) // it grows
		next = f
	}
	for k := range s.pending[h] {
		next.add(k)
	}
	b, err := next.encode(int64(h))
	if err == nil {
		err = replaceFile(s.hourPath(h), b)
	}
	if err != nil {
		return err
	}
	s.hours[h] = true
	s.keep(h, next)
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func sorted[V any](m map[int32]V) []int32 {
	list := make([]int32, 0, len(m))
	for h := range m {
		list = append(list, h)
	}
	slices.Sort(list)
	return list
}

// Close folds nothing: what waits is read from the journal at the next Open.
func (s *Seen) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}
