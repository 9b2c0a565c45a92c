package schema

// AppendWire appends a to dst in its wire form, message Asset.
func (a *Asset) AppendWire(dst []byte) []byte {
	c := writer(dst, "asset")
	a.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (a *Asset) DecodeWire(b []byte) error {
	*a = Asset{}
	c := reader(b, "asset")
	a.wire(&c)
	return c.err
}

func (a *Asset) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &a.Tenant)
		c.ref(2, "entity", &a.Entity)
		c.str(3, "class", &a.Class)
		c.u8(4, "criticality", &a.Criticality)
		c.str(5, "group", &a.Group)
		c.str(6, "scope", &a.Scope)
		c.str(7, "owner", &a.Owner)
		c.millis(8, "fresh", &a.Fresh)
		c.u64(9, "version", &a.Version)
	}
}

// AppendWire appends i to dst in its wire form, message Indicator.
func (i *Indicator) AppendWire(dst []byte) []byte {
	c := writer(dst, "indicator")
	i.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (i *Indicator) DecodeWire(b []byte) error {
	*i = Indicator{}
	c := reader(b, "indicator")
	i.wire(&c)
	return c.err
}

func (i *Indicator) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "id", &i.ID)
		c.str(2, "feed", &i.Feed)
		c.u8(3, "type", (*uint8)(&i.Type))
		c.str(4, "value", &i.Value)
		c.u8(5, "verdict", (*uint8)(&i.Verdict))
		c.u8(6, "severity", (*uint8)(&i.Severity))
		c.u8(7, "confidence", &i.Confidence)
		c.u8(8, "tlp", (*uint8)(&i.TLP))
		c.millis(9, "valid_from", &i.ValidFrom)
		c.millis(10, "valid_until", &i.ValidUntil)
		c.strs(11, "labels", &i.Labels)
		c.str(12, "tenant", &i.Tenant)
		c.flag(13, "exact", &i.Exact)
		c.flag(14, "listed", &i.Listed)
		c.u8(15, "wish", (*uint8)(&i.Wish))
		c.u8(16, "rank", &i.Rank)
		c.millis(17, "fresh", &i.Fresh)
		for n := 0; c.open(18, "threats", n < len(i.Threats)); n++ {
			element(c, &i.Threats, n).wire(c)
		}
	}
}

// AppendWire appends s to dst in its wire form, message Source.
func (s *Source) AppendWire(dst []byte) []byte {
	c := writer(dst, "source")
	s.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (s *Source) DecodeWire(b []byte) error {
	*s = Source{}
	c := reader(b, "source")
	s.wire(&c)
	return c.err
}

func (s *Source) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "id", &s.ID)
		c.str(2, "tenant", &s.Tenant)
		c.str(3, "topic", &s.Topic)
		c.strs(4, "formats", &s.Formats)
		c.strs(5, "attests", &s.Attests)
		c.millis(6, "silence", &s.Silence)
		c.str(7, "zone", &s.Zone)
	}
}
