package schema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/protobuf/encoding/protowire"
)

// MaxElements bounds every repeated field. Decoding more is an error, so that a
// record cannot claim memory out of proportion; writers keep to it.
const MaxElements = 4096

// codec writes or reads one message. A noun lists its fields once, in ascending
// order, in a method
//
//	func (x *X) wire(c *codec) {
//		for c.pass(nil) {
//			c.id(1, "id", (*ID)(&x.ID))
//			c.str(2, "tenant", &x.Tenant)
//		}
//	}
//
// and that list is the encoder and the decoder. When writing, pass is true once.
// When reading, each field method takes the field at hand if the number is its
// own, so fields in ascending order are read in one pass; pass is true again
// while fields in another order are left, and puts unknown ones aside.
//
// Nested messages:
//
//	for i := 0; c.open(3, "parts", i < len(x.Parts)); i++ {
//		element(c, &x.Parts, i).wire(c)
//	}
//
// A codec lives on the stack and nothing here allocates unless the output has to
// grow, a string is not UTF-8, or there is an error to tell.
type codec struct {
	b       []byte // writing: the output so far; reading: the input
	reading bool

	// Reading: the field at hand. num is zero at the end of a message and after
	// an error, so that no field method takes anything.
	num protowire.Number
	typ protowire.Type
	tag int // offset of the field's tag
	pos int // offset of the field's value
	end int // offset of the end of the message
	err error

	depth  int
	frames [4]frame // deepest: entry, alert, match, threat
}

// frame is a message that is open.
type frame struct {
	name  string
	began bool
	// Writing: where the body starts and how many bytes were left before it for
	// the length. Reading: where the body ends and the field the last pass began at.
	start, prefix int
	end, mark     int
}

func writer(dst []byte, name string) codec {
	c := codec{b: dst}
	c.frames[0] = frame{name: name, start: len(dst)}
	return c
}

func reader(b []byte, name string) codec {
	c := codec{b: b, reading: true, end: len(b)}
	c.frames[0] = frame{name: name, end: len(b), mark: -1}
	c.next()
	return c
}

// open starts the nested message num: writing, if there is one to write;
// reading, if the field at hand is one. The message's wire method ends it.
func (c *codec) open(num protowire.Number, name string, have bool) bool {
	if !c.reading {
		if have {
			c.reserve(num, name, 1)
		}
		return have
	}
	if c.num != num {
		return false
	}
	b, ok := c.takeBytes(name)
	if !ok {
		return false
	}
	c.depth++
	c.frames[c.depth] = frame{name: name, end: c.pos, mark: -1}
	c.end = c.pos
	c.pos -= len(b)
	c.next()
	return c.err == nil
}

// reserve starts a nested message with n bytes for its length.
func (c *codec) reserve(num protowire.Number, name string, n int) {
	c.putTag(num, protowire.BytesType)
	c.b = append(c.b, zeros[:n]...)
	c.depth++
	c.frames[c.depth] = frame{name: name, start: len(c.b), prefix: n}
}

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // the longest varint

// pass reports whether the fields are to be gone through (again), and ends the
// message when not. unknown, if given, takes fields that no one knows, byte for
// byte; they are written after the others.
func (c *codec) pass(unknown *[]byte) bool {
	f := &c.frames[c.depth]
	if !c.reading {
		if !f.began {
			f.began = true
			return true
		}
		if unknown != nil {
			c.b = append(c.b, *unknown...)
		}
		c.closeWritten(f)
		return false
	}
	for c.num != 0 {
		if f.mark != c.tag {
			f.mark = c.tag
			return true
		}
		c.putAside(unknown)
	}
	if c.err == nil && c.depth > 0 {
		c.depth--
		c.end = c.frames[c.depth].end
		c.next()
	}
	return false
}

// closeWritten fills in the length of a nested message, moving the body where
// the bytes left for it do not fit.
func (c *codec) closeWritten(f *frame) {
	if f.prefix == 0 {
		return
	}
	n := len(c.b) - f.start
	size := protowire.SizeVarint(uint64(n))
	if d := size - f.prefix; d != 0 {
		if d > 0 {
			c.b = append(c.b, zeros[:d]...)
		}
		copy(c.b[f.start+d:], c.b[f.start:f.start+n])
		c.b = c.b[:f.start+d+n]
	}
	binary.PutUvarint(c.b[f.start-f.prefix:], uint64(n))
	c.depth--
}

// next moves to the next field of the message.
func (c *codec) next() {
	c.tag, c.num = c.pos, 0
	b := c.b[c.pos:c.end]
	if len(b) == 0 {
		return
	}
	if b[0] >= 8 && b[0] < 0x80 { // field 1 to 15
		c.num, c.typ = protowire.Number(b[0]>>3), protowire.Type(b[0]&7)
		c.pos++
		return
	}
	if len(b) > 1 && b[0] >= 0x80 && b[1] > 0 && b[1] < 0x80 { // field 16 to 2047
		tag := uint32(b[0]&0x7f) | uint32(b[1])<<7
		c.num, c.typ = protowire.Number(tag>>3), protowire.Type(tag&7)
		c.pos += 2
		return
	}
	num, typ, n := protowire.ConsumeTag(b)
	if n < 0 {
		c.fail("tag", protowire.ParseError(n))
		return
	}
	c.num, c.typ = num, typ
	c.pos += n
}

// putAside skips the field at hand, keeping its bytes in *unknown if given.
// Adjacent fields, the usual case, alias the input; the capacity is cut so that
// appending never writes into it.
func (c *codec) putAside(unknown *[]byte) {
	n := protowire.ConsumeFieldValue(c.num, c.typ, c.b[c.pos:c.end])
	if n < 0 {
		c.fail("unknown field", protowire.ParseError(n))
		return
	}
	c.pos += n
	if unknown != nil {
		field := c.b[c.tag:c.pos:c.pos]
		if u := *unknown; len(u) == 0 {
			*unknown = field
		} else if first := c.tag - len(u); first >= 0 && unsafe.SliceData(u) == unsafe.SliceData(c.b[first:]) {
			*unknown = c.b[first:c.pos:c.pos]
		} else {
			*unknown = append(u, field...)
		}
	}
	c.next()
}

var (
	errWireType = errors.New("wrong wire type")
	errRange    = errors.New("number out of range")
	errIDSize   = errors.New("want 16 bytes")
	errTooMany  = fmt.Errorf("more than %d elements", MaxElements)
)

// fail records the first error, naming the field from the outermost message in.
func (c *codec) fail(name string, err error) {
	if c.err == nil {
		var path strings.Builder
		for _, f := range c.frames[:c.depth+1] {
			path.WriteString(f.name)
			path.WriteByte('.')
		}
		c.err = fmt.Errorf("schema: decode %s%s: %w", path.String(), name, err)
	}
	c.num = 0
}

// takeBytes reads the length-prefixed value of the field at hand. It does not
// move to the next field.
func (c *codec) takeBytes(name string) ([]byte, bool) {
	if c.typ != protowire.BytesType {
		c.fail(name, errWireType)
		return nil, false
	}
	b := c.b[c.pos:c.end]
	if len(b) > 0 && int(b[0]) < min(0x80, len(b)) {
		n := 1 + int(b[0])
		c.pos += n
		return b[1:n], true
	}
	b, n := protowire.ConsumeBytes(b)
	if n < 0 {
		c.fail(name, protowire.ParseError(n))
		return nil, false
	}
	c.pos += n
	return b, true
}

// element gives the i-th element to write, or a new one to read into.
func element[T any](c *codec, s *[]T, i int) *T {
	if !c.reading {
		return &(*s)[i]
	}
	if len(*s) >= MaxElements {
		c.fail("element", errTooMany)
		return new(T)
	}
	var zero T
	*s = append(*s, zero)
	return &(*s)[len(*s)-1]
}

// aliasString makes a string of bytes that must not change while it is in use.
func aliasString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// putText writes a string field, with U+FFFD for what is not UTF-8: other readers
// of the contract refuse a string that is not.
func (c *codec) putText(num protowire.Number, s string) {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	c.putTag(num, protowire.BytesType)
	c.putUvarint(uint64(len(s)))
	c.b = append(c.b, s...)
}

func (c *codec) putBytes(num protowire.Number, b []byte) {
	c.putTag(num, protowire.BytesType)
	c.putUvarint(uint64(len(b)))
	c.b = append(c.b, b...)
}

// putTag and putUvarint are protowire's, quicker for one byte, the usual case.

func (c *codec) putTag(num protowire.Number, typ protowire.Type) {
	if tag := uint64(num)<<3 | uint64(typ); tag < 0x80 {
		c.b = append(c.b, byte(tag))
	} else {
		c.b = protowire.AppendVarint(c.b, tag)
	}
}

func (c *codec) putUvarint(v uint64) {
	if v < 0x80 {
		c.b = append(c.b, byte(v))
	} else {
		c.b = protowire.AppendVarint(c.b, v)
	}
}
