package distribute

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// recover finds out what the log has, and makes the index of it: from the own last
// snapshot and the deltas that follow. Where that is not possible the index stays
// nil, and why says what is the matter.
func (p *Publisher) recover(ctx context.Context) error {
	if err := p.log.Fence(ctx); err != nil {
		return err
	}
	start, end, err := p.log.Bounds(ctx)
	if err != nil {
		return err
	}
	p.x, p.why = nil, ""
	st, err := loadState(p.dir)
	if errors.Is(err, errState) {
		p.slog.Error("what was published is not known any more", "error", err)
		st, p.why = state{}, err.Error()
	} else if err != nil {
		return err
	}
	p.st = st
	last := p.st.newest()
	if last == nil || last.Offset < start || last.Offset >= end {
		if p.why == "" {
			p.why = "the log refers to no snapshot of this publisher"
		}
		return p.start(ctx, start, end)
	}
	x, err := match.OpenSnapshot(filepath.Join(p.dir, last.Name))
	if err != nil {
		p.why = err.Error()
		return p.start(ctx, start, end)
	}
	r := &replay{p: p, c: newChain(x, last.Seq, last.Made), seq: p.st.Seq}
	if err := readLog(ctx, p.log, last.Offset+1, end, r.take); err != nil {
		return err
	}
	r.flush()
	p.st.Seq = max(p.st.Seq, r.seq)
	pend := p.st.Pending
	switch {
	case r.wrong != "":
		p.why = r.wrong
	case pend != nil && (r.referred || pend.Snapshot == nil && pend.Content != p.st.Content && pend.Content == r.c.x.ID()):
		p.st.settle(max(r.last, last.Offset))
		p.st.Seq = max(p.st.Seq, r.seq)
		p.x = r.c.x
	case r.c.x.ID() == p.st.Content:
		p.x = r.c.x
	default:
		p.why = fmt.Sprintf("the log leads to content %016x, published was %016x", r.c.x.ID(), p.st.Content)
	}
	return p.opened(ctx)
}

// start opens the publisher without an index: numbers go on from those of the log.
func (p *Publisher) start(ctx context.Context, start, end int64) error {
	for at := end; at > start; {
		from := max(start, at-1000)
		err := readLog(ctx, p.log, from, at, func(_ int64, value []byte) error {
			p.st.Seq = max(p.st.Seq, seqOf(value))
			return nil
		})
		if err != nil {
			return err
		}
		if at = from; p.st.Seq > 0 {
			break
		}
	}
	return p.opened(ctx)
}

// opened ends the recovery: what is pending is decided, what is not needed goes.
func (p *Publisher) opened(ctx context.Context) error {
	var orphan string
	if pend := p.st.Pending; pend != nil {
		p.st.Pending = nil
		if pend.Snapshot != nil && !p.st.names(pend.Snapshot.Name) {
			orphan = pend.Snapshot.Name
		}
	}
	if orphan != "" {
		if err := p.store.Delete(ctx, orphan); err != nil {
			return err
		}
	}
	if err := p.st.save(p.dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("tidying the publisher's folder: %w", err)
	}
	for _, e := range entries {
		if validName(e.Name()) && !p.st.names(e.Name()) || strings.HasPrefix(e.Name(), building) {
			if err := removeAll(filepath.Join(p.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	p.open = true
	return nil
}

// replay reads the log from the publisher's own last snapshot on.
type replay struct {
	p        *Publisher
	c        *chain
	seq      uint64 // largest that was met
	last     int64  // offset of the last record
	referred bool   // the reference that is pending is there
	wrong    string // what does not belong there
}

func (r *replay) take(offset int64, value []byte) error {
	r.last = offset
	if r.wrong != "" {
		r.seq = max(r.seq, seqOf(value))
		return nil
	}
	kind, body, err := schema.DecodeIndicatorEntry(value)
	if err != nil {
		return nil // no reader can use it
	}
	switch kind {
	case schema.IndicatorEntryDelta:
		var d schema.IndicatorDelta
		if d.DecodeWire(body) != nil {
			return nil
		}
		r.seq = max(r.seq, d.Seq)
		if r.c.take(&d, len(value)) == stepLost {
			r.wrong = fmt.Sprintf("a delta at offset %d does not fit to what was published", offset)
		}
		if len(r.c.ready) > 4*listSize {
			r.flush()
		}
	case schema.IndicatorEntrySnapshot:
		var s schema.IndicatorSnapshot
		if s.DecodeWire(body) != nil {
			return nil
		}
		r.seq = max(r.seq, s.Seq)
		pend := r.p.st.Pending
		ours := pend != nil && pend.Snapshot != nil && pend.Snapshot.Seq == s.Seq && pend.Snapshot.Name == nameOf(s.Hash)
		switch {
		case ours:
			x, err := match.OpenSnapshot(filepath.Join(r.p.dir, pend.Snapshot.Name))
			if err != nil {
				r.wrong = err.Error()
				return nil
			}
			r.c, r.referred = newChain(x, s.Seq, s.Made), true
		case s.Seq <= r.c.seq: // an old one again
		case s.Content == r.c.content():
			r.c.seq = s.Seq
		default:
			r.wrong = fmt.Sprintf("a snapshot at offset %d is not this publisher's", offset)
		}
	}
	return nil
}

func (r *replay) flush() {
	if r.wrong != "" {
		return
	}
	if _, err := r.c.flush(nil); err != nil {
		r.wrong = err.Error()
	}
}

// seqOf gives the number of a record; zero if it has none.
func seqOf(value []byte) uint64 {
	kind, body, err := schema.DecodeIndicatorEntry(value)
	if err != nil {
		return 0
	}
	switch kind {
	case schema.IndicatorEntryDelta:
		var d schema.IndicatorDelta
		if d.DecodeWire(body) == nil {
			return d.Seq
		}
	case schema.IndicatorEntrySnapshot:
		var s schema.IndicatorSnapshot
		if s.DecodeWire(body) == nil {
			return s.Seq
		}
	}
	return 0
}

// readLog yields the records from one offset up to another.
func readLog(ctx context.Context, log Log, from, to int64, yield func(offset int64, value []byte) error) error {
	for from < to {
		next, end, err := log.Poll(ctx, from, func(offset int64, value []byte) error {
			if offset >= to {
				return nil
			}
			return yield(offset, value)
		})
		if err != nil {
			return err
		}
		if next <= from && end <= from {
			return nil // what was at the end is gone
		}
		from = next
	}
	return nil
}
