package distribute

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// errDamaged says that a file is not what its reference says.
var errDamaged = errors.New("not the file that the reference names")

// cache is a worker's folder of snapshots. It holds the one in use, the one before
// it, and while one is being fetched a part of that.
type cache struct {
	dir     string
	src     Source
	max     int64 // bytes of a snapshot that is taken at all
	lock    *os.File
	current string
	before  string
	part    string // what is being fetched, or was when it failed
}

// openCache takes the folder for this process.
func openCache(dir string, src Source, limit int64) (*cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder of snapshots: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("taking the folder of snapshots: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("folder %s of snapshots is another process's: %w", dir, err), lock.Close())
	}
	return &cache{dir: dir, src: src, max: limit, lock: lock}, nil
}

func (c *cache) close() error { return c.lock.Close() }

func nameOf(hash [32]byte) string { return hex.EncodeToString(hash[:]) + suffix }

// open gives the index of a reference: from the folder if it is there and whole,
// else fetched. Nothing is used before its size, its hash and its content are those
// of the reference.
func (c *cache) open(ctx context.Context, ref *schema.IndicatorSnapshot) (*match.Index, error) {
	if ref.Size <= 0 || ref.Size > c.max {
		return nil, fmt.Errorf("a snapshot of %d bytes is not taken: the bound is %d", ref.Size, c.max)
	}
	path := filepath.Join(c.dir, nameOf(ref.Hash))
	err := verify(ctx, path, ref)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errDamaged) {
			return nil, err
		}
		if err := c.fetch(ctx, path, ref); err != nil {
			return nil, err
		}
	}
	x, err := match.OpenSnapshot(path)
	if err != nil {
		return nil, err
	}
	if x.ID() != ref.Content {
		return nil, fmt.Errorf("the file has content %016x, the reference says %016x: %w", x.ID(), ref.Content, errDamaged)
	}
	return x, nil
}

// use notes that a snapshot is in use now, and removes all but it and the one before.
func (c *cache) use(hash [32]byte) error {
	if name := nameOf(hash); name != c.current {
		c.current, c.before = name, c.current
	}
	return c.tidy()
}

// tidy removes what is neither kept nor the part that was fetched last. Before the first
// use nobody knows what will be asked for, and the two newest files stay.
func (c *cache) tidy() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return fmt.Errorf("tidying the folder of snapshots: %w", err)
	}
	keep := map[string]bool{"lock": true, c.current: true, c.before: true, c.part: true}
	if c.before == "" {
		for _, name := range newest(entries, 2) {
			keep[name] = true
		}
	}
	var errs []error
	for _, e := range entries {
		if !keep[e.Name()] && (validName(e.Name()) || strings.HasSuffix(e.Name(), ".part")) {
			errs = append(errs, os.Remove(filepath.Join(c.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// newest gives the names of the n snapshots that were changed last.
func newest(entries []fs.DirEntry, n int) []string {
	var names []string
	times := map[string]int64{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !validName(e.Name()) {
			continue
		}
		times[e.Name()] = info.ModTime().UnixNano()
		at := len(names)
		for at > 0 && times[names[at-1]] < times[e.Name()] {
			at--
		}
		names = append(names[:at], append([]string{e.Name()}, names[at:]...)...)
		names = names[:min(n, len(names))]
	}
	return names
}

// fetch gets a file from the first of its locations that gives it whole. What came
// before a failure, or before the process ended, is not asked for again.
func (c *cache) fetch(ctx context.Context, path string, ref *schema.IndicatorSnapshot) error {
	part := path + ".part"
	c.part = filepath.Base(part)
	if err := c.tidy(); err != nil {
		return err
	}
	var errs []error
	for _, location := range ref.Locations {
		err := c.fetchFrom(ctx, location, part, ref)
		if err == nil {
			if err := os.Rename(part, path); err != nil {
				return fmt.Errorf("keeping a snapshot: %w", err)
			}
			return syncFolder(c.dir)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return errors.New("the reference names no location")
	}
	return fmt.Errorf("fetching snapshot %x: %w", ref.Hash[:8], errors.Join(errs...))
}

// attempts without any progress after which a location is given up.
const attempts = 2

// fetchFrom fetches from one location. What lies there from an earlier attempt may be
// what is damaged, so it is tried without it as well.
func (c *cache) fetchFrom(ctx context.Context, location, part string, ref *schema.IndicatorSnapshot) error {
	resumed, err := c.resume(ctx, location, part, ref)
	if resumed && errors.Is(err, errDamaged) {
		_, err = c.resume(ctx, location, part, ref)
	}
	return err
}

func (c *cache) resume(ctx context.Context, location, part string, ref *schema.IndicatorSnapshot) (resumed bool, err error) {
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return resumed, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	have, err := io.Copy(h, &contextReader{ctx, f})
	if err != nil {
		return resumed, err
	}
	resumed = have > 0
	for failed := 0; have < ref.Size; {
		n, err := c.copyRest(ctx, location, io.MultiWriter(f, h), have, ref.Size)
		have += n
		if err == nil {
			break
		}
		if n > 0 {
			failed = 0
		}
		if failed++; failed >= attempts || ctx.Err() != nil || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
			return resumed, err
		}
	}
	if have != ref.Size || [32]byte(h.Sum(nil)) != ref.Hash {
		// Begun anew the next time.
		return resumed, errors.Join(fmt.Errorf("%s gave %d bytes: %w", location, have, errDamaged), f.Truncate(0))
	}
	return resumed, f.Sync()
}

// copyRest appends what follows the first have bytes; it wants the file to end at size.
func (c *cache) copyRest(ctx context.Context, location string, to io.Writer, have, size int64) (int64, error) {
	in, err := c.src.Open(ctx, location, have)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	n, err := io.Copy(to, io.LimitReader(&contextReader{ctx, in}, size-have+1))
	if err == nil && have+n < size {
		err = fmt.Errorf("%s: %w after %d of %d bytes", location, io.ErrUnexpectedEOF, have+n, size)
	}
	return n, err
}

// verify reads a file and compares it with its reference.
func verify(ctx context.Context, path string, ref *schema.IndicatorSnapshot) error {
	hash, size, err := hashFile(ctx, path)
	if err != nil {
		return err
	}
	if size != ref.Size || hash != ref.Hash {
		return fmt.Errorf("snapshot %s: %w", path, errDamaged)
	}
	return nil
}

func hashFile(ctx context.Context, path string) (hash [32]byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return hash, 0, fmt.Errorf("reading a snapshot: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if size, err = io.Copy(h, &contextReader{ctx, f}); err != nil {
		return hash, 0, fmt.Errorf("reading snapshot %s: %w", path, err)
	}
	return [32]byte(h.Sum(nil)), size, nil
}
