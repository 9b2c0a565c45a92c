package schema

import "google.golang.org/protobuf/encoding/protowire"

// AppendWire appends w to dst in its wire form, message Watermark.
func (w *Watermark) AppendWire(dst []byte) []byte {
	c := writer(dst, "watermark")
	w.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (w *Watermark) DecodeWire(b []byte) error {
	*w = Watermark{}
	c := reader(b, "watermark")
	w.wire(&c)
	return c.err
}

func (w *Watermark) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &w.Tenant)
		c.str(2, "source", &w.Source)
		c.str(3, "topic", &w.Topic)
		c.i32(4, "partition", &w.Partition)
		c.i32(5, "partitions", &w.Partitions)
		c.i64(6, "offset", &w.Offset)
		c.millis(7, "max_created", &w.MaxCreated)
		c.flag(8, "idle", &w.Idle)
		c.millis(9, "now", &w.Now)
		if c.open(10, "stats", w.Stats != SourceStats{}) {
			w.Stats.wire(c)
		}
	}
}

func (s *SourceStats) wire(c *codec) {
	for c.pass(nil) {
		c.u64(1, "records", &s.Records)
		c.u64(2, "accepted", &s.Accepted)
		c.u64(3, "rejected", &s.Rejected)
		c.u64(4, "ignored", &s.Ignored)
		c.u64(5, "bytes", &s.Bytes)
	}
}

// AppendWire appends k to dst in its wire form, message Control.
func (k *Control) AppendWire(dst []byte) []byte {
	c := writer(dst, "control")
	k.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (k *Control) DecodeWire(b []byte) error {
	*k = Control{}
	c := reader(b, "control")
	k.wire(&c)
	return c.err
}

func (k *Control) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &k.Tenant)
		c.u8(2, "kind", (*uint8)(&k.Kind))
		c.str(3, "object", &k.Object)
		c.str(4, "value", &k.Value)
		c.str(5, "actor", &k.Actor)
		c.millis(6, "time", &k.Time)
	}
}

// EntryKind says what a record of the alerts log holds.
type EntryKind uint8

// Entry kinds: the field numbers of message LogEntry.
const (
	EntryUnknown   EntryKind = 0 // written by a newer version: to be counted and skipped
	EntryAlert     EntryKind = 1
	EntryWatermark EntryKind = 2
	EntryControl   EntryKind = 3
	EntryRetro     EntryKind = 4
)

// String gives the lower-case name.
func (k EntryKind) String() string {
	switch k {
	case EntryAlert:
		return "alert"
	case EntryWatermark:
		return "watermark"
	case EntryControl:
		return "control"
	case EntryRetro:
		return "retro"
	}
	return "unknown"
}

// AppendAlertEntry appends a LogEntry that holds a. Like AppendWire it allocates
// nothing when dst has room.
func AppendAlertEntry(dst []byte, a *Alert) []byte {
	c := entryWriter(dst, EntryAlert)
	a.wire(&c)
	return c.b
}

// AppendWatermarkEntry appends a LogEntry that holds w.
func AppendWatermarkEntry(dst []byte, w *Watermark) []byte {
	c := entryWriter(dst, EntryWatermark)
	w.wire(&c)
	return c.b
}

// AppendControlEntry appends a LogEntry that holds k.
func AppendControlEntry(dst []byte, k *Control) []byte {
	c := entryWriter(dst, EntryControl)
	k.wire(&c)
	return c.b
}

// AppendRetroEntry appends a LogEntry that holds m.
func AppendRetroEntry(dst []byte, m *RetroMatch) []byte {
	c := entryWriter(dst, EntryRetro)
	m.wire(&c)
	return c.b
}

func entryWriter(dst []byte, kind EntryKind) codec {
	c := writer(dst, "entry")
	c.reserve(protowire.Number(kind), kind.String(), 2) // most bodies take 128 to 16383 bytes
	return c
}

// DecodeEntry splits a LogEntry into its kind and the message it holds, which
// aliases b and is for that kind's DecodeWire. The last of several wins, as in
// any oneof.
func DecodeEntry(b []byte) (kind EntryKind, body []byte, err error) {
	c := reader(b, "entry")
	for c.pass(nil) {
		for _, k := range [...]EntryKind{EntryAlert, EntryWatermark, EntryControl, EntryRetro} {
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
		return EntryUnknown, nil, c.err
	}
	return kind, body, nil
}
