package library

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lock is held by the one writer of a feed or of the journal. The system lets go of
// it when the process ends, however it ends.
type lock struct{ f *os.File }

// lockFile waits for a lock. what is told to others that wait for it.
func lockFile(ctx context.Context, path, what string) (*lock, error) {
	// Nobody else on this machine needs to read what may be a tenant's secret.
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && stillAt(f, path) {
			break
		}
		if err == nil { // somebody has removed the folder meanwhile: others lock another file
			if err := f.Close(); err != nil {
				return nil, err
			}
			return lockFile(ctx, path, what)
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
		}
		select {
		case <-ctx.Done():
			who, _ := os.ReadFile(path) // for the message only
			text := strings.TrimSpace(string(who))
			if text == "" {
				text = "another writer"
			}
			return nil, errors.Join(fmt.Errorf("%s holds the lock: %w", text, context.Cause(ctx)), f.Close())
		case <-tick.C:
		}
	}
	text := fmt.Sprintf("process %d (%s, since %s)\n", os.Getpid(), what, time.Now().UTC().Format(time.RFC3339))
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return &lock{f}, nil
}

// stillAt reports whether a file is the one of that path.
func stillAt(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Stat(path)
	return err == nil && os.SameFile(a, b)
}

// release lets go of the lock.
func (l *lock) release() error { return l.f.Close() }
