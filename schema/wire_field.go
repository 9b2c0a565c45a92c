package schema

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The field methods of codec: one per wire form. Each has a short head, cheap
// enough to be inlined, that turns away the fields at hand that are not its own.
// As proto3 wants, zero values are not written.

func (c *codec) str(num protowire.Number, name string, p *string) {
	if !c.reading || c.num == num {
		c.doStr(num, name, p)
	}
}

func (c *codec) doStr(num protowire.Number, name string, p *string) {
	if c.reading {
		if b, ok := c.takeBytes(name); ok {
			*p = aliasString(b)
			c.next()
		}
	} else if *p != "" {
		c.putText(num, *p)
	}
}

// blob is a bytes field; the value read aliases the input.
func (c *codec) blob(num protowire.Number, name string, p *[]byte) {
	if c.reading {
		if c.num != num {
			return
		}
		if b, ok := c.takeBytes(name); ok {
			*p = b[:len(b):len(b)]
			c.next()
		}
	} else if len(*p) > 0 {
		c.putBytes(num, *p)
	}
}

// id is a bytes field of exactly 16 bytes.
func (c *codec) id(num protowire.Number, name string, p *ID) {
	if !c.reading || c.num == num {
		c.doID(num, name, p)
	}
}

func (c *codec) doID(num protowire.Number, name string, p *ID) {
	if c.reading {
		b, ok := c.takeBytes(name)
		if !ok {
			return
		}
		if len(b) != len(p) {
			c.fail(name, errIDSize)
			return
		}
		*p = ID(b)
		c.next()
	} else if *p != (ID{}) {
		c.putBytes(num, p[:])
	}
}

func (c *codec) putVarint(num protowire.Number, v uint64) {
	if v != 0 {
		c.putTag(num, protowire.VarintType)
		c.putUvarint(v)
	}
}

// takeVarint reads the field at hand, whose value may be at most limit.
func (c *codec) takeVarint(name string, limit uint64) (v uint64, ok bool) {
	if c.typ != protowire.VarintType {
		c.fail(name, errWireType)
		return 0, false
	}
	b := c.b[c.pos:c.end]
	if len(b) > 0 && b[0] < 0x80 && uint64(b[0]) <= limit {
		c.pos++
		c.next()
		return uint64(b[0]), true
	}
	v, n := protowire.ConsumeVarint(b)
	switch {
	case n < 0:
		c.fail(name, protowire.ParseError(n))
		return 0, false
	case v > limit:
		c.fail(name, errRange)
		return 0, false
	}
	c.pos += n
	c.next()
	return v, true
}

func (c *codec) u8(num protowire.Number, name string, p *uint8) {
	if !c.reading {
		c.putVarint(num, uint64(*p))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint8); ok {
			*p = uint8(v)
		}
	}
}

func (c *codec) u16(num protowire.Number, name string, p *uint16) {
	if !c.reading {
		c.putVarint(num, uint64(*p))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint16); ok {
			*p = uint16(v)
		}
	}
}

func (c *codec) u32(num protowire.Number, name string, p *uint32) {
	if !c.reading {
		c.putVarint(num, uint64(*p))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint32); ok {
			*p = uint32(v)
		}
	}
}

func (c *codec) u64(num protowire.Number, name string, p *uint64) {
	if !c.reading {
		c.putVarint(num, *p)
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint64); ok {
			*p = v
		}
	}
}

func (c *codec) i64(num protowire.Number, name string, p *int64) {
	if !c.reading {
		c.putVarint(num, uint64(*p))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint64); ok {
			*p = int64(v)
		}
	}
}

func (c *codec) millis(num protowire.Number, name string, p *Millis) {
	c.i64(num, name, (*int64)(p))
}

// i32 takes ten bytes for a negative number, as proto3's int32 does.
func (c *codec) i32(num protowire.Number, name string, p *int32) {
	if !c.reading {
		c.putVarint(num, uint64(int64(*p)))
	} else if c.num == num {
		v := int64(*p)
		c.i64(num, name, &v)
		if v != int64(int32(v)) {
			c.fail(name, errRange)
			return
		}
		*p = int32(v)
	}
}

// s8 is a zigzag field (sint32): small negative numbers stay short.
func (c *codec) s8(num protowire.Number, name string, p *int8) {
	if !c.reading {
		c.putVarint(num, protowire.EncodeZigZag(int64(*p)))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint8); ok {
			*p = int8(protowire.DecodeZigZag(v))
		}
	}
}

func (c *codec) flag(num protowire.Number, name string, p *bool) {
	if !c.reading {
		c.putVarint(num, protowire.EncodeBool(*p))
	} else if c.num == num {
		if v, ok := c.takeVarint(name, math.MaxUint64); ok {
			*p = protowire.DecodeBool(v)
		}
	}
}

// hash is a fixed64 field, for numbers that fill all their bits.
func (c *codec) hash(num protowire.Number, name string, p *uint64) {
	if !c.reading {
		if *p != 0 {
			c.putTag(num, protowire.Fixed64Type)
			c.b = protowire.AppendFixed64(c.b, *p)
		}
		return
	}
	if c.num != num {
		return
	}
	if c.typ != protowire.Fixed64Type {
		c.fail(name, errWireType)
		return
	}
	v, n := protowire.ConsumeFixed64(c.b[c.pos:c.end])
	if n < 0 {
		c.fail(name, protowire.ParseError(n))
		return
	}
	*p = v
	c.pos += n
	c.next()
}

// strs is a repeated string.
func (c *codec) strs(num protowire.Number, name string, p *[]string) {
	if !c.reading {
		for _, s := range *p {
			c.putText(num, s)
		}
		return
	}
	for c.num == num && !c.full(name, len(*p)) {
		b, ok := c.takeBytes(name)
		if !ok {
			return
		}
		*p = append(*p, aliasString(b))
		c.next()
	}
}

// alertIDs is a repeated id.
func (c *codec) alertIDs(num protowire.Number, name string, p *[]AlertID) {
	if !c.reading {
		for i := range *p {
			c.putBytes(num, (*p)[i][:])
		}
		return
	}
	for c.num == num && !c.full(name, len(*p)) {
		var v ID
		c.doID(num, name, &v)
		if c.err != nil {
			return
		}
		*p = append(*p, AlertID(v))
	}
}

// full fails when a repeated field has all the elements it may have.
func (c *codec) full(name string, n int) bool {
	if n < MaxElements {
		return false
	}
	c.fail(name, errTooMany)
	return true
}
