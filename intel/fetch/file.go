package fetch

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/zeebo/xxh3"
)

// settled is how long a file must have been left alone before its time can be
// trusted to change with the next write, and before a watcher reads it.
const settled = 2 * time.Second

// mark is what is remembered of a file that was read.
type mark struct {
	Size  int64  `json:"size"`
	Time  int64  `json:"time"` // of the last change, in nanoseconds
	Inode uint64 `json:"inode,omitempty"`
	Hash  string `json:"hash"`            // of the bytes as they are on disk
	Fresh bool   `json:"fresh,omitempty"` // it was read so soon after its change that another may have left size and time alike
}

func (m mark) same(fi fs.FileInfo) bool {
	return m.Size == fi.Size() && m.Time == fi.ModTime().UnixNano() && m.Inode == inode(fi)
}

func inode(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

func fresh(fi fs.FileInfo, now time.Time) bool { return now.Sub(fi.ModTime()) < settled }

// source is a file that belongs to a feed.
type source struct {
	name   string // relative to the folder or to the fixed part of the glob
	path   string
	inside bool // found in a folder: a symbolic link counts only if it stays in there
	info   fs.FileInfo
}

var errNotRegular = errors.New("not a regular file")

// openRegular opens a file, but no device, pipe or folder. It never waits for the
// other end of a pipe.
func openRegular(stat func(string) (fs.FileInfo, error), open func(string, int, fs.FileMode) (*os.File, error), name string) (*os.File, error) {
	fi, err := stat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() { // opening a device may already do something
		return nil, fmt.Errorf("%s: %w", name, errNotRegular)
	}
	f, err := open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if fi, err = f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, errors.Join(err, errNotRegular))
	}
	return f, nil
}

func (s *source) open() (*os.File, error) {
	if !s.inside {
		return openRegular(os.Stat, os.OpenFile, s.path)
	}
	root, err := os.OpenRoot(filepath.Dir(s.path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openRegular(root.Stat, root.OpenFile, filepath.Base(s.path))
}

// find lists the files of a feed in the order of their names, with what was left
// out. There is at least one: a folder that is suddenly empty is rather a mount
// that is missing than a feed that has nothing left to say; who means that leaves an
// empty file.
func find(place string, most int) (found []source, skipped []string, err error) {
	var paths []string
	base := filepath.Dir(place)
	fi, err := os.Stat(place)
	switch {
	case err == nil && fi.Mode().IsRegular():
		return []source{{name: filepath.Base(place), path: place, info: fi}}, nil, nil
	case err == nil && fi.IsDir():
		entries, err := os.ReadDir(place)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") {
				paths = append(paths, filepath.Join(place, e.Name()))
			}
		}
		base = place
	case err == nil:
		return nil, nil, fmt.Errorf("%s: %w", place, errNotRegular)
	case strings.ContainsAny(place, "*?["):
		if paths, err = filepath.Glob(place); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", place, err)
		}
		for strings.ContainsAny(base, "*?[") {
			base = filepath.Dir(base)
		}
	default:
		return nil, nil, err
	}
	for _, path := range paths {
		s, err := look(path)
		if err != nil {
			return nil, nil, err
		}
		if s.name, err = filepath.Rel(base, path); err != nil {
			return nil, nil, err
		}
		switch {
		case s.info == nil:
			skipped = append(skipped, s.name+": a symbolic link that leads nowhere or out of its folder")
		case s.info.Mode().IsRegular():
			found = append(found, s)
		case !s.info.IsDir():
			skipped = append(skipped, s.name+": "+errNotRegular.Error())
		}
	}
	if len(found) == 0 {
		return nil, nil, fmt.Errorf("%s: no file is there", place)
	}
	if len(found) > most {
		return nil, nil, permanent(fmt.Errorf("%s: %d files, more than %d", place, len(found), most))
	}
	slices.SortFunc(found, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return found, skipped, nil
}

// look finds out what a path in a folder is; without info if it is a link that
// does not count.
func look(path string) (source, error) {
	s := source{path: path, inside: true}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return s, err
	}
	defer root.Close()
	fi, err := root.Stat(filepath.Base(path))
	if err != nil {
		if link, other := root.Lstat(filepath.Base(path)); other == nil && link.Mode()&fs.ModeSymlink != 0 {
			return s, nil
		}
		return s, fmt.Errorf("%s: %w", path, err)
	}
	s.info = fi
	return s, nil
}

// Changed reports whether a feed of transport file is worth a Pull: its files are
// not those that gave the state, and have been left alone for two seconds, so that
// one being written is not read half. It looks at names, sizes and times only, and
// is cheap enough to be called every few seconds. A file that is written all the
// time is never worth it; Pull reads it all the same.
func (c *Client) Changed(f *fact.Feed, state []byte) (bool, error) {
	st, _ := decodeState(state, place(f))
	found, _, err := find(f.File, c.cfg.MaxFiles)
	if err != nil {
		return false, fmt.Errorf("feed %s: %w", f.Name, err)
	}
	changed := len(found) != len(st.Files)
	now := c.cfg.Now()
	for _, s := range found {
		old, known := st.Files[s.name]
		if known && !old.Fresh && old.same(s.info) {
			continue
		}
		if fresh(s.info, now) && !s.info.ModTime().After(now) {
			return false, nil // soon
		}
		// A fresh one is to be compared by content once; with a time in the future it
		// would be for ever.
		if !old.same(s.info) || !fresh(s.info, now) {
			changed = true
		}
	}
	return changed, nil
}

func (p *pull) file(ctx context.Context) error {
	found, skipped, err := find(p.f.File, p.c.cfg.MaxFiles)
	if err != nil {
		return err
	}
	for _, text := range skipped[:min(len(skipped), 100)] {
		p.result.Skipped = append(p.result.Skipped, text)
	}
	unchanged, err := p.unchanged(ctx, found)
	if err != nil {
		return err
	}
	if unchanged {
		p.result.NotModified = true
		return nil
	}
	marks := make(map[string]mark, len(found))
	for _, s := range found {
		m, err := p.read(ctx, &s)
		if err != nil {
			return err
		}
		marks[s.name] = m
	}
	p.next.Files = marks
	return nil
}

// unchanged reports whether the files are those of the last pull. Where size and
// time do not settle it, the content does.
func (p *pull) unchanged(ctx context.Context, found []source) (bool, error) {
	if len(found) != len(p.old.Files) {
		return false, nil
	}
	for _, s := range found {
		if m, ok := p.old.Files[s.name]; !ok || m.Size != s.info.Size() {
			return false, nil
		}
	}
	marks := make(map[string]mark, len(found))
	for _, s := range found {
		m := p.old.Files[s.name]
		if m.Fresh || !m.same(s.info) {
			h := xxh3.New()
			now, err := p.through(&s, h, func(f io.Reader) error {
				_, err := io.Copy(io.Discard, &breakable{ctx: ctx, r: f})
				return err
			})
			if err != nil {
				return false, err
			}
			if now.Hash != m.Hash {
				return false, nil
			}
			m = now
		}
		marks[s.name] = m
	}
	p.next.Files = marks
	return true, nil
}

// read hands one file on.
func (p *pull) read(ctx context.Context, s *source) (mark, error) {
	return p.through(s, xxh3.New(), func(f io.Reader) error {
		b, err := open(ctx, f, false, true, p.room)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		return p.part(fact.Part{Name: s.name, Format: p.f.Format}, b)
	})
}

// through opens a file for use, which must read it to its end, and marks it. A
// file that changes meanwhile is an error.
func (p *pull) through(s *source, h hash.Hash, use func(io.Reader) error) (mark, error) {
	f, err := s.open()
	if err != nil {
		return mark{}, err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return mark{}, err
	}
	now := p.c.cfg.Now()
	if err := use(io.TeeReader(f, h)); err != nil {
		return mark{}, err
	}
	after, err := f.Stat()
	if err != nil {
		return mark{}, err
	}
	if before.Size() != after.Size() || !before.ModTime().Equal(after.ModTime()) {
		return mark{}, fmt.Errorf("%s: changed while it was read", s.name)
	}
	return mark{Size: before.Size(), Time: before.ModTime().UnixNano(), Inode: inode(before), Hash: fmt.Sprintf("%x", h.Sum(nil)), Fresh: fresh(before, now)}, nil
}

// breakable ends a long read when its context does.
type breakable struct {
	ctx context.Context
	r   io.Reader
}

func (b *breakable) Read(to []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	return b.r.Read(to)
}
