package parse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
)

// maxWaiting bounds, in bytes as they are packed, the objects that wait for a marking.
// Objects of one feed are much alike: they pack to a tenth.
const maxWaiting = 32 << 20

// waiting keeps objects in their order until the end of a part, packed.
type waiting struct {
	packed bytes.Buffer
	w      *flate.Writer
	n      int
}

// add keeps an object, unless what waits is as much as may be.
func (q *waiting) add(n int, raw []byte) (ok bool, err error) {
	if q.packed.Len() >= maxWaiting {
		return false, nil
	}
	if q.w == nil {
		if q.w, err = flate.NewWriter(&q.packed, flate.BestSpeed); err != nil {
			return false, err
		}
	}
	head := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(n)), uint64(len(raw)))
	if _, err := q.w.Write(append(head, raw...)); err != nil {
		return false, err
	}
	q.n++
	return true, nil
}

// each gives back what waits, and empties it.
func (q *waiting) each(f func(n int, raw []byte) error) error {
	if q.n == 0 {
		return nil
	}
	if err := q.w.Close(); err != nil {
		return err
	}
	in := bufio.NewReader(flate.NewReader(&q.packed))
	count := q.n
	var raw []byte
	for range count {
		n, err1 := binary.ReadUvarint(in)
		size, err2 := binary.ReadUvarint(in)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("unpacking objects that wait for a marking: %w", err)
		}
		if uint64(cap(raw)) < size {
			raw = make([]byte, size)
		}
		raw = raw[:size]
		if _, err := io.ReadFull(in, raw); err != nil {
			return fmt.Errorf("unpacking objects that wait for a marking: %w", err)
		}
		if err := f(int(n), raw); err != nil {
			return err
		}
	}
	*q = waiting{}
	return nil
}
