package match

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/zeebo/xxh3"
)

// A snapshot is one file: a header, per shard four sections (filter, starts of
// buckets, entries, records), the networks, and a directory that gives place, length
// and xxh3 of each section, and the number of indicators by type. The header holds the
// directory's and its own. All numbers are little endian; every section begins at a
// multiple of eight.
const (
	snapshotMagic   = "ITDINDEX"
	snapshotVersion = 3
	headerSize      = 128
	headerUsed      = 80 // with its checksum
	sectionsOf      = 4  // a shard
	shardWords      = 6 + 3*sectionsOf
	directorySize   = 8 * (shardCount*shardWords + 3 + typeSlots)
	networkSize     = 18
)

// previous is what WriteSnapshot appends to the name of the snapshot it replaces.
const previous = ".previous"

// ErrSnapshotBusy says that another process is writing the same snapshot.
var ErrSnapshotBusy = errors.New("another process is writing this snapshot")

// WriteSnapshot writes the index to a file, so that a crash at any moment leaves
// either what was there or all of the new one. What was there stays beside it with
// ".previous" behind its name, for OpenLast.
func (x *Index) WriteSnapshot(path string) error { return x.writeSnapshot(path, nil) }

func (x *Index) writeSnapshot(path string, step func(string)) error {
	defer runtime.KeepAlive(x)
	w, err := createSnapshot(path, step)
	if err != nil {
		return err
	}
	for _, s := range x.shards {
		if s.delta != nil {
			if s, err = s.compact(x.own, x.cfg.FalsePositives); err != nil {
				return errors.Join(fmt.Errorf("writing snapshot %s: %w", path, err), w.abandon())
			}
		}
		if err := w.shard(s); err != nil {
			return errors.Join(err, w.abandon())
		}
	}
	return w.finish(x)
}

// snapshotWriter writes a snapshot beside its final name.
type snapshotWriter struct {
	path string
	f    *os.File
	w    *bufio.Writer
	at   int64
	hash *xxh3.Hasher
	dir  []byte
	step func(string) // told before each step, in tests
}

// createSnapshot makes the temporary file, and locks it, so that two writers never
// share it. What a killed writer left there is written over.
func createSnapshot(path string, step func(string)) (*snapshotWriter, error) {
	if step == nil {
		step = func(string) {}
	}
	step("create")
	for {
		f, err := os.OpenFile(path+".tmp", os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("writing a snapshot: %w", err)
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(fmt.Errorf("writing snapshot %s: %w", path, ErrSnapshotBusy), f.Close())
		}
		// Its writer may have finished and renamed it since it was opened.
		ours, err1 := f.Stat()
		there, err2 := os.Stat(path + ".tmp")
		if err1 != nil || err2 != nil || !os.SameFile(ours, there) {
			if err := f.Close(); err != nil {
				return nil, fmt.Errorf("writing a snapshot: %w", err)
			}
			continue
		}
		w := &snapshotWriter{path: path, f: f, w: bufio.NewWriterSize(f, 1<<20), hash: xxh3.New(), step: step}
		if err := f.Truncate(0); err != nil {
			return nil, errors.Join(fmt.Errorf("writing a snapshot: %w", err), w.abandon())
		}
		if err := w.raw(make([]byte, headerSize)); err != nil {
			return nil, errors.Join(err, w.abandon())
		}
		return w, nil
	}
}

// abandon removes the temporary file.
func (w *snapshotWriter) abandon() error {
	return errors.Join(os.Remove(w.f.Name()), w.f.Close())
}

func (w *snapshotWriter) raw(b []byte) error {
	n, err := w.w.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("writing snapshot %s: %w", w.path, err)
	}
	return nil
}

// section writes one section through put and notes it in the directory.
func (w *snapshotWriter) section(name string, put func(write func([]byte) error) error) error {
	w.step(name)
	if pad := -w.at & 7; pad > 0 {
		if err := w.raw(make([]byte, pad)); err != nil {
			return err
		}
	}
	from := w.at
	w.hash.Reset()
	err := put(func(b []byte) error {
		_, _ = w.hash.Write(b) // never fails
		return w.raw(b)
	})
	w.note(uint64(from), uint64(w.at-from), w.hash.Sum64())
	return err
}

func (w *snapshotWriter) note(words ...uint64) {
	for _, v := range words {
		w.dir = binary.LittleEndian.AppendUint64(w.dir, v)
	}
}

// shard writes the four sections of a shard without a delta, its records in the
// order of their hashes.
func (w *snapshotWriter) shard(s *shard) error {
	defer runtime.KeepAlive(s) // its arrays end with it
	b := s.base
	w.note(uint64(s.n), s.sum, b.size, uint64(b.probes), uint64(b.room), uint64(b.shift))
	if err := w.section("filter", func(write func([]byte) error) error { return writeNumbers(write, b.words, 8) }); err != nil {
		return err
	}
	if err := w.section("buckets", func(write func([]byte) error) error { return writeNumbers(write, b.radix, 4) }); err != nil {
		return err
	}
	entries := make([]byte, 0, slotSize*b.len())
	size := 0
	for i := range b.entries {
		r, ok := parse(s.bytesAt(b.entries[i].place))
		if !ok {
			return fmt.Errorf("writing snapshot %s: %w", w.path, errDamaged)
		}
		entries = binary.LittleEndian.AppendUint32(entries, b.entries[i].rest)
		entries = binary.LittleEndian.AppendUint32(entries, uint32(size))
		if size += len(r.whole); size >= inOverlay {
			return fmt.Errorf("writing snapshot %s: %w", w.path, errShardFull)
		}
	}
	if err := w.section("entries", func(write func([]byte) error) error { return write(entries) }); err != nil {
		return err
	}
	return w.section("records", func(write func([]byte) error) error {
		for i := range b.entries {
			r, _ := parse(s.bytesAt(b.entries[i].place)) // it was a record a moment ago
			if err := write(r.whole); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeNumbers[T uint32 | uint64](write func([]byte) error, list []T, size int) error {
	var buf [1 << 13]byte
	for len(list) > 0 {
		n := min(len(list), len(buf)/size)
		for i, v := range list[:n] {
			if size == 8 {
				binary.LittleEndian.PutUint64(buf[8*i:], uint64(v))
			} else {
				binary.LittleEndian.PutUint32(buf[4*i:], uint32(v))
			}
		}
		if err := write(buf[:n*size]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// finish writes networks, directory and header, makes all of it durable, and gives
// the file its name.
func (w *snapshotWriter) finish(x *Index) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing snapshot %s: %w", w.path, errors.Join(err, w.abandon()))
		}
	}()
	err = w.section("networks", func(write func([]byte) error) error {
		if x.nets == nil {
			return nil
		}
		for p := range x.nets.table.AllSorted() {
			var b [networkSize]byte
			a := p.Addr().As16()
			copy(b[:], a[:])
			b[16] = byte(p.Bits())
			if p.Addr().Is4() {
				b[17] = 4
			}
			if err := write(b[:]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var slots [typeSlots]uint64
	for t, n := range x.types {
		slots[t] = uint64(n)
	}
	w.note(slots[:]...)
	w.step("directory")
	at := w.at
	if err := w.raw(w.dir); err != nil {
		return err
	}
	if err := w.w.Flush(); err != nil {
		return err
	}
	h := make([]byte, 0, headerSize)
	h = append(h, snapshotMagic...)
	h = binary.LittleEndian.AppendUint32(h, snapshotVersion)
	h = binary.LittleEndian.AppendUint32(h, shardCount)
	for _, v := range [...]uint64{uint64(x.n), x.sum, math.Float64bits(x.cfg.FalsePositives), uint64(at), uint64(len(w.dir)), xxh3.Hash(w.dir), uint64(w.at)} {
		h = binary.LittleEndian.AppendUint64(h, v)
	}
	h = binary.LittleEndian.AppendUint64(h, xxh3.Hash(h))
	w.step("header")
	if _, err := w.f.WriteAt(h, 0); err != nil {
		return err
	}
	w.step("sync")
	if err := w.f.Sync(); err != nil {
		return err
	}
	w.step("keep")
	if err := keepPrevious(w.path); err != nil {
		return err
	}
	w.step("rename")
	if err := os.Rename(w.f.Name(), w.path); err != nil {
		return err
	}
	w.step("renamed")
	return errors.Join(w.f.Close(), syncFolder(filepath.Dir(w.path)))
}

// keepPrevious gives the snapshot that is about to be replaced a second name. At no
// moment is there none under either.
func keepPrevious(path string) error {
	link := path + previous + ".tmp"
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err := os.Link(path, link)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Rename(link, path+previous)
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
