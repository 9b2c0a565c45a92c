package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

// leastRoom is how much should be free in any case, in bytes.
const leastRoom = 1 << 30

// room checks the data folder: whether it can be written to, and whether the disk has
// room for an import of the largest feed, which is there three times while it runs
// (sorted, as it was, as it will be), and for three copies of the index (the library's,
// the published one, the worker's).
func (l *findings) room(cfg *settings.Config) {
	if !slices.Contains(cfg.Hops, "intel") && !slices.Contains(cfg.Hops, "detect") && !cfg.Embedded {
		return
	}
	const cure = "make room, or put data_dir on a larger disk"
	free, err := freeBytes(cfg.DataDir)
	if err != nil {
		l.add("disk", err, "", "check data_dir")
		return
	}
	feed, name, index, err := largest(libraryDir(cfg))
	if err != nil {
		l.add("disk", err, "", "check the permissions below data_dir")
		return
	}
	need := 3 * (feed + index)
	why := "no feed has been imported yet"
	if name != "" {
		why = fmt.Sprintf("an import of %s, the largest feed, and its publication take up to %s", name, bytesText(need))
	}
	detail := fmt.Sprintf("%s: %s free; %s", cfg.DataDir, bytesText(free), why)
	switch {
	case free < need:
		l.add("disk", errors.New(detail), "", cure)
	case free < leastRoom:
		l.warn("disk", detail, cure)
	default:
		l.add("disk", nil, detail, "")
	}
}

// freeBytes gives what this user may still write on the disk of a folder, or of where it
// will be made.
func freeBytes(dir string) (int64, error) {
	at, err := filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	for {
		var st syscall.Statfs_t
		err := syscall.Statfs(at, &st)
		if (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && at != filepath.Dir(at) {
			at = filepath.Dir(at)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("asking for the room on the disk of %s: %w", dir, err)
		}
		return int64(st.Bavail) * int64(st.Bsize), nil
	}
}

// largest gives the bytes of the newest generation of the largest feed of a library, its
// name, and the bytes of the largest index.
func largest(library string) (feed int64, name string, index int64, err error) {
	feeds, err := os.ReadDir(filepath.Join(library, "feeds"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, "", 0, fmt.Errorf("looking at the size of the feeds: %w", err)
	}
	for _, e := range feeds {
		kinds, err := sizes(filepath.Join(library, "feeds", e.Name()))
		if err != nil {
			return 0, "", 0, err
		}
		sum := int64(0)
		for _, n := range kinds {
			sum += n
		}
		if sum > feed {
			feed, name = sum, e.Name()
		}
	}
	kinds, err := sizes(filepath.Join(library, "index"))
	for _, n := range kinds {
		index = max(index, n)
	}
	return feed, name, index, err
}

// sizes gives the bytes of the largest file of each kind in a folder, by the ending of
// its name.
func sizes(dir string) (map[string]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("looking at the size of the feeds: %w", err)
	}
	list := map[string]int64{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue // being written
		}
		fi, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has gone since
		}
		if err != nil {
			return nil, fmt.Errorf("looking at the size of the feeds: %w", err)
		}
		_, kind, _ := strings.Cut(e.Name(), ".")
		list[kind] = max(list[kind], fi.Size())
	}
	return list, nil
}

// bytesText writes a number of bytes for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}

// addresses checks that what listens could. An address in use is most likely in use by
// the running process itself.
func (l *findings) addresses(ctx context.Context, cfg *settings.Config) {
	manages := slices.Contains(cfg.Hops, "intel")
	for _, a := range [...]struct {
		check, addr string
		here        bool
	}{{"admin address", cfg.Admin.Listen, true}, {"upload address", cfg.Intel.Upload.Listen, manages}, {"snapshots address", cfg.Intel.Snapshots.Listen, manages}} {
		if a.addr == "" || !a.here {
			continue
		}
		in, err := new(net.ListenConfig).Listen(ctx, "tcp", a.addr)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			l.warn(a.check, a.addr+" is in use", "well if interdict runs here now; else another program has it")
		case err != nil:
			l.add(a.check, err, "", "listen on an address of this machine, and on a port that this user may take")
		default:
			l.add(a.check, in.Close(), a.addr+" can be listened on", "")
		}
	}
}
