package pipeline

import (
	"encoding/binary"
	"fmt"
	"io"
)

// A section is a run of blocks, each a 4-byte length and that many bytes, ended
// by a block of length zero. It lets a stage write state of unknown size into a
// stream that others share.
const maxBlock = 64 << 10

// writeSection gives write a writer whose bytes become one section of w.
func writeSection(w io.Writer, write func(io.Writer) error) error {
	b := &blockWriter{w: w}
	if err := write(b); err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	var end [4]byte
	_, err := w.Write(end[:])
	return err
}

type blockWriter struct {
	w   io.Writer
	buf []byte // starts with room for the length
}

func (b *blockWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if b.buf == nil {
			b.buf = make([]byte, 4, 4+maxBlock)
		}
		k := min(len(p), 4+maxBlock-len(b.buf))
		b.buf = append(b.buf, p[:k]...)
		p = p[k:]
		if len(b.buf) == 4+maxBlock {
			if err := b.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (b *blockWriter) flush() error {
	if len(b.buf) <= 4 {
		return nil
	}
	binary.LittleEndian.PutUint32(b.buf, uint32(len(b.buf)-4))
	_, err := b.w.Write(b.buf)
	b.buf = b.buf[:4]
	return err
}

// section reads one section of r and then reports io.EOF. A stream that ends
// where a section should begin reports io.EOF at once.
type section struct {
	r    io.Reader
	left int
	done bool
	any  bool
}

func (s *section) Read(p []byte) (int, error) {
	for s.left == 0 {
		if s.done {
			return 0, io.EOF
		}
		var head [4]byte
		if _, err := io.ReadFull(s.r, head[:]); err != nil {
			if err == io.EOF && !s.any {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("snapshot section cut short: %w", err)
		}
		s.any = true
		n := binary.LittleEndian.Uint32(head[:])
		if n > maxBlock {
			return 0, fmt.Errorf("snapshot block of %d bytes is damaged", n)
		}
		s.left, s.done = int(n), n == 0
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	if err == io.EOF {
		if s.left > 0 {
			return n, io.ErrUnexpectedEOF
		}
		err = nil
	}
	return n, err
}
