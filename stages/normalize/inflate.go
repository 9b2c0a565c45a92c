package normalize

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// inflater decompresses records into buffers that it keeps between batches.
type inflater struct {
	gzip *gzip.Reader
	zstd *zstd.Decoder
	src  bytes.Reader
	bufs [][]byte
	used int
}

// maxKept is the capacity of decompression buffers kept between batches, each
// and how many.
const (
	maxKept    = 1 << 20
	maxBuffers = 64
)

func (f *inflater) reset() {
	if len(f.bufs) > maxBuffers {
		f.bufs = f.bufs[:maxBuffers]
	}
	for i := range f.bufs {
		if cap(f.bufs[i]) > maxKept {
			f.bufs[i] = nil
		}
	}
	f.used = 0
}

// freeRatio is how much output is free of the ratio limit, in bytes: small
// repetitive records compress very well.
const freeRatio = 1 << 20

var errBomb = errors.New("decompresses to too much")

// The first bytes of what is compressed.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
)

func compressed(b []byte) bool {
	return bytes.HasPrefix(b, []byte(gzipMagic)) || bytes.HasPrefix(b, []byte(zstdMagic))
}

// inflated replaces data by its decompressed form if it begins with the magic
// of gzip or zstd. Compression within compression is not undone.
func (r *record) inflated(data *[]byte) extract.Fault {
	in := *data
	var src io.Reader
	f := &r.n.inflate
	var err error
	switch {
	case bytes.HasPrefix(in, []byte(gzipMagic)):
		f.src.Reset(in)
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		err = f.gzip.Reset(&f.src)
		src = f.gzip
	case bytes.HasPrefix(in, []byte(zstdMagic)):
		f.src.Reset(in)
		if f.zstd == nil {
			// One thread and no goroutine; the window bounds the decoder's own memory.
			f.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20),
				zstd.WithDecoderMaxMemory(uint64(r.n.cfg.MaxInflated)+1))
		}
		if err == nil {
			err = f.zstd.Reset(&f.src)
		}
		src = f.zstd
	default:
		return extract.Fault{}
	}
	if err == nil {
		*data, err = f.read(src, r.mayGrowTo(len(in)))
	}
	if err != nil {
		return extract.Fault{Reason: schema.ReasonDecompression, What: fmt.Sprint(err)}
	}
	return extract.Fault{}
}

// mayGrowTo gives how many bytes may be made of n.
func (r *record) mayGrowTo(n int) int {
	return min(r.n.cfg.MaxInflated, max(freeRatio, n*r.n.cfg.MaxRatio))
}

func (f *inflater) read(src io.Reader, limit int) ([]byte, error) {
	if f.used == len(f.bufs) {
		f.bufs = append(f.bufs, nil)
	}
	w := bytes.NewBuffer(f.bufs[f.used][:0])
	n, err := w.ReadFrom(io.LimitReader(src, int64(limit)+1))
	f.bufs[f.used] = w.Bytes()
	f.used++
	if err == nil && n > int64(limit) {
		err = errBomb
	}
	return w.Bytes(), err
}
