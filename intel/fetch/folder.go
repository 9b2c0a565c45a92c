package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

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
// out. There may be none in a folder that is there; a file, or a folder, that is not
// there is an error.
func find(place string, most int) (found []source, skipped []string, err error) {
	var paths []string
	base, papers := filepath.Dir(place), false
	fi, err := os.Stat(place)
	switch {
	case err == nil && fi.Mode().IsRegular():
		return []source{{name: filepath.Base(place), path: place, info: fi}}, nil, nil
	case err == nil && fi.IsDir():
		if paths, err = list(place, most); err != nil {
			return nil, nil, err
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
		if fi, err = os.Stat(base); err == nil && !fi.IsDir() {
			err = fmt.Errorf("%s: no folder", base)
		}
		if err != nil {
			return nil, nil, err
		}
		papers = isPaper(filepath.Base(place))
	default:
		return nil, nil, err
	}
	if found, skipped, err = those(base, paths, papers); err != nil {
		return nil, nil, err
	}
	if len(found) > most {
		return nil, nil, tooMany(place, most)
	}
	slices.SortFunc(found, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return found, skipped, nil
}

func tooMany(place string, most int) error {
	return permanent(fmt.Errorf("%s: more than %d files", place, most))
}

// list gives what may be files in a folder. It keeps no more of a folder of millions
// than is looked for.
func list(dir string, most int) (paths []string, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(1024)
		for _, e := range entries {
			if !isDraft(e.Name()) && !e.IsDir() {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
		switch {
		case len(paths) > most:
			return nil, tooMany(dir, most)
		case errors.Is(err, io.EOF):
			return paths, nil
		case err != nil:
			return nil, err
		}
	}
}

// those looks at paths. One that has gone since they were listed, as temporary files
// do, is none; papers says that documentation is meant.
func those(base string, paths []string, papers bool) (found []source, skipped []string, err error) {
	for _, path := range paths {
		if isDraft(filepath.Base(path)) {
			continue
		}
		s, err := look(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if s.name, err = filepath.Rel(base, path); err != nil {
			return nil, nil, err
		}
		switch {
		case s.info == nil:
			skipped = append(skipped, s.name+": a symbolic link that leads nowhere or out of its folder")
		case s.info.Mode().IsRegular() && !papers && isPaper(filepath.Base(path)):
			skipped = append(skipped, s.name+": documentation, which is read where the feed's file or glob names it")
		case s.info.Mode().IsRegular():
			found = append(found, s)
		case !s.info.IsDir():
			skipped = append(skipped, s.name+": "+errNotRegular.Error())
		}
	}
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
