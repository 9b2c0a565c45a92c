package normalize

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync/atomic"

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
}

// library is one compiled state of the formats. Immutable.
type library struct {
	set      *mapping.Set
	wrappers []extract.Slot
	sum      uint64 // of the user's files
}

// FormatFile is the name of the file in a format's folder that defines it.
const FormatFile = "format.yaml"

// Load compiles the formats that cfg names.
func Load(cfg Config) (*Formats, error) {
	f := &Formats{dir: cfg.FormatsDir, only: cfg.Format}
	l, err := f.compile()
	if err != nil {
		return nil, err
	}
	f.current.Store(l)
	return f, nil
}

// Reload reads the user's folder again and, if it has changed, puts what it says
// in force with the next batch. After an error everything is as before.
func (f *Formats) Reload() (changed bool, err error) {
	if f.dir == "" {
		return false, nil
	}
	_, sum, err := userSources(f.dir)
	if err == nil && sum == f.current.Load().sum {
		return false, nil
	}
	l, err := f.compile()
	if err != nil {
		return false, err
	}
	f.current.Store(l)
	return true, nil
}

// Sum changes with the user's formats.
func (f *Formats) Sum() uint64 { return f.current.Load().sum }

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

func (f *Formats) compile() (*library, error) {
	all, err := builtin()
	if err != nil {
		return nil, err
	}
	l := &library{}
	if f.dir != "" {
		users, sum, err := userSources(f.dir)
		if err != nil {
			return nil, err
		}
		l.sum = sum
		for _, u := range users {
			all = slices.DeleteFunc(all, func(s *mapping.Source) bool { return s.Name == u.Name })
		}
		all = append(all, users...)
	}
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
		l.wrappers = append(l.wrappers, s)
	}
	if l.set, err = mapping.Compile(t, all, hooks()); err != nil {
		return nil, err
	}
	return l, nil
}

// builtin parses the formats of this program.
func builtin() ([]*mapping.Source, error) {
	all, _, err := sources(formats.Files(), "formats")
	return all, err
}

func userSources(dir string) ([]*mapping.Source, uint64, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, 0, fmt.Errorf("formats: %w", err)
	}
	return sources(os.DirFS(dir), dir)
}

// maxFormats bounds a folder of formats.
const maxFormats = 1000

// sources parses FOLDER/format.yaml of each folder, and, in a user's folder,
// NAME.yaml beside them.
func sources(files fs.FS, shown string) (all []*mapping.Source, sum uint64, err error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, 0, fmt.Errorf("formats: %w", err)
	}
	var errs []error
	var h xxh3.Hasher
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."):
			continue
		case e.IsDir():
			name = path.Join(name, FormatFile)
		case path.Ext(name) != ".yaml" && path.Ext(name) != ".yml":
			continue
		}
		text, err := fs.ReadFile(files, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a folder of something else
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("formats: %w", err))
			continue
		}
		_, _ = h.WriteString(name)
		_, _ = h.Write(text)
		s, err := mapping.Parse(path.Join(shown, name), text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if all = append(all, s); len(all) > maxFormats {
			return nil, 0, fmt.Errorf("formats: %s holds more than %d", shown, maxFormats)
		}
	}
	return all, h.Sum64(), errors.Join(errs...)
}

// hooks are what formats have done in Go, by name.
func hooks() map[string]mapping.Hook { return nil }
