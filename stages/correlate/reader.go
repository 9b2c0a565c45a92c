package correlate

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// maxText bounds a text of a snapshot, in bytes: an alert's document is at most
// a few MiB.
const maxText = 16 << 20

func (s *reader) check(ok bool, what string) {
	if !ok {
		panic(fault{fmt.Errorf("%w: %s", ErrSnapshot, what)})
	}
}

func (s *reader) fail(err error) {
	if err != nil {
		panic(fault{fmt.Errorf("%w: %w", ErrSnapshot, err)})
	}
}

func (s *reader) full(b []byte) {
	_, err := io.ReadFull(s.r, b)
	s.fail(err)
}

func (s *reader) num() uint64 {
	v, err := binary.ReadUvarint(s.r)
	s.fail(err)
	return v
}

func (s *reader) int() int64 {
	v, err := binary.ReadVarint(s.r)
	s.fail(err)
	return v
}

func (s *reader) time() int64 {
	v := s.int()
	s.check(v >= -maxTime && v <= maxTime, "time out of range")
	return v
}

func (s *reader) byte() byte {
	v, err := s.r.ReadByte()
	s.fail(err)
	return v
}

func (s *reader) flag() bool {
	v := s.byte()
	s.check(v < 2, "neither true nor false")
	return v == 1
}

// text reads in steps: a length that lies costs no more than what is there.
func (s *reader) text(most uint64) []byte {
	n := s.num()
	s.check(n <= most, "text too long")
	var b bytes.Buffer
	_, err := io.CopyN(&b, s.r, int64(n))
	s.fail(err)
	return b.Bytes()
}

// named reads the number of a record that has been named before; 0: none.
func (s *reader) named(list []int32) int32 {
	n := s.num()
	s.check(n < uint64(len(list)), "number out of range")
	return list[n]
}
