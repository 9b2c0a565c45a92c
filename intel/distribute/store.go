package distribute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// suffix of the names of snapshot files; before it stands the SHA-256 of the file in
// lower-case hex.
const suffix = ".snapshot"

// validName reports whether a name is that of a snapshot: nothing else can be asked
// for, whatever the path.
func validName(name string) bool {
	hash, ok := strings.CutSuffix(name, suffix)
	return ok && len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == ""
}

// Folder keeps snapshots in a folder of this machine or a shared one. It is a Store
// and a Source.
type Folder struct {
	// Dir is the folder; it is made when it is needed.
	Dir string
	// URL under which Handler serves the folder, such as
	// "https://manager.example/intel/snapshots"; empty: it does not.
	URL string
}

var (
	_ Store  = Folder{}
	_ Source = Folder{}
)

// Put makes the file appear in the folder as a whole, as another name for it where
// the file system allows.
func (f Folder) Put(ctx context.Context, name, file string) ([]string, error) {
	if !validName(name) {
		return nil, fmt.Errorf("storing a snapshot: %q is no name of one", name)
	}
	if err := f.put(ctx, name, file); err != nil {
		return nil, fmt.Errorf("storing snapshot %s: %w", name, err)
	}
	path, err := filepath.Abs(filepath.Join(f.Dir, name))
	if err != nil {
		return nil, fmt.Errorf("storing snapshot %s: %w", name, err)
	}
	locations := []string{path}
	if f.URL != "" {
		locations = append(locations, strings.TrimSuffix(f.URL, "/")+"/"+name)
	}
	return locations, nil
}

func (f Folder) put(ctx context.Context, name, file string) (err error) {
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return err
	}
	tmp := filepath.Join(f.Dir, "."+name+".tmp")
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp) // the next Put would, too
		}
	}()
	if os.Link(file, tmp) != nil {
		if err := copyFile(ctx, tmp, file); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, filepath.Join(f.Dir, name)); err != nil {
		return err
	}
	// Renaming a second name of the same file onto the first leaves both.
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncFolder(f.Dir)
}

// Delete removes a snapshot.
func (f Folder) Delete(_ context.Context, name string) error {
	if !validName(name) {
		return fmt.Errorf("deleting a snapshot: %q is no name of one", name)
	}
	if err := os.Remove(filepath.Join(f.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting a snapshot: %w", err)
	}
	return nil
}

// Open reads a snapshot of the folder. Of the location only the name counts: the
// folder may be mounted elsewhere here, and a location cannot lead out of it.
func (f Folder) Open(_ context.Context, location string, from int64) (io.ReadCloser, error) {
	if u, err := url.Parse(location); err == nil && u.Scheme != "" {
		return nil, fmt.Errorf("location %q: %w", location, errors.ErrUnsupported)
	}
	name := filepath.Base(location)
	if !validName(name) {
		return nil, fmt.Errorf("location %q is not that of a snapshot", location)
	}
	in, err := os.Open(filepath.Join(f.Dir, name))
	if err != nil {
		return nil, fmt.Errorf("opening a snapshot: %w", err)
	}
	if _, err := in.Seek(from, io.SeekStart); err != nil {
		return nil, errors.Join(fmt.Errorf("opening a snapshot: %w", err), in.Close())
	}
	return in, nil
}

// Sources tries several sources, each for its kind of location.
type Sources []Source

// Open asks the sources in order until one knows the kind of location.
func (s Sources) Open(ctx context.Context, location string, from int64) (io.ReadCloser, error) {
	for _, src := range s {
		in, err := src.Open(ctx, location, from)
		if !errors.Is(err, errors.ErrUnsupported) {
			return in, err
		}
	}
	return nil, fmt.Errorf("location %q: %w", location, errors.ErrUnsupported)
}

// copyFile makes a durable copy.
func copyFile(ctx context.Context, to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, &contextReader{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
