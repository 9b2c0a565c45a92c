package kafka

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Status is a picture of a hop for people and health checks.
type Status struct {
	Hop        string           `json:"hop"`
	Connected  bool             `json:"connected"` // a session is up; false while one is rebuilt
	Lanes      []LaneStatus     `json:"lanes"`     // by topic and partition
	Committed  int64            `json:"committed"` // transactions
	Aborted    int64            `json:"aborted"`   // transactions
	Rebuilt    int64            `json:"rebuilt"`   // sessions
	HeldBytes  int64            `json:"held_bytes"`
	Restores   map[string]int64 `json:"restores"`   // how lanes came by their state: see Restore* constants
	LSOAgeMsec int64            `json:"lso_age_ms"` // how long the oldest open transaction has held an input back
}

// LaneStatus is one lane. Offsets are those of its input partition.
type LaneStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Phase     string `json:"phase"` // opening, restoring, replaying, running
	Committed int64  `json:"committed"`
	End       int64  `json:"end"` // last stable offset at the last look; -1: not known
	Lag       int64  `json:"lag"` // -1: not known

	RestoreDone  int64 `json:"restore_done"`  // bytes of the snapshot, then offsets replayed
	RestoreTotal int64 `json:"restore_total"` // of the same

	SnapshotEpoch  uint64    `json:"snapshot_epoch"`
	SnapshotOffset int64     `json:"snapshot_offset"`
	SnapshotBytes  int64     `json:"snapshot_bytes"` // before compression
	SnapshotAt     time.Time `json:"snapshot_at"`    // zero: none
}

// How lanes came by their state, the keys of Status.Restores.
const (
	RestoreSnapshot = "snapshot" // from the newest snapshot
	RestoreFallback = "fallback" // from the one before, the newest being damaged or incompatible
	RestoreRebuild  = "rebuild"  // from the log alone, snapshots being there but unusable
	RestoreEmpty    = "empty"    // there was no snapshot yet
)

// Status gives the picture now. Safe from any goroutine.
func (r *Runner) Status() Status {
	r.mu.Lock()
	s := r.sess
	st := Status{Restores: maps.Clone(r.restores)}
	r.mu.Unlock()
	st.Hop = r.hop.Name
	st.Committed, st.Aborted, st.Rebuilt = r.committed.Load(), r.aborted.Load(), r.rebuilt.Load()
	st.HeldBytes = r.held.Load()
	if s == nil {
		return st
	}
	st.Connected = true
	e := s.ends.Load()
	if e != nil {
		st.LSOAgeMsec = e.lsoAge.Milliseconds()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ln := range s.lanes {
		st.Lanes = append(st.Lanes, ln.status(e))
	}
	slices.SortFunc(st.Lanes, func(a, b LaneStatus) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return st
}

func (ln *lane) status(e *ends) LaneStatus {
	st := LaneStatus{
		Topic: ln.at.topic, Partition: ln.at.partition, Phase: phase(ln.phase.Load()).String(),
		Committed: ln.committed.Load(), End: -1, Lag: -1,
		RestoreDone: ln.restoreDone.Load(), RestoreTotal: ln.restoreTotal.Load(),
	}
	if end, ok := e.of(ln.at); ok {
		st.End, st.Lag = end, max(0, end-st.Committed)
	}
	if m := ln.lastManifest.Load(); m != nil {
		st.SnapshotEpoch, st.SnapshotOffset, st.SnapshotBytes, st.SnapshotAt = m.Epoch, m.Offset, m.Bytes, time.UnixMilli(m.Taken)
	}
	return st
}

// phase is how far a lane is.
type phase int32

const (
	phaseOpening phase = iota
	phaseRestoring
	phaseReplaying
	phaseRunning
)

func (p phase) String() string {
	return [...]string{"opening", "restoring", "replaying", "running"}[p]
}

// countRestore notes how a lane came by its state.
func (r *Runner) countRestore(how string) {
	r.mu.Lock()
	r.restores[how]++
	r.mu.Unlock()
	r.metrics.restores.WithLabelValues(how).Inc()
}
