package correlate

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

// verdict is what the matches of an alert say together: bit 0, that a counting
// one calls its entity malicious; above it, the severity that counting ones raise
// the incident to. It only grows, so the order of matches does not matter.
type verdict byte

// with adds a match. One that is demoted, allowed or benign says nothing.
func (v verdict) with(m *schema.Match) verdict {
	if !m.Counts() {
		return v
	}
	w := verdict(min(m.Severity, schema.SeverityFatal)) << 1
	if m.Verdict == schema.VerdictMalicious {
		w |= 1
	}
	return v.and(w)
}

func (v verdict) and(w verdict) verdict {
	return (v|w)&1 | verdict(max(v.raised(), w.raised()))<<1
}

func (v verdict) malicious() bool         { return v&1 != 0 }
func (v verdict) raised() schema.Severity { return schema.Severity(v >> 1) }
func (v verdict) valid() bool             { return v.raised() <= schema.SeverityFatal }

// retros takes matches that were found after their alerts, or that count again:
// evidence of the alerts' incidents like any other, as far as they are still here.
// Links do not depend on matches, so nothing moves. A match that is taken back takes
// no evidence away: what an incident was promoted for stays, and its ledger tells.
func (c *Correlator) retros(b *schema.Batch) {
	for i := range b.Retro {
		m := &b.Retro[i]
		t := c.tenants[m.Tenant]
		if t == nil || m.Kind != schema.RetroFound && m.Kind != schema.RetroReinstated {
			continue
		}
		idx := t.byID.get(m.Alert)
		if idx == 0 {
			continue
		}
		v := t.alerts.at(idx).retro
		if w := v.with(&m.Match); w != v {
			c.touch(t)
			t.alerts.mut(idx).retro = w
			t.dirty = append(t.dirty, idx)
		}
	}
}

// tellRetros records the matches as events of the incidents that hold the alerts:
// here or, of alerts that have left memory, where the store had them. A match that
// does not count is no event, but that it does not any more is one.
func (c *Correlator) tellRetros(b *schema.Batch) {
	for i := range b.Retro {
		m := &b.Retro[i]
		incident := m.Incident
		if t := c.tenants[m.Tenant]; t != nil {
			if idx := t.byID.get(m.Alert); idx != 0 {
				incident = t.incident(t.alerts.at(idx).shown)
			}
		}
		if incident.IsZero() {
			continue
		}
		if e, ok := eventOf(m); ok {
			e.Incident, e.Time = incident, b.Now
			b.Ledger = append(b.Ledger, e)
		}
	}
}

// eventOf gives what a retro-match is in a ledger, but for the incident and the time. The
// actor is the feed whose word decides.
func eventOf(m *schema.RetroMatch) (e schema.LedgerEvent, ok bool) {
	indicator := m.Match.Type.String() + " " + cut(m.Match.Value, maxTitle)
	e = schema.LedgerEvent{
		ID: schema.DeriveID("ledger", m.Tenant, m.Kind.String(), m.Alert.String(), m.On.String(), m.Match.Feed, m.Match.Indicator,
			m.Match.Type.String(), m.Match.Value, strconv.FormatInt(int64(m.Made), 10)),
		Tenant: m.Tenant,
		Object: "alert:" + m.Alert.String(),
		Actor:  m.Match.Feed,
		Origin: schema.OriginCorrelation,
		Verb:   m.Kind.String(),
		After:  m.On.String(),
		Cause:  m.Match.Verdict.String() + " by " + indicator,
	}
	switch m.Kind {
	case schema.RetroFound, schema.RetroReinstated:
		return e, m.Match.Counts()
	case schema.RetroWithdrawn:
		e.Actor = m.By
		e.Cause = cut(m.Match.Demoted, maxTitle) + "; feed " + m.Match.Feed + " called it " + m.Match.Verdict.String() + " by " + indicator
		return e, true
	}
	return e, false // a newer version's
}
