package intel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// claim holds a part of the data folder for this process. The system lets go of it
// when the process ends, however it ends.
type claim struct{ f *os.File }

// errClaimed says that another process has it.
var errClaimed = errors.New("in use by another process")

// claimed takes NAME.claim of a data folder, which is made if need be.
func claimed(dataDir, name string) (*claim, error) {
	if err := os.MkdirAll(dataDir, 0o755); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	path := filepath.Join(dataDir, name+".claim")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		who, _ := os.ReadFile(path) // for the message only
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("%s is %w (pid %s)", path, errClaimed, strings.TrimSpace(string(who)))
		}
		return nil, errors.Join(err, f.Close())
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), f.Close())
	}
	return &claim{f}, nil
}

func (c *claim) release() error { return c.f.Close() }

// maxFollowers is how many processes may follow from one data folder.
const maxFollowers = 64

// followerDir takes the first folder of snapshots that no other process has, so that
// workers of one machine may share a data folder. Each keeps snapshots of its own.
func followerDir(dataDir string) (dir string, c *claim, err error) {
	for n := 1; n <= maxFollowers; n++ {
		name := "follower"
		if n > 1 {
			name = fmt.Sprintf("follower-%d", n)
		}
		if c, err = claimed(dataDir, name); !errors.Is(err, errClaimed) {
			return filepath.Join(dataDir, name), c, err
		}
	}
	return "", nil, fmt.Errorf("%d processes follow indicators in data folder %s, another one needs a folder of its own: %w", maxFollowers, dataDir, err)
}
