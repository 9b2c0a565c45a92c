package normalize

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/stages/normalize/extract"
	"github.com/interdict/interdict/stages/normalize/formats"
	"github.com/interdict/interdict/stages/normalize/mapping"
)

// Formats are the formats in force: those built in, and those of the user's
// folder, which win over built-in ones of the same name. Any number of
// Normalizers may share it; Reload may run beside them.
type Formats struct {
	dir     string
	only    string
	current atomic.Pointer[library]

	reload    sync.Mutex // guards what follows
	faulty    error      // what is wrong with the files last seen; nil: nothing
	faultySum uint64     // of those files
}

// library is one compiled state of the formats. Immutable.
type library struct {
	set      *mapping.Set
	wrappers []wrapper
	sum      uint64 // of the user's files
}

// FormatFile is the name of the file in a format's folder that defines it.
const FormatFile = "format.yaml"

// Load compiles the formats that cfg names.
func Load(cfg Config) (*Formats, error) {
	f := &Formats{dir: cfg.FormatsDir, only: cfg.Format}
	var files []formatFile
	var sum uint64
	var err error
	if f.dir != "" {
		if files, sum, err = formatFiles(os.DirFS(f.dir)); err != nil {
			return nil, fmt.Errorf("formats in %s: %w", f.dir, err)
		}
	}
	l, err := f.compile(files, sum)
	if err != nil {
		return nil, err
	}
	f.current.Store(l)
	return f, nil
}

// Reload reads the user's folder again and, if it has changed, puts what it says
// in force with the next batch. After an error everything is as before; the same
// files give the same error without being compiled again.
func (f *Formats) Reload() (changed bool, err error) {
	if f.dir == "" {
		return false, nil
	}
	f.reload.Lock()
	defer f.reload.Unlock()
	files, sum, err := formatFiles(os.DirFS(f.dir))
	if err != nil {
		return false, fmt.Errorf("formats in %s: %w", f.dir, err)
	}
	switch {
	case sum == f.current.Load().sum:
		f.faulty = nil
		return false, nil
	case f.faulty != nil && sum == f.faultySum:
		return false, f.faulty
	}
	l, err := f.compile(files, sum)
	if err != nil {
		f.faulty, f.faultySum = err, sum
		return false, err
	}
	f.faulty = nil
	f.current.Store(l)
	return true, nil
}

// List describes the formats in force, in the order of detection.
func (f *Formats) List() (infos []mapping.Info) {
	for _, x := range f.current.Load().set.Formats {
		if x.Spelling == "" {
			infos = append(infos, x.Info)
		}
	}
	return infos
}

// Find gives the format of that name as written.
func (f *Formats) Find(name string) (*mapping.Source, bool) {
	for _, x := range f.current.Load().set.Formats {
		if x.Name == name {
			return x.Source, true
		}
	}
	return nil, false
}

// Known reports whether a format of that name is in force.
func (f *Formats) Known(name string) bool {
	_, ok := f.Find(name)
	return ok
}

// compile lays out the built-in formats and those in the user's files, whose sum
// is given.
func (f *Formats) compile(files []formatFile, sum uint64) (*library, error) {
	users, err := parsed(files, f.dir)
	if err != nil {
		return nil, err
	}
	all, err := builtin()
	if err != nil {
		return nil, err
	}
	l := &library{sum: sum}
	for _, u := range users {
		if u.Name == CSV {
			return nil, fmt.Errorf("%s: no format can be named %s: sources[].formats has it for files of rows", u.File, CSV)
		}
		before := len(all)
		all = slices.DeleteFunc(all, func(s *mapping.Source) bool { return s.Name == u.Name })
		u.User = len(all) == before
	}
	all = append(all, users...)
	if f.only != "" {
		all = slices.DeleteFunc(all, func(s *mapping.Source) bool { return s.Name != f.only })
		if len(all) == 0 {
			return nil, fmt.Errorf("format %q is not known", f.only)
		}
	}
	t, err := extract.NewTrie(listPaths())
	if err != nil {
		return nil, err
	}
	for _, p := range wrapperPaths() {
		s, err := t.Add(p)
		if err != nil {
			return nil, fmt.Errorf("envelope %s: %w", p, err)
		}
		l.wrappers = append(l.wrappers, wrapper{s, isOriginal(p)})
	}
	if l.set, err = mapping.Compile(t, all); err != nil {
		return nil, err
	}
	return l, nil
}

// builtin parses the formats of this program.
func builtin() ([]*mapping.Source, error) {
	files, _, err := formatFiles(formats.Files())
	if err != nil {
		return nil, err
	}
	return parsed(files, "formats")
}

// formatFile is a file that defines a format.
type formatFile struct {
	name string // in its folder of formats
	text []byte
}

// maxFormats bounds a folder of formats.
const maxFormats = 1000

// formatFiles reads FOLDER/format.yaml of each folder and, in a user's folder,
// NAME.yaml beside them. sum changes with what they hold.
func formatFiles(files fs.FS) (all []formatFile, sum uint64, err error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, 0, fmt.Errorf("reading the folder: %w", err)
	}
	var errs []error
	var h xxh3.Hasher
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if ext := path.Ext(name); e.IsDir() || ext != ".yaml" && ext != ".yml" {
			name = path.Join(name, FormatFile) // a link may be a folder, too
		}
		text, err := fs.ReadFile(files, name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue // a folder or file of something else
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reading a format: %w", err))
			continue
		}
		_, _ = fmt.Fprintf(&h, "%q %d ", name, len(text))
		_, _ = h.Write(text)
		if all = append(all, formatFile{name, text}); len(all) > maxFormats {
			return nil, 0, fmt.Errorf("more than %d", maxFormats)
		}
	}
	return all, h.Sum64(), errors.Join(errs...)
}

// parsed parses files of the folder shown, and reports what is wrong with all of
// them.
func parsed(files []formatFile, shown string) (all []*mapping.Source, err error) {
	var errs []error
	for _, f := range files {
		s, err := mapping.Parse(path.Join(shown, f.name), f.text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}
