package upload

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
	"sync/atomic"

	"github.com/interdict/interdict/schema"
)

// Queue is the journal of one feed. Appending, taking and asking may be done at the
// same time; taking by one goroutine only.
type Queue struct {
	j     *Journal
	feed  string
	dir   string
	added chan struct{}
	told  atomic.Pointer[Waiting] // what there was when mu was last given up

	mu       sync.Mutex // held while the disk is waited for
	file     *os.File   // of the newest segment; nil: the next append makes one
	segments []*segment // oldest first
	last     uint64     // largest number given
	aside    int64      // bytes
}

// segment is a file of records.
type segment struct {
	number  uint64
	size    int64
	records int           // that have not been folded
	since   schema.Millis // when the oldest of these was accepted
	// The rest is the taker's.
	folded  int          // bytes from its start
	done    bool         // all of it has been folded
	torn    bool         // its end is, and was told
	spoiled map[int]bool // where in it something is that could not be, and was told
}

// Kinds of files, which end their names.
const (
	kindOpen   = "open"
	kindSealed = "sealed"
	kindAside  = "aside"
)

// segmentBytes is the size from which a segment is not appended to, and of what is
// written at a time. A segment is read as a whole.
const segmentBytes = 16 << 20

func (q *Queue) path(number uint64, kind string) string {
	return filepath.Join(q.dir, fmt.Sprintf("%08d.%s", number, kind))
}

func segmentOf(name string) (number uint64, kind string, ok bool) {
	digits, kind, _ := strings.Cut(name, ".")
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, kind, err == nil && len(digits) >= 8 && slices.Contains([]string{kindOpen, kindSealed, kindAside}, kind)
}

// Feed gives the feed's name.
func (q *Queue) Feed() string { return q.feed }

// Added has one after something was appended.
func (q *Queue) Added() <-chan struct{} { return q.added }

// Waiting tells what there is. It does not wait for the disk, so that who asks learns how
// much waits while a disk is slow.
func (q *Queue) Waiting() Waiting { return *q.told.Load() }

// publish has Waiting tell what there is now. The caller holds the lock.
func (q *Queue) publish() {
	w := q.waiting()
	q.told.Store(&w)
}

func (q *Queue) unlock() {
	q.publish()
	q.mu.Unlock()
}

func (q *Queue) waiting() Waiting {
	w := Waiting{Feed: q.feed, Aside: q.aside}
	for _, s := range q.segments {
		w.Requests, w.Bytes = w.Requests+s.records, w.Bytes+s.size
		if s.records > 0 && (w.Since == 0 || s.since < w.Since) {
			w.Since = s.since
		}
	}
	return w
}

// Append writes records down, as many from the first as there is room for. Those that
// were taken are on disk when it returns, with an error or without; after an error each
// of the others may be there or not.
func (q *Queue) Append(records ...*Record) (taken int, err error) {
	lines := make([][]byte, len(records))
	for n, r := range records {
		if lines[n], err = encode(r); err != nil {
			return 0, err
		}
	}
	q.mu.Lock()
	defer q.unlock()
	looked := false
	for taken < len(lines) {
		w := q.waiting()
		room := q.j.most - w.Bytes - w.Aside
		var text []byte
		n := taken
		for n < len(lines) && int64(len(text)+len(lines[n])) <= room && (n == taken || len(text)+len(lines[n]) <= segmentBytes) {
			text = append(text, lines[n]...)
			n++
		}
		if n == taken && w.Aside > 0 && !looked { // somebody may have cleared that away
			looked = true
			if err := errors.Join(q.seal(), q.load()); err != nil {
				return taken, fmt.Errorf("feed %s: looking for room in the journal of uploads: %w", q.feed, err)
			}
			q.wake()
			continue
		}
		if n == taken {
			break
		}
		if err := q.write(text, n-taken, records[taken].Time); err != nil {
			return taken, fmt.Errorf("feed %s: writing the journal of uploads: %w", q.feed, err)
		}
		taken = n
		q.wake()
	}
	return taken, nil
}

// wake has the taker look at what Waiting tells.
func (q *Queue) wake() {
	q.publish()
	select {
	case q.added <- struct{}{}:
	default:
	}
}

func (q *Queue) write(text []byte, records int, at schema.Millis) error {
	if q.file != nil && q.segments[len(q.segments)-1].size >= segmentBytes {
		if err := q.seal(); err != nil {
			return err
		}
	}
	if q.file == nil {
		if err := q.create(at); err != nil {
			return err
		}
	}
	s := q.segments[len(q.segments)-1]
	q.j.step("upload_append")
	_, err := q.file.Write(text)
	q.j.step("upload_written")
	if err == nil {
		err = q.file.Sync()
	}
	q.j.step("upload_synced")
	if err == nil {
		err = q.own(q.path(s.number, kindOpen))
	}
	if err != nil { // what of it is on disk is not known: nothing may follow it
		err = errors.Join(err, q.file.Close())
		q.file = nil
		if s.records == 0 {
			q.segments = q.segments[:len(q.segments)-1]
			if gone := os.Remove(q.path(s.number, kindOpen)); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
		return err
	}
	s.size += int64(len(text))
	s.records += records
	return nil
}

// own fails unless the file that is appended to still has its name: whoever else folds it
// has taken the name away before reading it, and may have given it to another file since.
func (q *Queue) own(path string) error {
	named, err := os.Stat(path)
	if err != nil {
		return err
	}
	ours, err := q.file.Stat()
	if err == nil && !os.SameFile(named, ours) {
		err = fmt.Errorf("%s: another process has taken it over", path)
	}
	return err
}

// create begins a segment.
func (q *Queue) create(at schema.Millis) error {
	// Nobody else on this machine needs to read what may be a tenant's secret.
	if err := os.MkdirAll(q.dir, 0o750); err != nil {
		return err
	}
	if q.last == 0 {
		for _, dir := range []string{filepath.Dir(q.j.dir), q.j.dir} {
			if err := syncFolder(dir); err != nil {
				return err
			}
		}
	}
	number := q.last + 1
	f, err := os.OpenFile(q.path(number, kindOpen), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	q.last = number
	q.j.step("upload_created")
	if err := syncFolder(q.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	q.file = f
	q.segments = append(q.segments, &segment{number: number, since: at})
	return nil
}

// seal ends the segment that is appended to.
func (q *Queue) seal() error {
	if q.file == nil {
		return nil
	}
	number := q.segments[len(q.segments)-1].number
	err := q.file.Close()
	q.file = nil
	q.j.step("upload_seal")
	return errors.Join(err, os.Rename(q.path(number, kindOpen), q.path(number, kindSealed)))
}

func (q *Queue) close() error {
	q.mu.Lock()
	defer q.unlock()
	if q.file == nil {
		return nil
	}
	err := q.file.Close()
	q.file = nil
	return err
}

// load takes note of files that it does not know, and seals those that nobody here
// appends to: a process that ended left them. It forgets those that are gone.
func (q *Queue) load() error {
	entries, err := os.ReadDir(q.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	q.aside = 0
	there := map[uint64]bool{}
	for _, e := range entries {
		number, kind, ok := segmentOf(e.Name())
		if !ok {
			continue
		}
		q.last = max(q.last, number)
		path := q.path(number, kind)
		if kind == kindAside {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			q.aside += info.Size()
			continue
		}
		if kind == kindOpen {
			q.j.step("upload_seal")
			if err := os.Rename(path, q.path(number, kindSealed)); err != nil {
				return err
			}
			path = q.path(number, kindSealed)
		}
		there[number] = true
		if slices.ContainsFunc(q.segments, func(s *segment) bool { return s.number == number }) {
			continue
		}
		s := &segment{number: number}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.size = int64(len(text))
		for _, x := range stretches(text) {
			if x.body == nil {
				continue
			}
			if s.records++; s.records == 1 {
				if r, err := decodeRecord(x.body); err == nil {
					s.since = r.Time
				}
			}
		}
		q.segments = append(q.segments, s)
	}
	q.segments = slices.DeleteFunc(q.segments, func(s *segment) bool {
		if !there[s.number] {
			q.j.log.Warn("somebody else has removed accepted uploads from the journal", "feed", q.feed, "file", q.path(s.number, kindSealed), "requests", s.records)
		}
		return !there[s.number]
	})
	slices.SortFunc(q.segments, func(a, b *segment) int { return int(a.number) - int(b.number) })
	return nil
}
