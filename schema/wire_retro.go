package schema

// AppendWire appends m to dst in its wire form, message RetroMatch.
func (m *RetroMatch) AppendWire(dst []byte) []byte {
	c := writer(dst, "retro_match")
	m.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings alias b.
func (m *RetroMatch) DecodeWire(b []byte) error {
	*m = RetroMatch{}
	c := reader(b, "retro_match")
	m.wire(&c)
	return c.err
}

func (m *RetroMatch) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &m.Tenant)
		c.id(2, "alert", (*ID)(&m.Alert))
		c.str(3, "source", &m.Source)
		c.millis(4, "created", &m.Created)
		c.id(5, "incident", (*ID)(&m.Incident))
		c.ref(6, "on", &m.On)
		if c.open(7, "match", !m.Match.isZero()) {
			m.Match.wire(c)
		}
		c.millis(8, "made", &m.Made)
		c.u8(9, "kind", (*uint8)(&m.Kind))
		c.str(10, "by", &m.By)
	}
}
