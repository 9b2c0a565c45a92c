package parse

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// zipMember reads the only member of a zip as a stream: feeds come from pipes, and
// the directory at a zip's end is not needed to read what stands before it.
type zipMember struct {
	in    *bufio.Reader
	data  io.Reader
	sum   hash.Hash32
	want  uint32 // checksum, where the header has it
	later bool   // the checksum stands behind the data
}

// Errors of zips.
var (
	errZipMembers = errors.New("more than one file in it: which one is the feed?")
	errZipSecret  = errors.New("it is encrypted")
	errZipMethod  = errors.New("its compression is neither deflate nor none")
	errZipSum     = errors.New("checksum does not fit")
)

// Bits and methods of a member's header.
const (
	zipEncrypted = 1
	zipLater     = 8
	zipStored    = 0
	zipDeflated  = 8
	zipHeader    = 30
)

// newZip reads the header of the first member.
func newZip(in *bufio.Reader) (*zipMember, error) {
	var h [zipHeader]byte
	if _, err := io.ReadFull(in, h[:]); err != nil {
		return nil, err
	}
	flags, method := binary.LittleEndian.Uint16(h[6:]), binary.LittleEndian.Uint16(h[8:])
	name, extra := binary.LittleEndian.Uint16(h[26:]), binary.LittleEndian.Uint16(h[28:])
	if _, err := in.Discard(int(name) + int(extra)); err != nil {
		return nil, err
	}
	z := &zipMember{in: in, sum: crc32.NewIEEE(), want: binary.LittleEndian.Uint32(h[14:]), later: flags&zipLater != 0}
	size := binary.LittleEndian.Uint32(h[18:])
	switch {
	case flags&zipEncrypted != 0:
		return nil, errZipSecret
	case method == zipDeflated:
		z.data = flate.NewReader(in) // takes no byte behind the data: in is a ByteReader
	case method == zipStored && !z.later && size != 1<<32-1:
		z.data = io.LimitReader(in, int64(size))
	default:
		return nil, errZipMethod
	}
	return z, nil
}

// Read gives the member's bytes and, at their end, checks them and that nothing
// but the directory follows.
func (z *zipMember) Read(p []byte) (int, error) {
	n, err := z.data.Read(p)
	z.sum.Write(p[:n])
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if z.later {
		if err := z.trailer(); err != nil {
			return n, err
		}
	}
	if z.want != z.sum.Sum32() {
		return n, errZipSum
	}
	if next, _ := z.in.Peek(4); string(next) == "PK\x03\x04" {
		return n, errZipMembers
	}
	return n, io.EOF
}

// trailer reads the checksum and the two sizes behind the data, with or without a
// signature before them; sizes are of 4 or 8 bytes, which what follows tells.
func (z *zipMember) trailer() error {
	head, err := z.in.Peek(28)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	n := 0
	if len(head) >= 4 && string(head[:4]) == "PK\x07\x08" {
		n = 4
	}
	if len(head) < n+12 {
		return io.ErrUnexpectedEOF
	}
	z.later, z.want = false, binary.LittleEndian.Uint32(head[n:])
	size := 12
	if len(head) >= n+22 && string(head[n+20:n+22]) == "PK" && string(head[n+12:n+14]) != "PK" {
		size = 20
	}
	_, err = z.in.Discard(n + size)
	return err
}
