package schema

// AppendWire appends d to dst in its wire form, message Decision.
func (d *Decision) AppendWire(dst []byte) []byte {
	c := writer(dst, "decision")
	d.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (d *Decision) DecodeWire(b []byte) error {
	*d = Decision{}
	c := reader(b, "decision")
	d.wire(&c)
	return c.err
}

func (d *Decision) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", &d.ID)
		c.str(2, "tenant", &d.Tenant)
		c.str(3, "policy", &d.Policy)
		c.str(4, "policy_hash", &d.PolicyHash)
		c.id(5, "incident", (*ID)(&d.Incident))
		c.ref(6, "target", &d.Target)
		c.u8(7, "action", (*uint8)(&d.Action))
		c.u8(8, "outcome", (*uint8)(&d.Outcome))
		c.str(9, "veto", &d.Veto)
		c.str(10, "mode", &d.Mode)
		c.alertIDs(11, "evidence", &d.Evidence)
		c.id(12, "lease", &d.Lease)
		c.millis(13, "until", &d.Until)
		c.millis(14, "time", &d.Time)
		c.str(15, "cause", &d.Cause)
	}
}

// AppendWire appends l to dst in its wire form, message Lease.
func (l *Lease) AppendWire(dst []byte) []byte {
	c := writer(dst, "lease")
	l.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (l *Lease) DecodeWire(b []byte) error {
	*l = Lease{}
	c := reader(b, "lease")
	l.wire(&c)
	return c.err
}

func (l *Lease) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", &l.ID)
		c.str(2, "tenant", &l.Tenant)
		c.ref(3, "target", &l.Target)
		c.u8(4, "action", (*uint8)(&l.Action))
		c.u8(5, "state", (*uint8)(&l.State))
		c.millis(6, "from", &l.From)
		c.millis(7, "until", &l.Until)
		c.id(8, "incident", (*ID)(&l.Incident))
		c.id(9, "decision", &l.Decision)
		c.str(10, "policy", &l.Policy)
		c.alertIDs(11, "evidence", &l.Evidence)
		c.str(12, "reason", &l.Reason)
		c.u64(13, "version", &l.Version)
	}
}

// AppendWire appends a to dst in its wire form, message Action.
func (a *Action) AppendWire(dst []byte) []byte {
	c := writer(dst, "action")
	a.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (a *Action) DecodeWire(b []byte) error {
	*a = Action{}
	c := reader(b, "action")
	a.wire(&c)
	return c.err
}

func (a *Action) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", &a.ID)
		c.str(2, "tenant", &a.Tenant)
		c.id(3, "lease", &a.Lease)
		c.id(4, "decision", &a.Decision)
		c.id(5, "incident", (*ID)(&a.Incident))
		c.u8(6, "verb", (*uint8)(&a.Verb))
		c.u8(7, "kind", (*uint8)(&a.Kind))
		c.ref(8, "target", &a.Target)
		c.millis(9, "issued", &a.Issued)
		c.millis(10, "until", &a.Until)
		c.str(11, "policy", &a.Policy)
		c.str(12, "policy_hash", &a.PolicyHash)
		c.alertIDs(13, "evidence", &a.Evidence)
		c.u64(14, "version", &a.Version)
		c.str(15, "key_id", &a.KeyID)
		c.blob(16, "signature", &a.Signature)
	}
}

// AppendWire appends r to dst in its wire form, message ActionResult.
func (r *ActionResult) AppendWire(dst []byte) []byte {
	c := writer(dst, "action_result")
	r.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (r *ActionResult) DecodeWire(b []byte) error {
	*r = ActionResult{}
	c := reader(b, "action_result")
	r.wire(&c)
	return c.err
}

func (r *ActionResult) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "action", &r.Action)
		c.id(2, "lease", &r.Lease)
		c.str(3, "tenant", &r.Tenant)
		c.ref(4, "target", &r.Target)
		c.u8(5, "kind", (*uint8)(&r.Kind))
		c.u8(6, "verb", (*uint8)(&r.Verb))
		c.str(7, "status", &r.Status)
		c.str(8, "detail", &r.Detail)
		c.str(9, "executor", &r.Executor)
		c.str(10, "prior", &r.Prior)
		c.millis(11, "time", &r.Time)
	}
}

// AppendWire appends e to dst in its wire form, message LedgerEvent.
func (e *LedgerEvent) AppendWire(dst []byte) []byte {
	c := writer(dst, "ledger_event")
	e.wire(&c)
	return c.b
}

// DecodeWire reads what AppendWire wrote. Strings and byte slices alias b.
func (e *LedgerEvent) DecodeWire(b []byte) error {
	*e = LedgerEvent{}
	c := reader(b, "ledger_event")
	e.wire(&c)
	return c.err
}

func (e *LedgerEvent) wire(c *codec) {
	for c.pass(nil) {
		c.id(1, "id", &e.ID)
		c.str(2, "tenant", &e.Tenant)
		c.str(3, "object", &e.Object)
		c.id(4, "incident", (*ID)(&e.Incident))
		c.str(5, "actor", &e.Actor)
		c.u8(6, "origin", (*uint8)(&e.Origin))
		c.str(7, "verb", &e.Verb)
		c.str(8, "before", &e.Before)
		c.str(9, "after", &e.After)
		c.str(10, "cause", &e.Cause)
		c.millis(11, "time", &e.Time)
	}
}
