package fetch

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
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

	Broken bool        `json:"broken,omitempty"` // it could not be used; there is no hash
	Perm   fs.FileMode `json:"perm,omitempty"`   // of one that is broken: giving leave to read it is no change of the file
}

func (m mark) same(fi fs.FileInfo) bool {
	return m.Size == fi.Size() && m.Time == fi.ModTime().UnixNano() && m.Inode == inode(fi) && (!m.Broken || m.Perm == fi.Mode())
}

func inode(fi fs.FileInfo) uint64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Ino
	}
	return 0
}

func fresh(fi fs.FileInfo, now time.Time) bool { return now.Sub(fi.ModTime()) < settled }

// Seen is what a look at the files of a feed found.
type Seen struct {
	// Print is another one when any of the files is, as far as names, sizes, times and
	// permissions tell, or when looking fails in another way.
	Print string
	// Changed says that the files are not those that gave the state.
	Changed bool
	// Settled says that all of them have been left alone for two seconds, so that none
	// is read half. A file that is written all the time never is; Pull reads it all the
	// same.
	Settled bool
}

// Look looks at the names, sizes and times of a feed of transport file, beside the
// state that a pull gave. It reads no file, and is cheap enough to be called every few
// seconds.
func (c *Client) Look(f *fact.Feed, state []byte) Seen {
	st, _ := decodeState(state, place(f))
	found, _, err := find(f.File, c.cfg.MaxFiles)
	if err != nil {
		return Seen{Print: "error: " + err.Error(), Changed: true, Settled: true}
	}
	seen := Seen{Changed: len(found) != len(st.Files), Settled: true}
	now := c.cfg.Now()
	h := xxh3.New()
	for _, s := range found {
		young := fresh(s.info, now)
		fmt.Fprintf(h, "%q %d %d %d %o %t\n", s.name, s.info.Size(), s.info.ModTime().UnixNano(), inode(s.info), s.info.Mode(), young)
		old, known := st.Files[s.name]
		if known && !old.Fresh && old.same(s.info) {
			continue
		}
		if young && !s.info.ModTime().After(now) {
			seen.Settled = false
		}
		// A fresh one is to be compared by content once; with a time in the future it
		// would be for ever.
		if !old.same(s.info) || !young {
			seen.Changed = true
		}
	}
	seen.Print = fmt.Sprintf("%d files: %x", len(found), h.Sum(nil))
	return seen
}

func (p *pull) file(ctx context.Context) error {
	found, skipped, err := find(p.f.File, p.c.cfg.MaxFiles)
	if err != nil {
		return err
	}
	for _, text := range skipped[:min(len(skipped), 100)] {
		p.result.Skipped = append(p.result.Skipped, text)
	}
	if len(found) == 0 {
		return p.none()
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
	broken := map[string]error{}
	for _, s := range found {
		m, err := p.read(ctx, &s)
		if err != nil {
			if len(found) == 1 || ctx.Err() != nil || !ofOne(err) {
				return err
			}
			broken[s.name] = err
			m = mark{Size: s.info.Size(), Time: s.info.ModTime().UnixNano(), Inode: inode(s.info), Broken: true, Perm: s.info.Mode()}
		}
		marks[s.name] = m
	}
	if len(broken) == len(found) {
		return fmt.Errorf("none of %d files can be used, the first: %w", len(found), broken[found[0].name])
	}
	if len(broken) > 0 {
		p.result.Mode, p.result.Broken = fact.Update, broken
	}
	p.next.Files = marks
	return nil
}

// none ends a pull where no file is there. A folder that is suddenly empty is rather a
// mount that is missing than a feed that has nothing left to say: what was said stays.
// Who means that leaves an empty file.
func (p *pull) none() error {
	if n := len(p.old.Files); n > 0 {
		return fmt.Errorf("%s: no file is there any more, where there were %d: what they said stays in force until one is there, an empty one if need be", p.f.File, n)
	}
	p.result.NotModified, p.result.Waiting = true, "no file yet in "+p.f.File
	return nil
}

// unchanged reports whether the files are those of the last pull. Where size and
// time do not settle it, the content does.
func (p *pull) unchanged(ctx context.Context, found []source) (bool, error) {
	if len(found) != len(p.old.Files) {
		return false, nil
	}
	for _, s := range found {
		if m, ok := p.old.Files[s.name]; !ok || m.Broken || m.Size != s.info.Size() {
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

// ofOne reports an error that is about one file, while the others can be taken: not one
// of who takes them, nor of all of them together.
func ofOne(err error) bool {
	if _, ok := errors.AsType[*yieldError](err); ok {
		_, bad := errors.AsType[*partError](err)
		return bad
	}
	return !errors.Is(err, errTooLarge) && !errors.Is(err, errChanging)
}

// errChanging says that a file is being written.
var errChanging = errors.New("changed while it was read")

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
		return mark{}, fmt.Errorf("%s: %w", s.name, errChanging)
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
