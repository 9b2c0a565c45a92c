package schema

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
)

// AppendWire appends d to dst in its wire form, message IndicatorDelta.
func (d *IndicatorDelta) AppendWire(dst []byte) []byte {
	c := writer(dst, "indicator_delta")
	d.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings alias b.
func (d *IndicatorDelta) DecodeWire(b []byte) error {
	*d = IndicatorDelta{}
	c := reader(b, "indicator_delta")
	d.wire(&c)
	return c.err
}

func (d *IndicatorDelta) wire(c *codec) {
	for c.pass(nil) {
		c.u64(1, "seq", &d.Seq)
		c.hash(2, "before", &d.Before)
		c.hash(3, "after", &d.After)
		c.u32(4, "part", &d.Part)
		c.u32(5, "parts", &d.Parts)
		c.str(6, "feed", &d.Feed)
		c.millis(7, "made", &d.Made)
		for i := 0; c.open(8, "changes", i < len(d.Changes)); i++ {
			element(c, &d.Changes, i).wire(c)
		}
	}
}

func (x *IndicatorChange) wire(c *codec) {
	for c.pass(nil) {
		c.u8(1, "op", (*uint8)(&x.Op))
		if c.open(2, "indicator", true) {
			x.Indicator.wire(c)
		}
	}
}

// AppendWire appends s to dst in its wire form, message IndicatorSnapshot.
func (s *IndicatorSnapshot) AppendWire(dst []byte) []byte {
	c := writer(dst, "indicator_snapshot")
	s.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings alias b.
func (s *IndicatorSnapshot) DecodeWire(b []byte) error {
	*s = IndicatorSnapshot{}
	c := reader(b, "indicator_snapshot")
	s.wire(&c)
	return c.err
}

func (s *IndicatorSnapshot) wire(c *codec) {
	for c.pass(nil) {
		c.u64(1, "seq", &s.Seq)
		c.hash(2, "content", &s.Content)
		c.sha256(3, "hash", &s.Hash)
		c.i64(4, "size", &s.Size)
		c.i64(5, "indicators", &s.Indicators)
		c.millis(6, "made", &s.Made)
		c.strs(7, "locations", &s.Locations)
	}
}

var errHashSize = errors.New("want 32 bytes")

// sha256 is a bytes field of exactly 32 bytes.
func (c *codec) sha256(num protowire.Number, name string, p *[32]byte) {
	if !c.reading {
		if *p != ([32]byte{}) {
			c.putBytes(num, p[:])
		}
		return
	}
	if c.num != num {
		return
	}
	b, ok := c.takeBytes(name)
	if !ok {
		return
	}
	if len(b) != len(p) {
		c.fail(name, errHashSize)
		return
	}
	*p = [32]byte(b)
	c.next()
}

// IndicatorEntryKind says what a record of the indicators log holds.
type IndicatorEntryKind uint8

// Entry kinds: the field numbers of message IndicatorEntry.
const (
	IndicatorEntryUnknown  IndicatorEntryKind = 0 // written by a newer version: to be counted and skipped
	IndicatorEntryDelta    IndicatorEntryKind = 1
	IndicatorEntrySnapshot IndicatorEntryKind = 2
)

// String gives the lower-case name.
func (k IndicatorEntryKind) String() string {
	switch k {
	case IndicatorEntryDelta:
		return "delta"
	case IndicatorEntrySnapshot:
		return "snapshot"
	}
	return "unknown"
}

// AppendDeltaEntry appends an IndicatorEntry that holds d.
func AppendDeltaEntry(dst []byte, d *IndicatorDelta) []byte {
	return appendIndicatorEntry(dst, IndicatorEntryDelta, d.AppendWire(nil))
}

// AppendSnapshotEntry appends an IndicatorEntry that holds s.
func AppendSnapshotEntry(dst []byte, s *IndicatorSnapshot) []byte {
	return appendIndicatorEntry(dst, IndicatorEntrySnapshot, s.AppendWire(nil))
}

// appendIndicatorEntry puts a body that is written already into an entry: a delta
// nests as deep as a codec goes.
func appendIndicatorEntry(dst []byte, kind IndicatorEntryKind, body []byte) []byte {
	dst = protowire.AppendTag(dst, protowire.Number(kind), protowire.BytesType)
	return protowire.AppendBytes(dst, body)
}

// DecodeIndicatorEntry splits an IndicatorEntry into its kind and the message it
// holds, which aliases b and is for that kind's DecodeWire. The last of several wins,
// as in any oneof.
func DecodeIndicatorEntry(b []byte) (kind IndicatorEntryKind, body []byte, err error) {
	c := reader(b, "indicator_entry")
	for c.pass(nil) {
		for _, k := range [...]IndicatorEntryKind{IndicatorEntryDelta, IndicatorEntrySnapshot} {
			if c.num != protowire.Number(k) {
				continue
			}
			if v, ok := c.takeBytes(k.String()); ok {
				kind, body = k, v
				c.next()
			}
		}
	}
	if c.err != nil {
		return IndicatorEntryUnknown, nil, c.err
	}
	return kind, body, nil
}
