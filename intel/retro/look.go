package retro

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/interdict/interdict/schema"
)

// look says, for each key, which hours from the oldest on may have seen it, the
// hours ascending, and how many hours there are. Each hour is read once, whatever the
// number of keys. Hours whose file is damaged may have seen everything.
func (s *Seen) look(ctx context.Context, keys []uint64, oldest int32) (found [][]int32, hours int, err error) {
	found = make([][]int32, len(keys))
	all, damaged, err := s.list(oldest)
	if err != nil {
		return nil, 0, err
	}
	for _, h := range all {
		if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
		if err := s.lookHour(keys, h, slices.Contains(damaged, h), found); err != nil {
			return nil, 0, err
		}
	}
	return found, len(all), nil
}

// lookHour holds the lock for one hour only, so that See is not kept waiting.
func (s *Seen) lookHour(keys []uint64, h int32, all bool, found [][]int32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.load(h)
	if errors.Is(err, errDamaged) {
		all, err = true, nil
	}
	if err != nil {
		return err
	}
	waiting := s.pending[h]
	for i, k := range keys {
		ok := all || f != nil && f.has(k)
		if !ok {
			_, ok = waiting[k]
		}
		if ok {
			found[i] = append(found[i], h)
		}
	}
	return nil
}

// list gives the hours that are remembered, ascending, and those of them whose file
// was put aside.
func (s *Seen) list(oldest int32) (all, damaged []int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set := map[int32]bool{}
	for h := range s.hours {
		set[h] = true
	}
	for h := range s.pending {
		set[h] = true
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if h, ok := damagedHour(e.Name()); ok && h >= oldest {
			damaged, set[h] = append(damaged, h), true
		}
	}
	for _, h := range sorted(set) {
		if h >= oldest {
			all = append(all, h)
		}
	}
	return all, damaged, nil
}

// Stats is what is remembered.
type Stats struct {
	Hours    int
	Waiting  int   // observations in the journal
	Memory   int64 // of loaded filters, in bytes
	Disk     int64 // of all files, in bytes
	Folds    uint64
	Damaged  int           // hours whose file could not be read
	From, To schema.Millis // of the hours; zero: none
}

// Stats tells what is remembered.
func (s *Seen) Stats() (Stats, error) {
	all, damaged, err := s.list(-1 << 31)
	if err != nil {
		return Stats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	x := Stats{Hours: len(all), Waiting: s.waiting, Memory: s.memory, Folds: s.folds, Damaged: len(damaged)}
	if len(all) > 0 {
		x.From, x.To = schema.Millis(all[0])*schema.Hour, schema.Millis(all[len(all)-1]+1)*schema.Hour
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return Stats{}, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // one that is gone meanwhile takes no place
			x.Disk += info.Size()
		}
	}
	return x, nil
}
