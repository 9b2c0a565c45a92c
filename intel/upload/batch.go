package upload

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/zeebo/xxh3"
)

// batchBytes is how much of a queue is taken at a time.
const batchBytes = 32 << 20

// Batch is what is at the front of a queue, to be folded into the library as one. It
// stays in the queue until Done.
type Batch struct {
	// Records in the order in which they were accepted, without those that were buried.
	// There may be none.
	Records []Record

	q    *Queue
	upTo []reached
}

// reached is how far a batch goes in a segment.
type reached struct {
	s       *segment
	folded  int // bytes from its start
	records int // of the batch
	all     bool
}

// Take gives the front of the queue: about 32 MiB, at most so many records (0: any
// number), and of each object ever newer versions only: to the library what comes later
// is something else than what comes together. nil: nothing is there. What cannot be read
// is told in the log and stays in its segment, which is set aside when the rest is done.
func (q *Queue) Take(most int) (*Batch, error) {
	waiting, err := q.sealed()
	if err != nil {
		return nil, fmt.Errorf("feed %s: taking uploads from the journal: %w", q.feed, err)
	}
	b := &Batch{q: q}
	said, bytes := versions{}, 0
	for _, s := range waiting {
		text, err := os.ReadFile(q.path(s.number, kindSealed))
		if err != nil {
			return nil, fmt.Errorf("feed %s: taking uploads from the journal: %w", q.feed, err)
		}
		to := reached{s: s, folded: s.folded}
		for _, x := range stretches(text[min(s.folded, len(text)):]) {
			at := s.folded + x.at
			if x.body == nil {
				q.tell(s, at, s.folded+x.end, x.torn(text[s.folded:]), errRecord)
				to.folded = s.folded + x.end
				continue
			}
			r, err := decodeRecord(x.body)
			if err != nil {
				q.tell(s, at, s.folded+x.end, false, err)
				to.folded, to.records = s.folded+x.end, to.records+1
				continue
			}
			says := saysOf(r.Objects)
			if n := len(b.Records); n > 0 && (bytes+len(x.body) > batchBytes || n == most || !said.fit(says)) {
				b.upTo = append(b.upTo, to)
				return b, nil
			}
			said.add(says)
			bytes += len(x.body)
			r.from, r.at, r.end = s, at, s.folded+x.end
			b.Records = append(b.Records, r)
			to.folded, to.records = r.end, to.records+1
		}
		to.all = true
		b.upTo = append(b.upTo, to)
	}
	if len(b.upTo) == 0 {
		return nil, nil
	}
	return b, nil
}

// sealed seals what there is and lists it.
func (q *Queue) sealed() ([]*segment, error) {
	q.mu.Lock()
	defer q.unlock()
	if err := errors.Join(q.seal(), q.load()); err != nil {
		return nil, err
	}
	if err := q.drop(); err != nil { // not done the last time
		return nil, err
	}
	return slices.Clone(q.segments), nil
}

// spoil notes that something in a segment cannot be folded, and reports whether that is
// news: what is not done is taken again.
func (s *segment) spoil(at int) bool {
	if s.spoiled[at] {
		return false
	}
	if s.spoiled == nil {
		s.spoiled = map[int]bool{}
	}
	s.spoiled[at] = true
	return true
}

// tell logs what cannot be read.
func (q *Queue) tell(s *segment, at, end int, torn bool, why error) {
	if torn {
		if s.torn { // it has been told
			return
		}
		s.torn = true
		q.j.log.Info("an upload that was not written to its end, and not answered, is left out", "feed", q.feed, "bytes", end-at)
		return
	}
	if !s.spoil(at) {
		return
	}
	q.j.log.Error("uploads are damaged on disk and not taken", "feed", q.feed, "kept_in", q.path(s.number, kindAside), "offset", at, "bytes", end-at, "error", why)
}

// Bury takes those records out of the batch for good that cannot be folded: for them why
// gives an error. Their bytes stay in their segments, which are set aside.
func (b *Batch) Bury(why func(*Record) error) {
	b.Records = slices.DeleteFunc(b.Records, func(r Record) bool {
		err := why(&r)
		if err == nil {
			return false
		}
		if !r.from.spoil(r.at) {
			return true
		}
		b.q.j.log.Error("an upload that was accepted cannot be taken", "feed", b.q.feed, "accepted", r.Time.String(), "objects", len(r.Objects),
			"kept_in", b.q.path(r.from.number, kindAside), "offset", r.at, "bytes", r.end-r.at, "error", err)
		return true
	})
}

// Done takes the batch out of the queue: the library has it. If it fails the queue goes
// on behind it, and it is folded again after a restart, which changes nothing.
func (b *Batch) Done() error {
	q := b.q
	q.mu.Lock()
	defer q.unlock()
	for _, to := range b.upTo {
		to.s.folded, to.s.records, to.s.done = to.folded, max(0, to.s.records-to.records), to.all
		if n := len(b.Records); n > 0 {
			to.s.since = max(to.s.since, b.Records[n-1].Time) // what follows is no older
		}
	}
	q.j.folds.Inc()
	return q.drop()
}

// drop removes segments that are done from the front, each durably before the next: of
// two that say something of one version, the later must not be gone alone.
func (q *Queue) drop() error {
	for len(q.segments) > 0 && q.segments[0].done {
		s := q.segments[0]
		q.j.step("upload_drop")
		var err error
		if len(s.spoiled) > 0 {
			err = os.Rename(q.path(s.number, kindSealed), q.path(s.number, kindAside))
			q.aside += s.size
		} else {
			err = os.Remove(q.path(s.number, kindSealed))
		}
		if err != nil {
			return fmt.Errorf("feed %s: clearing the journal of uploads: %w", q.feed, err)
		}
		q.segments = q.segments[1:]
		if err := syncFolder(q.dir); err != nil {
			return fmt.Errorf("feed %s: clearing the journal of uploads: %w", q.feed, err)
		}
		q.j.step("upload_dropped")
	}
	return nil
}

// says is what an object says: digests of its id and its text, and its version.
type says struct {
	id      xxh3.Uint128
	version int64
	text    uint64
}

func saysOf(objects []json.RawMessage) []says {
	list := make([]says, 0, len(objects))
	for _, o := range objects {
		var x struct{ ID, Modified string }
		if json.Unmarshal(o, &x) != nil || x.ID == "" {
			continue // no object of STIX: the parser refuses it
		}
		at, err := time.Parse(time.RFC3339, x.Modified)
		if err != nil {
			at = time.Time{} // older than any
		}
		list = append(list, says{xxh3.HashString128(x.ID), at.UnixMilli(), xxh3.Hash(o)})
	}
	return list
}

// versions is the newest that a batch says of each id.
type versions map[xxh3.Uint128]says

// fit reports that all of the list is newer than what the batch says of the same ids, or
// the very same.
func (v versions) fit(list []says) bool {
	return !slices.ContainsFunc(list, func(x says) bool {
		newest, ok := v[x.id]
		return ok && x != newest && x.version <= newest.version
	})
}

func (v versions) add(list []says) {
	for _, x := range list {
		if newest, ok := v[x.id]; !ok || x.version >= newest.version {
			v[x.id] = x
		}
	}
}
