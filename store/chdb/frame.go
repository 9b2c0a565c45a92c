package chdb

import (
	"errors"
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

// frameReader reads ClickHouse's checksummed compressed frames. It turns the
// end of input between frames into io.EOF and anywhere else into
// io.ErrUnexpectedEOF; the library wraps both into other errors, and takes an
// end right after a frame's header for a clean one.
type frameReader struct {
	in   countingReader
	r    *compress.Reader
	mark int64 // input consumed by whole frames
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func newFrameReader(r io.Reader) *frameReader {
	f := &frameReader{in: countingReader{r: r}}
	f.r = compress.NewReader(&f.in)
	return f
}

func (f *frameReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	switch {
	case err == nil:
		f.mark = f.in.n
		return n, nil
	case errors.Is(err, io.EOF) && f.in.n == f.mark:
		return n, io.EOF
	case errors.Is(err, io.EOF):
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// maxFrame is the most plain bytes put into one frame.
const maxFrame = 1 << 20

// frameWriter writes compressed frames, one or more per call.
type frameWriter struct {
	w io.Writer
	c *compress.Writer
}

func newFrameWriter(w io.Writer, zstd bool) *frameWriter {
	method := compress.LZ4
	if zstd {
		method = compress.ZSTD
	}
	return &frameWriter{w: w, c: compress.NewWriter(compress.LevelZero, method)}
}

func (f *frameWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		n := min(len(p), maxFrame)
		if err := f.c.Compress(p[:n]); err != nil {
			return total - len(p), err
		}
		if _, err := f.w.Write(f.c.Data); err != nil {
			return total - len(p), err
		}
		p = p[n:]
	}
	return total, nil
}
