package distribute

import (
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/schema"
)

// FollowerState is where a follower stands.
type FollowerState string

// States of a follower.
const (
	StateStarting   FollowerState = "starting"
	StateWaiting    FollowerState = "waiting"     // no snapshot could be had yet
	StateCatchingUp FollowerState = "catching_up" // what is newer than the snapshot is being read
	StateFollowing  FollowerState = "following"
	StateOutOfStep  FollowerState = "out_of_step" // a snapshot is being looked for; the last good index serves
)

// ContentID is the id of a content where people compare them: 16 hexadecimal digits, as
// in `interdict status`, not the decimal number of a store's column.
type ContentID uint64

// MarshalText gives the digits.
func (c ContentID) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%016x", uint64(c)), nil }

// UnmarshalText reads them.
func (c *ContentID) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil || len(text) != 16 {
		return fmt.Errorf("content id %q: want 16 hexadecimal digits", text)
	}
	*c = ContentID(n)
	return nil
}

// FollowerStatus is a worker's part of `interdict status`.
type FollowerStatus struct {
	State      FollowerState `json:"state"`
	Base       bool          `json:"base"`    // the local library serves, not the log
	Content    ContentID     `json:"content"` // of the index that serves
	Indicators int           `json:"indicators"`
	Seq        uint64        `json:"seq"`              // newest list in force
	Made       schema.Millis `json:"made,omitzero"`    // when that was made, by the publisher's clock
	Offset     int64         `json:"offset"`           // next to read
	Behind     int64         `json:"behind"`           // offsets up to the end of the log
	Checked    schema.Millis `json:"checked,omitzero"` // when the log was read last
	Snapshot   string        `json:"snapshot,omitzero"`
	SnapshotAt schema.Millis `json:"snapshot_at,omitzero"` // when it was published

	Lacking int `json:"lacking,omitzero"` // published indicators that are left out: this build's rules are others than the publisher's

	Applied      int64            `json:"applied_total"` // changes
	Duplicates   int64            `json:"duplicates_total"`
	Torn         int64            `json:"torn_total"`    // lists that were not complete
	Unknown      int64            `json:"unknown_total"` // records that could not be read
	Resyncs      map[string]int64 `json:"resyncs_total"` // by reason: gap, apply, snapshot or log
	BadSnapshots int64            `json:"bad_snapshots_total"`
	LogErrors    int64            `json:"log_errors_total"`
	LastResync   string           `json:"last_resync,omitzero"` // its reason
	LastError    string           `json:"last_error,omitzero"`
}

// Status gives the follower's state. It may be called at any time.
func (f *Follower) Status() FollowerStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	s.Resyncs = maps.Clone(s.Resyncs)
	return s
}

func (f *Follower) set(change func(*FollowerStatus)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.status)
}

// Age is how long ago the newest change in force was made; zero if none is.
func (s FollowerStatus) Age(now time.Time) time.Duration {
	if s.Made == 0 {
		return 0
	}
	return max(0, now.Sub(s.Made.Time()))
}

// Collectors gives the follower's metrics.
func (f *Follower) Collectors() []prometheus.Collector {
	gauge := func(name, help string, of func(FollowerStatus) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "interdict_indicators_" + name, Help: help}, func() float64 { return of(f.Status()) })
	}
	counter := func(name, help string, of func(FollowerStatus) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "interdict_indicators_" + name, Help: help}, func() float64 { return float64(of(f.Status())) })
	}
	list := []prometheus.Collector{
		gauge("behind", "Offsets between what is in force and the end of the indicators log.", func(s FollowerStatus) float64 { return float64(s.Behind) }),
		gauge("age_seconds", "Since the newest change in force was made.", func(s FollowerStatus) float64 { return s.Age(f.now()).Seconds() }),
		gauge("in_step", "1 while the index follows the log, 0 while a snapshot is waited for.", func(s FollowerStatus) float64 {
			if s.State == StateFollowing || s.State == StateCatchingUp {
				return 1
			}
			return 0
		}),
		gauge("held", "Indicators in force.", func(s FollowerStatus) float64 { return float64(s.Indicators) }),
		gauge("lacking", "Published indicators that do not pass this build's rules, and are left out until the next snapshot.", func(s FollowerStatus) float64 { return float64(s.Lacking) }),
		counter("applied_total", "Changes applied.", func(s FollowerStatus) int64 { return s.Applied }),
		counter("duplicates_total", "Lists and references that were there before.", func(s FollowerStatus) int64 { return s.Duplicates }),
		counter("unusable_total", "Records that could not be read, and lists that were not complete.", func(s FollowerStatus) int64 { return s.Unknown + s.Torn }),
		counter("bad_snapshots_total", "Snapshots that were missing or damaged.", func(s FollowerStatus) int64 { return s.BadSnapshots }),
		counter("log_errors_total", "How often the indicators log could not be read.", func(s FollowerStatus) int64 { return s.LogErrors }),
		// A float holds 53 bits exactly; they are enough to compare workers by.
		gauge("content", "The id of the index in force, its upper 53 bits: equal where the content is.", func(s FollowerStatus) float64 { return float64(s.Content >> 11) }),
	}
	for _, reason := range [...]string{"gap", "apply", "snapshot", "log"} {
		list = append(list, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "interdict_indicators_resyncs_total",
			Help: "How often the index was out of step, by reason.", ConstLabels: prometheus.Labels{"reason": reason}},
			func() float64 { return float64(f.Status().Resyncs[reason]) }))
	}
	return list
}
