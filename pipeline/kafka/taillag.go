package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// GroupLag is how far a consumer group is behind.
type GroupLag struct {
	Group      string         `json:"group"`
	State      string         `json:"state"` // Stable, Empty, Dead, ...
	Members    int            `json:"members"`
	Lag        int64          `json:"lag"`        // sum over the partitions
	Partitions []PartitionLag `json:"partitions"` // those with a committed position
}

// PartitionLag is one partition of a group. Lag counts offsets, of which markers of
// transactions are some.
type PartitionLag struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"`
	Stable    int64  `json:"stable"` // last stable offset: what can be read
	End       int64  `json:"end"`    // of the log; beyond Stable are open transactions
	Lag       int64  `json:"lag"`    // Stable - Committed
	// Announced is a sink's range that was announced and not yet committed, as
	// the last offset of it; -1: none.
	Announced int64 `json:"announced"`
}

// OpenTransaction holds the last stable offset of partitions back.
type OpenTransaction struct {
	ID         string             `json:"id"` // transactional id
	Age        time.Duration      `json:"age_ns"`
	Timeout    time.Duration      `json:"timeout_ns"` // the cluster aborts it then
	Partitions map[string][]int32 `json:"partitions"`
}

// LagReport is the picture Lag gives.
type LagReport struct {
	Groups []GroupLag        `json:"groups"`
	Open   []OpenTransaction `json:"open_transactions"` // oldest first; only where an input is held back
}

// LSOAge is for how long the oldest open transaction has held an input back.
func (r LagReport) LSOAge() time.Duration {
	if len(r.Open) == 0 {
		return 0
	}
	return r.Open[0].Age
}

// Lag asks the cluster how far the groups, by their full names, are behind, and
// what keeps their inputs from being read further. now is for the age of
// transactions.
func Lag(ctx context.Context, cfg Config, now time.Time, groups ...string) (LagReport, error) {
	adm, err := cfg.admin()
	if err != nil {
		return LagReport{}, err
	}
	defer adm.Close()
	described, err := adm.DescribeGroups(ctx, groups...)
	if err != nil {
		return LagReport{}, fmt.Errorf("describing consumer groups: %w", err)
	}
	fetched := adm.FetchManyOffsets(ctx, groups...)
	var topics []string
	for _, name := range groups {
		f := fetched[name]
		if f.Err != nil && !errors.Is(f.Err, kerr.GroupIDNotFound) {
			return LagReport{}, fmt.Errorf("reading positions of group %s: %w", name, f.Err)
		}
		for t := range f.Fetched {
			topics = append(topics, t)
		}
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	var stable, end kadm.ListedOffsets
	if len(topics) > 0 {
		if stable, err = adm.ListCommittedOffsets(ctx, topics...); err != nil {
			return LagReport{}, fmt.Errorf("reading last stable offsets: %w", err)
		}
		if end, err = adm.ListEndOffsets(ctx, topics...); err != nil {
			return LagReport{}, fmt.Errorf("reading log ends: %w", err)
		}
	}
	var report LagReport
	held := false
	for _, name := range groups {
		g := GroupLag{Group: name, State: described[name].State, Members: len(described[name].Members)}
		fetched[name].Fetched.Each(func(o kadm.OffsetResponse) {
			s, ok := stable.Lookup(o.Topic, o.Partition)
			e, okEnd := end.Lookup(o.Topic, o.Partition)
			if o.Err != nil || !ok || !okEnd || s.Err != nil || e.Err != nil {
				return // a topic that is gone
			}
			p := PartitionLag{Topic: o.Topic, Partition: o.Partition, Committed: o.At, Stable: s.Offset, End: e.Offset, Lag: max(0, s.Offset-o.At), Announced: -1}
			if _, in, err := parseNote(o.Metadata); err == nil && in != nil {
				p.Announced = in.hi
			}
			held = held || p.Stable < p.End
			g.Lag += p.Lag
			g.Partitions = append(g.Partitions, p)
		})
		slices.SortFunc(g.Partitions, func(a, b PartitionLag) int {
			return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
		})
		report.Groups = append(report.Groups, g)
	}
	if held {
		report.Open, err = openTransactions(ctx, adm, topics, now)
	}
	return report, err
}

// openTransactions lists those with records in the topics.
func openTransactions(ctx context.Context, adm *kadm.Client, topics []string, now time.Time) ([]OpenTransaction, error) {
	listed, err := adm.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return nil, fmt.Errorf("listing open transactions: %w", err)
	}
	if len(listed) == 0 {
		return nil, nil
	}
	described, err := adm.DescribeTransactions(ctx, listed.TransactionalIDs()...)
	if err != nil {
		return nil, fmt.Errorf("describing open transactions: %w", err)
	}
	var open []OpenTransaction
	for _, d := range described {
		if d.Err != nil || d.StartTimestamp <= 0 {
			continue // it has ended meanwhile
		}
		o := OpenTransaction{ID: d.TxnID, Age: max(0, now.Sub(time.UnixMilli(d.StartTimestamp))),
			Timeout: time.Duration(d.TimeoutMillis) * time.Millisecond, Partitions: make(map[string][]int32)}
		for t, ps := range d.Topics {
			if slices.Contains(topics, t) {
				for p := range ps {
					o.Partitions[t] = append(o.Partitions[t], p)
				}
				slices.Sort(o.Partitions[t])
			}
		}
		if len(o.Partitions) > 0 {
			open = append(open, o)
		}
	}
	slices.SortFunc(open, func(a, b OpenTransaction) int { return cmp.Compare(b.Age, a.Age) })
	return open, nil
}
