package schema

import "google.golang.org/protobuf/encoding/protowire"

// AppendWire appends a to dst in its wire form (message Alert of
// interdict.proto), which is the same for equal alerts. It
// only reads a, and allocates nothing when dst has room. Repeated fields
// must hold at most MaxElements.
func (a *Alert) AppendWire(dst []byte) []byte {
	c := writer(dst, "alert")
	a.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote, replacing all of a and reusing its
// slices. Strings, Raw and Unknown alias b. After an error a holds what was read
// until then.
func (a *Alert) DecodeWire(b []byte) error {
	a.Reset()
	c := reader(b, "alert")
	a.wire(&c)
	return c.err
}

func (a *Alert) wire(c *codec) {
	for c.pass(&a.Unknown) {
		c.id(1, "id", (*ID)(&a.ID))
		c.str(2, "tenant", &a.Tenant)
		c.str(3, "source", &a.Source)
		c.str(4, "format", &a.Format)
		c.str(5, "vendor_id", &a.VendorID)
		c.hash(6, "content", &a.Content)
		c.str(7, "vendor", &a.Vendor)
		c.str(8, "product", &a.Product)
		c.str(9, "title", &a.Title)
		c.u8(10, "severity", (*uint8)(&a.Severity))
		c.millis(11, "created", &a.Created)
		c.millis(12, "ingested", &a.Ingested)
		for i := 0; c.open(13, "entities", i < len(a.Entities)); i++ {
			element(c, &a.Entities, i).wire(c)
		}
		for i := 0; c.open(14, "techniques", i < len(a.Techniques)); i++ {
			element(c, &a.Techniques, i).wire(c)
		}
		for i := 0; c.open(15, "matches", i < len(a.Matches)); i++ {
			element(c, &a.Matches, i).wire(c)
		}
		c.str(16, "desc", &a.Desc)
		c.str(17, "rule_uid", &a.RuleUID)
		c.str(18, "rule", &a.Rule)
		c.str(19, "type", &a.Type)
		c.u8(20, "confidence", &a.Confidence)
		c.u8(21, "verdict", (*uint8)(&a.Verdict))
		c.u8(22, "status", (*uint8)(&a.Status))
		c.flag(23, "blocked", &a.Blocked)
		c.millis(24, "start", &a.Start)
		c.millis(25, "end", &a.End)
		c.millis(26, "updated", &a.Updated)
		c.blob(27, "raw", &a.Raw)
		if c.open(28, "raw_ref", a.RawRef != RawRef{}) {
			a.RawRef.wire(c)
		}
		c.hash(29, "snapshot", &a.Snapshot)
	}
}

func (r *RawRef) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "topic", &r.Topic)
		c.i32(2, "partition", &r.Partition)
		c.i64(3, "offset", &r.Offset)
		c.i32(4, "doc", &r.Doc)
	}
}

func (t *Technique) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "id", &t.ID)
		c.str(2, "tactic", &t.Tactic)
	}
}

func (e *Entity) wire(c *codec) {
	for c.pass(nil) {
		c.u8(1, "type", (*uint8)(&e.Type))
		c.u8(2, "role", (*uint8)(&e.Role))
		c.flag(3, "attested", &e.Attested)
		c.str(4, "key", &e.Key)
		c.str(5, "uid", &e.UID)
		c.str(6, "name", &e.Name)
		c.u16(7, "port", &e.Port)
	}
}

func (r *EntityRef) wire(c *codec) {
	for c.pass(nil) {
		c.u8(1, "type", (*uint8)(&r.Type))
		c.str(2, "key", &r.Key)
	}
}

// ref is a field that holds one EntityRef.
func (c *codec) ref(num protowire.Number, name string, r *EntityRef) {
	if c.open(num, name, !r.IsZero()) {
		r.wire(c)
	}
}

func (m *Match) wire(c *codec) {
	for c.pass(nil) {
		c.u16(1, "entity", &m.Entity)
		c.u8(2, "type", (*uint8)(&m.Type))
		c.str(3, "value", &m.Value)
		c.str(4, "indicator", &m.Indicator)
		c.str(5, "feed", &m.Feed)
		c.u8(6, "verdict", (*uint8)(&m.Verdict))
		c.u8(7, "severity", (*uint8)(&m.Severity))
		c.u8(8, "confidence", &m.Confidence)
		c.u8(9, "tlp", (*uint8)(&m.TLP))
		c.hash(10, "snapshot", &m.Snapshot)
		c.u8(11, "wish", (*uint8)(&m.Wish))
		c.str(12, "demoted", &m.Demoted)
		c.flag(13, "retro", &m.Retro)
		for i := 0; c.open(14, "threats", i < len(m.Threats)); i++ {
			element(c, &m.Threats, i).wire(c)
		}
	}
}

func (t *Threat) wire(c *codec) {
	for c.pass(nil) {
		c.u8(1, "kind", (*uint8)(&t.Kind))
		c.str(2, "id", &t.ID)
		c.str(3, "name", &t.Name)
	}
}
