package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// writable is what access(2) is asked of a folder: to make files in it.
const writable = 2 | 1 // W_OK, X_OK

// keeps reports whether a process of this configuration writes to DataDir.
func (c *Config) keeps() bool {
	return c.Embedded || slices.Contains(c.Hops, "intel") || slices.Contains(c.Hops, "detect")
}

// MakeDataDir makes DataDir where the process needs one. Its error says how to mend it.
func (c *Config) MakeDataDir() error {
	if !c.keeps() {
		return nil
	}
	err := os.MkdirAll(c.DataDir, 0o755)
	if err == nil {
		err = canMake(c.DataDir)
	} else {
		err = unmade(c.DataDir, err)
	}
	if err != nil {
		return fmt.Errorf("data_dir: %w", err)
	}
	return nil
}

// canMake reports a folder that is not there and cannot be made by this user, or
// cannot be written to. It changes nothing.
func canMake(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return unmade(dir, err)
	}
	for at := abs; ; at = filepath.Dir(at) {
		fi, err := os.Stat(at)
		if (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && at != filepath.Dir(at) {
			continue
		}
		if err == nil && !fi.IsDir() {
			err = fmt.Errorf("%s is not a folder", at)
		}
		if err == nil {
			if e := syscall.Access(at, writable); e != nil {
				err = &fs.PathError{Op: "writing to", Path: at, Err: e}
			}
		}
		if err != nil {
			return unmade(dir, err)
		}
		return nil
	}
}

// unmade says how to mend a folder that cannot be had.
func unmade(dir string, err error) error {
	return fmt.Errorf("%s cannot be made or written to: %w: make it for the user that runs interdict (install -d -o %d %s), or set data_dir to another folder", dir, err, os.Getuid(), dir)
}
