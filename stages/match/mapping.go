package match

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// mapping is a snapshot file in memory, read-only. It ends when the last index that
// shows something of it is gone; nothing that leaves this package points into it.
type mapping struct{ data []byte }

func mapFile(f *os.File, size int64) (*mapping, error) {
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	// Records are met at random: reading ahead would fill memory with others.
	if err := syscall.Madvise(data, syscall.MADV_RANDOM); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	m := &mapping{data}
	runtime.AddCleanup(m, func(data []byte) {
		_ = syscall.Munmap(data) // it is ours, and nothing could be done
	}, data)
	return m, nil
}
