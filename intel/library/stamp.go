package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/zeebo/xxh3"
)

// Stamp gives another number when what Feeds tells may have become something else,
// whichever process did that: a feed was booked, removed, or has files that somebody
// found damaged. It reads no file.
func (l *Library) Stamp() (uint64, error) {
	names, err := l.names()
	if err != nil {
		return 0, err
	}
	h := xxh3.New()
	for _, name := range names {
		files, err := os.ReadDir(l.feedDir(name)) // notes of damage come and go
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("looking at feed %s: %w", name, err)
		}
		for _, f := range files {
			fmt.Fprintf(h, "%s/%s\n", name, f.Name())
		}
		fi, err := os.Stat(filepath.Join(l.feedDir(name), "feed.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("looking at feed %s: %w", name, err)
		}
		inode := uint64(0) // each booking writes another file, also within the grain of the file system's clock
		if st, ok := fi.Sys().(*syscall.Stat_t); ok {
			inode = st.Ino
		}
		fmt.Fprintf(h, "%d %d %d\n", inode, fi.Size(), fi.ModTime().UnixNano())
	}
	return h.Sum64(), nil
}
