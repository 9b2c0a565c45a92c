package disrupt

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
)

// control takes one control record. One that makes no sense changes nothing and
// leaves a ledger event, except that a kill switch is only off when it says so.
func (d *Disruptor) control(c *schema.Control, b *schema.Batch) {
	var tenants []*tenant
	if !utf8.ValidString(c.Tenant) {
		return
	}
	if c.Tenant != "" {
		switch c.Kind {
		case schema.ControlKillSwitch, schema.ControlReleaseAll, schema.ControlRelease, schema.ControlVerdict, schema.ControlAsset:
			tenants = append(tenants, d.tenant(c.Tenant))
		}
	} else {
		for _, n := range d.names() {
			tenants = append(tenants, d.tenant(n))
		}
	}
	by := actor{strings.Clone(c.Actor), schema.OriginAnalyst}
	for _, t := range tenants {
		d.expire(t, b)
	}
	switch c.Kind {
	case schema.ControlKillSwitch:
		d.killSwitch(c, tenants, by, b)
	case schema.ControlReleaseAll:
		for _, t := range tenants {
			for _, id := range t.leaseIDs() {
				l, _ := t.leases.get(id)
				d.releaseBy(t, l, "release_all", by, b)
			}
		}
	case schema.ControlRelease:
		var id schema.ID
		if err := parseID(c.Object, id[:]); err != nil {
			d.refuse(tenants, c, err, by, b)
			return
		}
		for _, t := range tenants {
			if l, ok := t.leases.get(id); ok {
				d.releaseBy(t, l, "released", by, b)
			}
		}
	case schema.ControlVerdict:
		var id schema.AlertID
		if err := parseID(c.Object, id[:]); err != nil {
			d.refuse(tenants, c, err, by, b)
			return
		}
		for _, t := range tenants {
			if c.Value == schema.VerdictFalsePositive.String() {
				d.disprove(t, id, disproof{Time: t.vars.v.Clock, Person: true}, by, b)
			} else {
				t.disproof.del(id) // a person has thought again
			}
		}
	case schema.ControlAsset:
		var a schema.Asset
		err := json.Unmarshal([]byte(c.Value), &a)
		switch {
		case err != nil:
		case c.Tenant == "":
			err = fmt.Errorf("an asset belongs to one tenant")
		case !usable(a.Entity.Key) || a.Entity.Type == schema.EntityUnknown:
			err = fmt.Errorf("the asset has no usable entity")
		case len(a.Class) > maxKey:
			err = fmt.Errorf("the asset's class is too long")
		}
		if err != nil {
			d.refuse(tenants, c, err, by, b)
			return
		}
		tenants[0].setAsset(&a)
	}
}

func (d *Disruptor) killSwitch(c *schema.Control, tenants []*tenant, by actor, b *schema.Batch) {
	on := c.Value != "off"
	state := func(on bool) string {
		if on {
			return "on"
		}
		return "off"
	}
	before := d.kill.v
	if c.Tenant == "" {
		d.kill.set(on)
	}
	for _, t := range tenants {
		was := before
		if c.Tenant != "" {
			v := t.vars.v
			was, v.Kill = v.Kill, on
			t.vars.set(v)
		}
		d.event(t, "kill_switch:"+scopeOf(c), "kill_switch", state(was), state(on), "", by, b)
	}
}

func scopeOf(c *schema.Control) string {
	if c.Tenant == "" {
		return "all"
	}
	return "tenant"
}

// refuse records that a control record had no effect.
func (d *Disruptor) refuse(tenants []*tenant, c *schema.Control, err error, by actor, b *schema.Batch) {
	for _, t := range tenants {
		d.event(t, "control:"+c.Kind.String(), "refuse", "", "", err.Error(), by, b)
	}
}

// event writes a ledger event about something other than a lease.
func (d *Disruptor) event(t *tenant, object, verb, before, after, cause string, by actor, b *schema.Batch) {
	b.Ledger = append(b.Ledger, schema.LedgerEvent{
		ID:     schema.DeriveID("ledger", t.name, object, verb, strconv.FormatUint(t.version(), 10)),
		Tenant: t.name, Object: object, Actor: by.name, Origin: by.origin, Verb: verb, Before: before, After: after, Cause: cause,
		Time: t.vars.v.Clock,
	})
}

// setAsset takes an inventory record, unless a newer one is known.
func (t *tenant) setAsset(a *schema.Asset) {
	ref := schema.EntityRef{Type: a.Entity.Type, Key: strings.Clone(a.Entity.Key)}
	old, had := t.assets.get(ref)
	if had && old.Version > a.Version {
		return
	}
	if !had {
		n, _ := t.fleet.get(ref.Type)
		t.fleet.put(ref.Type, n+1)
	}
	t.assets.put(ref, asset{strings.Clone(a.Class), a.Fresh, a.Version})
}

func parseID(s string, id []byte) error {
	if len(s) != 2*len(id) {
		return fmt.Errorf("%q is not an id of %d hex digits", s, 2*len(id))
	}
	if _, err := hex.Decode(id, []byte(s)); err != nil {
		return fmt.Errorf("%q is not an id: %w", s, err)
	}
	return nil
}
