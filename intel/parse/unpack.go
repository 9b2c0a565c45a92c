package parse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// buffer is the size of the buffer that a feed is read through. Lines and the
	// first look at a feed must fit into it.
	buffer = 64 << 10
	// maxPacked is how often a feed may be packed: a .gz in a .zip.
	maxPacked = 2
	// maxWindow bounds the memory that unpacking zstd takes.
	maxWindow = 32 << 20
)

// unpacked gives a reader of the feed's text, whatever it is packed with, which
// fails behind limit bytes. The closer frees what unpacking holds.
func unpacked(ctx context.Context, in io.Reader, limit int64) (*bufio.Reader, func(), error) {
	br := bufio.NewReaderSize(&bounded{ctx: ctx, r: in, left: limit, limit: limit}, buffer)
	closers := []func(){}
	closeAll := func() {
		for _, f := range closers {
			f()
		}
	}
	for range maxPacked + 1 {
		head, err := br.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			closeAll()
			return nil, nil, err
		}
		var r io.Reader
		switch {
		case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
			z, err := gzip.NewReader(br)
			if err != nil {
				closeAll()
				return nil, nil, fmt.Errorf("as gzip: %w", err)
			}
			r = z
		case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
			z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				closeAll()
				return nil, nil, fmt.Errorf("as zstd: %w", err)
			}
			closers = append(closers, z.Close)
			r = z
		case bytes.HasPrefix(head, []byte("PK\x03\x04")):
			z, err := newZip(br)
			if err != nil {
				closeAll()
				return nil, nil, fmt.Errorf("as zip: %w", err)
			}
			r = z
		default:
			return br, closeAll, nil
		}
		br = bufio.NewReaderSize(&bounded{ctx: ctx, r: r, left: limit, limit: limit}, buffer)
	}
	closeAll()
	return nil, nil, fmt.Errorf("packed more than %d times", maxPacked)
}

// bounded fails, rather than ends, where a stream is longer than it may be, and
// where the work was given up.
type bounded struct {
	ctx         context.Context
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	// One byte more than allowed is asked for: a stream that ends right at the
	// limit is none too long.
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("longer than the %d bytes that max_bytes allows", b.limit)
	}
	return n, err
}
