package distribute

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// search is a look for a snapshot, and its outcome.
type search struct {
	reason  string
	after   int64     // only references behind this offset count
	running bool      // in a goroutine
	again   time.Time // when it is repeated; zero: it is not

	x      *match.Index // nil: none could be had
	ref    schema.IndicatorSnapshot
	offset int64 // of the reference
	seen   int   // references that counted
	err    error // the log could not be read
}

// begun starts a search beside the following. Another one that is running decides
// first; its end shows whether more is needed.
func (f *Follower) begun(ctx context.Context, s search) {
	if f.search.running {
		f.search.after, f.search.again = max(f.search.after, s.after), f.now()
		f.search.reason = s.reason
		return
	}
	f.search = search{reason: s.reason, after: s.after, running: true}
	go func() { f.found <- f.look(ctx, s) }()
}

// wait ends with the search that is running.
func (f *Follower) wait() {
	if f.search.running {
		<-f.found
		f.search.running = false
	}
}

// ended takes the outcome of a search that ran.
func (f *Follower) ended(got search) {
	if got.x != nil && got.offset > f.search.after {
		f.adopt(got)
		return
	}
	if got.x == nil && !f.lost {
		f.search = search{} // for less memory: the next reference will do
		return
	}
	if got.x == nil {
		err := got.err
		if err == nil {
			err = errNone
		}
		f.slog.Warn("no snapshot of the indicators could be had", "reason", got.reason, "references", got.seen, "error", err)
		f.set(func(s *FollowerStatus) { s.LastError = err.Error() })
	}
	// Where there was no reference at all, the next one begins a search by itself.
	if f.search.again.IsZero() && (got.seen > 0 || got.err != nil) {
		f.search.again = f.now().Add(f.cfg.RetryEvery)
	}
}

var errNone = errors.New("no usable snapshot")

// adopt goes on from a snapshot. What lies between it and the place where the
// follower was is read again; until then the holder keeps what it has.
func (f *Follower) adopt(got search) {
	if err := f.files.use(got.ref.Hash); err != nil {
		f.slog.Warn("snapshots that are not needed could not be removed", "error", err)
	}
	f.slog.Info("opened a snapshot of the indicators", "reason", got.reason, "offset", got.offset, "indicators", got.x.Len(), "content", fmt.Sprintf("%016x", got.x.ID()))
	f.c, f.top = newChain(got.x, got.ref.Seq, got.ref.Made), got.ref.Seq
	f.hold = max(f.hold, f.next, f.goal)
	if f.holder.Load() == nil || got.offset >= f.next {
		f.hold = 0 // better than nothing, or newer than all there was
	}
	f.from, f.next, f.lost, f.search = got.offset, got.offset+1, false, search{}
	f.set(func(s *FollowerStatus) {
		s.Lacking = 0
		s.Snapshot, s.SnapshotAt, s.State = nameOf(got.ref.Hash), got.ref.Made, StateCatchingUp
	})
}

// look finds the newest reference whose snapshot can be had: first in what was written
// lately, then further and further back. It is not of the goroutine of Run.
func (f *Follower) look(ctx context.Context, s search) search {
	start, end, err := f.log.Bounds(ctx)
	if err != nil {
		s.err = err
		return s
	}
	start = max(start, s.after+1)
	span := 2 * f.cfg.SnapshotEvery
	for hi := end; hi > start; span *= 4 {
		lo := start
		if now := f.now(); span < 365*24*time.Hour {
			if lo, s.err = f.log.OffsetAt(ctx, schema.FromTime(now.Add(-span))); s.err != nil {
				return s
			}
			if lo = min(max(lo, start), hi); lo == hi {
				continue
			}
		}
		refs, err := f.references(ctx, lo, hi)
		if err != nil {
			s.err = err
			return s
		}
		for i := len(refs) - 1; i >= 0; i-- {
			r := &refs[i]
			s.seen++
			x, err := f.files.open(ctx, &r.ref)
			if err == nil {
				s.x, s.ref, s.offset = x, r.ref, r.offset
				return s
			}
			if ctx.Err() != nil {
				s.err = ctx.Err()
				return s
			}
			f.slog.Error("a snapshot of the indicators cannot be used, trying the one before", "offset", r.offset, "hash", nameOf(r.ref.Hash), "error", err)
			f.set(func(st *FollowerStatus) { st.BadSnapshots++; st.LastError = err.Error() })
		}
		hi = lo
	}
	return s
}

type reference struct {
	ref    schema.IndicatorSnapshot
	offset int64
}

// maxReferences bounds how many references of a stretch are tried: the newest.
const maxReferences = 16

// references lists those of a stretch of the log in the order of their numbers, which
// is not that of offsets if an old one was written again. Of several to one file the
// newest counts.
func (f *Follower) references(ctx context.Context, from, to int64) ([]reference, error) {
	var list []reference
	top := uint64(0)
	err := readLog(ctx, f.log, from, to, func(offset int64, value []byte) error {
		seq := seqOf(value)
		old := seq <= top // written again
		if top = max(top, seq); old {
			return nil
		}
		kind, body, err := schema.DecodeIndicatorEntry(value)
		if err != nil || kind != schema.IndicatorEntrySnapshot {
			return nil // take tells of what cannot be read
		}
		r := reference{offset: offset}
		if r.ref.DecodeWire(append([]byte(nil), body...)) != nil {
			return nil
		}
		for i := range list {
			if old := &list[i].ref; old.Seq == r.ref.Seq || old.Hash == r.ref.Hash && old.Seq > r.ref.Seq {
				return nil
			}
		}
		list = slices.DeleteFunc(list, func(old reference) bool { return old.ref.Hash == r.ref.Hash })
		list = append(list, r)
		slices.SortFunc(list, func(a, b reference) int { return cmp.Compare(a.ref.Seq, b.ref.Seq) })
		if len(list) > maxReferences {
			list = slices.Delete(list, 0, 1)
		}
		return nil
	})
	return list, err
}
