package e2e

import (
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

// result reads a tenant's incidents and members from the store, in the oracle's
// form.
func (l *lab) result(tenant string) oracle.Result {
	l.t.Helper()
	var heads []schema.Incident
	for _, r := range l.query("SELECT incident_id, founder, level, campaign, alerts, redirect_to FROM incidents FINAL WHERE tenant = '" + tenant + "'") {
		heads = append(heads, schema.Incident{Tenant: tenant, ID: l.incident(r[0]), Founder: l.alert(r[1]), Level: int8(l.int(r[2])),
			Campaign: l.incident(r[3]), Alerts: uint32(l.int(r[4])), RedirectTo: l.incident(r[5])})
	}
	var members []schema.Member
	for _, r := range l.query("SELECT alert_id, incident_id, level, weight, reason, link_key, peer, distance_ms FROM incident_members FINAL WHERE tenant = '" + tenant + "'") {
		m := schema.Member{Tenant: tenant, Alert: l.alert(r[0]), Incident: l.incident(r[1]), Level: int8(l.int(r[2])), Weight: uint16(l.int(r[3])),
			Key: r[5], Peer: l.alert(r[6]), Distance: schema.Millis(l.int(r[7]))}
		for m.Reason.String() != r[4] {
			if m.Reason++; m.Reason > schema.ReasonRoutine {
				l.t.Fatalf("reason %q is not known", r[4])
			}
		}
		members = append(members, m)
	}
	return oracle.FromStage(heads, members)
}

func (l *lab) int(s string) int64 {
	l.t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

func (l *lab) alert(s string) schema.AlertID {
	l.t.Helper()
	u, err := uuid.Parse(strings.TrimSpace(s))
	if err != nil {
		l.t.Fatal(err)
	}
	return schema.AlertID(u)
}

func (l *lab) incident(s string) schema.IncidentID {
	l.t.Helper()
	id, err := schema.ParseIncidentID(s)
	if err != nil {
		l.t.Fatal(err)
	}
	return id
}
