package schema

// AppendWire appends h to dst in its wire form, message Incident.
func (h *Incident) AppendWire(dst []byte) []byte {
	c := writer(dst, "incident")
	h.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (h *Incident) DecodeWire(b []byte) error {
	*h = Incident{}
	c := reader(b, "incident")
	h.wire(&c)
	return c.err
}

func (h *Incident) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", (*ID)(&h.ID))
		c.str(2, "tenant", &h.Tenant)
		c.str(3, "title", &h.Title)
		c.u8(4, "disposition", (*uint8)(&h.Disposition))
		c.u8(5, "severity", (*uint8)(&h.Severity))
		c.u8(6, "priority", &h.Priority)
		for i := 0; c.open(7, "factors", i < len(h.Factors)); i++ {
			element(c, &h.Factors, i).wire(c)
		}
		c.u8(8, "status", (*uint8)(&h.Status))
		c.str(9, "assignee", &h.Assignee)
		c.str(10, "group", &h.Group)
		c.str(11, "classification", &h.Classification)
		c.strs(12, "tags", &h.Tags)
		c.strs(13, "scopes", &h.Scopes)
		c.strs(14, "tickets", &h.Tickets)
		c.id(15, "redirect_to", (*ID)(&h.RedirectTo))
		c.id(16, "campaign", (*ID)(&h.Campaign))
		c.id(17, "founder", (*ID)(&h.Founder))
		c.s8(18, "level", &h.Level)
		c.i32(19, "slice", &h.Slice)
		c.flag(20, "final", &h.Final)
		c.flag(21, "touched", &h.Touched)
		c.flag(22, "suggested", &h.Suggested)
		c.millis(23, "first", &h.First)
		c.millis(24, "last", &h.Last)
		c.u32(25, "alerts", &h.Alerts)
		c.u32(26, "routine", &h.Routine)
		c.strs(27, "sources", &h.Sources)
		for i := 0; c.open(28, "techniques", i < len(h.Techniques)); i++ {
			element(c, &h.Techniques, i).wire(c)
		}
		for i := 0; c.open(29, "entities", i < len(h.Entities)); i++ {
			element(c, &h.Entities, i).wire(c)
		}
		c.u64(30, "version", &h.Version)
	}
}

func (f *Factor) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "name", &f.Name)
		c.i32(2, "points", &f.Points)
	}
}

// AppendWire appends m to dst in its wire form, message Member.
func (m *Member) AppendWire(dst []byte) []byte {
	c := writer(dst, "member")
	m.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (m *Member) DecodeWire(b []byte) error {
	*m = Member{}
	c := reader(b, "member")
	m.wire(&c)
	return c.err
}

func (m *Member) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &m.Tenant)
		c.id(2, "alert", (*ID)(&m.Alert))
		c.id(3, "incident", (*ID)(&m.Incident))
		c.s8(4, "level", &m.Level)
		c.u16(5, "weight", &m.Weight)
		c.u8(6, "reason", (*uint8)(&m.Reason))
		c.str(7, "key", &m.Key)
		c.id(8, "peer", (*ID)(&m.Peer))
		c.millis(9, "distance", &m.Distance)
		c.flag(10, "late", &m.Late)
		c.str(11, "vendor_id", &m.VendorID)
		c.str(12, "source", &m.Source)
		c.millis(13, "created", &m.Created)
		c.str(14, "title", &m.Title)
		c.u8(15, "severity", (*uint8)(&m.Severity))
		c.u64(16, "version", &m.Version)
	}
}

// AppendWire appends l to dst in its wire form, message Link.
func (l *Link) AppendWire(dst []byte) []byte {
	c := writer(dst, "link")
	l.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (l *Link) DecodeWire(b []byte) error {
	*l = Link{}
	c := reader(b, "link")
	l.wire(&c)
	return c.err
}

func (l *Link) wire(c *codec) {
	for c.pass(nil) {
		c.str(1, "tenant", &l.Tenant)
		c.s8(2, "level", &l.Level)
		c.id(3, "a", (*ID)(&l.A))
		c.id(4, "b", (*ID)(&l.B))
		c.str(5, "key", &l.Key)
		c.millis(6, "time", &l.Time)
	}
}

// AppendWire appends p to dst in its wire form, message Path.
func (p *Path) AppendWire(dst []byte) []byte {
	c := writer(dst, "path")
	p.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (p *Path) DecodeWire(b []byte) error {
	*p = Path{}
	c := reader(b, "path")
	p.wire(&c)
	return c.err
}

func (p *Path) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", &p.ID)
		c.str(2, "tenant", &p.Tenant)
		c.id(3, "incident", (*ID)(&p.Incident))
		c.u8(4, "kind", (*uint8)(&p.Kind))
		c.str(5, "status", &p.Status)
		c.ref(6, "entry", &p.Entry)
		c.ref(7, "foothold", &p.Foothold)
		for i := 0; c.open(8, "edges", i < len(p.Edges)); i++ {
			element(c, &p.Edges, i).wire(c)
		}
		c.u32(9, "reach", &p.Reach)
		c.u64(10, "version", &p.Version)
	}
}

func (e *PathEdge) wire(c *codec) {
	for c.pass(nil) {
		c.ref(1, "from", &e.From)
		c.ref(2, "to", &e.To)
		c.millis(3, "time", &e.Time)
		c.str(4, "technique", &e.Technique)
		c.id(5, "alert", (*ID)(&e.Alert))
		c.flag(6, "observed", &e.Observed)
	}
}
