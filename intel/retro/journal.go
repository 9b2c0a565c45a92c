package retro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zeebo/xxh3"
)

// The journal holds observations that no filter has yet. A block is its number of
// observations, the observations (hour, key), and the XXH3 of both. A process that
// ends in the middle leaves a block that is cut: that one was never acknowledged.
const (
	journalName = "journal"
	foldingName = "journal.folding" // being folded
	blockHead   = 4
	noteSize    = 12
	maxNotes    = 1 << 20 // of one block
)

// note is one observation.
type note struct {
	hour int32
	key  uint64
}

func appendBlock(b []byte, notes []note) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(notes)))
	for _, n := range notes {
		b = binary.LittleEndian.AppendUint32(b, uint32(n.hour))
		b = binary.LittleEndian.AppendUint64(b, n.key)
	}
	return binary.LittleEndian.AppendUint64(b, xxh3.Hash(b[start:]))
}

// readBlocks gives the notes of every whole block, and the size of those blocks.
func readBlocks(b []byte, take func(note)) (whole int64) {
	for {
		rest := b[whole:]
		if len(rest) < blockHead {
			return whole
		}
		n := int(binary.LittleEndian.Uint32(rest))
		size := blockHead + n*noteSize
		if n > maxNotes || len(rest) < size+8 || xxh3.Hash(rest[:size]) != binary.LittleEndian.Uint64(rest[size:]) {
			return whole
		}
		for i := range n {
			at := rest[blockHead+i*noteSize:]
			take(note{int32(binary.LittleEndian.Uint32(at)), binary.LittleEndian.Uint64(at[4:])})
		}
		whole += int64(size + 8)
	}
}

// openJournal reads a journal, cuts off what is not whole, and opens it to append.
func openJournal(path string, take func(note)) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err == nil {
		whole := readBlocks(b, take)
		if err = f.Truncate(whole); err == nil {
			_, err = f.Seek(whole, 0)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// replaceFile puts content in place of a file as a whole: whoever reads it finds
// the old or the new, after a loss of power too.
func replaceFile(path string, content []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
