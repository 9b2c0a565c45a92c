package upload

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/schema"
)

// Journal keeps what was accepted on disk until the library has it: a queue for each
// feed. One process at a time may have the folder: the one that manages. Should a second
// one begin to, the first notices that its segment is gone before it answers anybody.
//
//	FEED/NNNNNNNN.open     is being appended to
//	FEED/NNNNNNNN.sealed   waits to be folded
//	FEED/NNNNNNNN.aside    was folded, but for something in it
type Journal struct {
	dir     string
	most    int64 // bytes of a feed
	log     *slog.Logger
	step    func(string)
	folds   prometheus.Counter
	waiting waitingMetrics

	mu     sync.Mutex
	queues map[string]*Queue
}

// queueName is what a feed's folder may be called.
var queueName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// OpenJournal opens the journal in a folder, which need not exist, and looks through
// what waits there. most bounds the bytes of one feed, waiting and set aside. failpoint
// is told before and after each step of a write; it may be nil.
func OpenJournal(dir string, most int64, failpoint func(string), log *slog.Logger) (*Journal, error) {
	if failpoint == nil {
		failpoint = func(string) {}
	}
	j := &Journal{dir: dir, most: most, log: log, step: failpoint, queues: map[string]*Queue{},
		folds:   prometheus.NewCounter(prometheus.CounterOpts{Name: "interdict_upload_commits_total", Help: "Commits of the library that uploads were grouped into."}),
		waiting: newWaitingMetrics()}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the journal of uploads: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !queueName.MatchString(e.Name()) {
			continue
		}
		q := j.Queue(e.Name())
		if err := q.load(); err != nil {
			return nil, fmt.Errorf("opening the journal of uploads: %w", err)
		}
		q.publish()
	}
	return j, nil
}

// Queue gives the queue of a feed.
func (j *Journal) Queue(feed string) *Queue {
	j.mu.Lock()
	defer j.mu.Unlock()
	q := j.queues[feed]
	if q == nil {
		q = &Queue{j: j, feed: feed, dir: filepath.Join(j.dir, feed), added: make(chan struct{}, 1)}
		q.publish()
		j.queues[feed] = q
	}
	return q
}

// Queues gives all of them, by name.
func (j *Journal) Queues() []*Queue {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []*Queue
	for _, feed := range slices.Sorted(maps.Keys(j.queues)) {
		list = append(list, j.queues[feed])
	}
	return list
}

// Waiting is what a feed's queue holds.
type Waiting struct {
	Feed     string        `json:"feed"`
	Requests int           `json:"requests"`       // that the library does not have yet
	Bytes    int64         `json:"bytes"`          // they take on disk
	Since    schema.Millis `json:"since,omitzero"` // when the oldest of them was accepted
	Aside    int64         `json:"aside,omitzero"` // bytes of segments that hold what could not be folded
}

// Waiting tells of every feed of which anything waits or was set aside, by name.
func (j *Journal) Waiting() []Waiting {
	var list []Waiting
	for _, q := range j.Queues() {
		if w := q.Waiting(); w.Requests > 0 || w.Bytes > 0 || w.Aside > 0 {
			list = append(list, w)
		}
	}
	return list
}

// Close closes what is open. What waits stays for whoever opens the journal next.
func (j *Journal) Close() (err error) {
	for _, q := range j.Queues() {
		err = errors.Join(err, q.close())
	}
	return err
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
