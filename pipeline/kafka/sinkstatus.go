package kafka

import (
	"cmp"
	"slices"
)

// SinkStatus is a picture of a sink for people and health checks.
type SinkStatus struct {
	Hop        string                `json:"hop"`
	Group      string                `json:"group"`
	Partitions []SinkPartitionStatus `json:"partitions"`     // by topic and number
	Buffered   int64                 `json:"buffered_bytes"` // read and not yet durable
	Paused     bool                  `json:"paused"`         // reading waits for the store
	Totals     SinkTotals            `json:"totals"`
}

// SinkTotals count since the start of Run.
type SinkTotals struct {
	Rows      int64 `json:"rows"`   // made durable
	Ranges    int64 `json:"ranges"` // made durable
	Blocks    int64 `json:"blocks"` // as the store reported, failed attempts included
	Failures  int64 `json:"failures"`
	Recovered int64 `json:"recovered"` // ranges announced by another member or an earlier run
}

// SinkPartitionStatus is one partition of this member.
type SinkPartitionStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"`
	End       int64  `json:"end"` // last stable offset at the last fetch; -1: not known
	Lag       int64  `json:"lag"` // -1: not known
	Rows      int    `json:"buffered_rows"`
	Bytes     int64  `json:"buffered_bytes"`
	Tries     int    `json:"tries"` // failed attempts of the range under way
	LastError string `json:"last_error,omitempty"`
}

// Status gives the picture now. Safe from any goroutine.
func (s *Sink) Status() SinkStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := SinkStatus{Hop: s.hop.Name, Group: s.group, Buffered: s.buffered, Paused: s.full, Totals: s.totals}
	for _, p := range s.parts {
		q := SinkPartitionStatus{
			Topic: p.at.topic, Partition: p.at.partition, Committed: p.committed, End: p.end, Lag: -1,
			Rows: len(p.recs), Bytes: p.bytes, LastError: p.lastError,
		}
		if p.end >= 0 {
			q.Lag = max(0, p.end-p.committed)
		}
		if p.flight != nil {
			q.Tries = p.flight.tries
		}
		st.Partitions = append(st.Partitions, q)
	}
	slices.SortFunc(st.Partitions, func(a, b SinkPartitionStatus) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return st
}
