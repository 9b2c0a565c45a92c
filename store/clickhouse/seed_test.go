package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

// noon is the time that the seeded story is told from.
const noon = schema.Millis(1_795_348_800_000) // 2026-11-22 12:00 UTC

// wire is a noun that travels.
type wire interface{ AppendWire(dst []byte) []byte }

// topics makes ranges of records, as hop 4 gets them.
type topics struct {
	t       testing.TB
	p       *persist.Persister
	offsets map[persist.Kind]int64
}

func newTopics(t testing.TB, s *clickhouse.Store) *topics {
	return &topics{t: t, p: persist.New(s, persist.DefaultConfig()), offsets: map[persist.Kind]int64{}}
}

// input makes the next range of a kind.
func (x *topics) input(kind persist.Kind, values ...[]byte) persist.Input {
	lo := x.offsets[kind]
	in := persist.Input{Kind: kind, Topic: "interdict." + kind.String(), Lo: lo, Hi: lo + int64(len(values)) - 1}
	in.Token = fmt.Sprintf("%s-id/0/%d-%d", kind, in.Lo, in.Hi)
	for i, v := range values {
		in.Records = append(in.Records, persist.Record{Offset: lo + int64(i), Time: noon, Value: v})
	}
	x.offsets[kind] = in.Hi + 1
	return in
}

func (x *topics) insert(in persist.Input) int {
	x.t.Helper()
	blocks, err := x.p.Insert(x.t.Context(), in)
	if err != nil {
		x.t.Fatal(err)
	}
	return blocks
}

func (x *topics) put(kind persist.Kind, nouns ...wire) {
	x.t.Helper()
	var values [][]byte
	for _, n := range nouns {
		values = append(values, n.AppendWire(nil))
	}
	x.insert(x.input(kind, values...))
}

func (x *topics) alerts(alerts ...*schema.Alert) {
	x.t.Helper()
	var values [][]byte
	for _, a := range alerts {
		values = append(values, schema.AppendAlertEntry(nil, a))
	}
	x.insert(x.input(persist.KindAlerts, values...))
}

func (x *topics) watermarks(marks ...schema.Watermark) {
	x.t.Helper()
	var values [][]byte
	for _, w := range marks {
		values = append(values, schema.AppendWatermarkEntry(nil, &w))
	}
	x.insert(x.input(persist.KindAlerts, values...))
}

// reject puts one document into the dead letter.
func (x *topics) reject(tenant, source string, doc int, reason schema.Reason, bytes string) {
	x.t.Helper()
	in := x.input(persist.KindDeadLetter, []byte(bytes))
	for k, v := range map[string]string{"tenant": tenant, "source": source, "topic": "raw-" + source, "partition": "0", "offset": "17",
		"doc": fmt.Sprint(doc), "time": fmt.Sprint(int64(noon - schema.Hour)), "reason": reason.String(), "detail": "byte 11"} {
		in.Records[0].Headers = append(in.Records[0].Headers, persist.Header{Key: k, Value: []byte(v)})
	}
	x.insert(in)
}

func entity(t schema.EntityType, role schema.Role, key string) schema.Entity {
	return schema.Entity{Type: t, Role: role, Key: key}
}

// alert makes an alert; ago is before noon.
func alert(tenant, source, vendorID, title string, sev schema.Severity, ago schema.Millis, entities ...schema.Entity) *schema.Alert {
	created := noon - ago
	return &schema.Alert{ID: schema.NewAlertID(tenant, source, vendorID), Tenant: tenant, Source: source, Format: "suricata_eve", VendorID: vendorID,
		Content: 0xabcd, Vendor: "Vendor", Product: "Sensor", Title: title, Desc: "line\n\ttab \\ 'quote'", RuleUID: "rule-" + title, Rule: title,
		Type: "malware", Severity: sev, Confidence: 80, Verdict: schema.VerdictSuspicious, Status: schema.AlertStatusNew, Blocked: true,
		Start: created - 5, End: created + 5, Created: created, Updated: created, Ingested: created + 100, Entities: entities,
		Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}, {Tactic: "TA0011"}},
		Raw:        []byte("{\"a\":\"\xff\n\n\"}"), RawRef: schema.RawRef{Topic: "raw-" + source, Partition: 1, Offset: 1 << 33, Doc: 2}}
}

func member(a *schema.Alert, in schema.IncidentID, reason schema.ReasonKind, key string, peer schema.AlertID) *schema.Member {
	return &schema.Member{Tenant: a.Tenant, Alert: a.ID, Incident: in, Level: 1, Weight: 1, Reason: reason, Key: key, Peer: peer,
		Distance: 90 * schema.Second, VendorID: a.VendorID, Source: a.Source, Created: a.Created, Title: a.Title, Severity: a.Severity, Version: 10}
}

// story is a small intrusion at a tenant: mail, a host, lateral movement to a file
// server, and what was done about it.
type story struct {
	tenant                       string
	mail, shell, lateral, noise  *schema.Alert
	revised                      *schema.Alert // shell again, with other content
	incident, merged, background *schema.Incident
	closed                       *schema.Incident
	members                      []*schema.Member
	path                         *schema.Path
	fired, vetoed                *schema.Decision
	lease                        *schema.Lease
	action                       *schema.Action
	result                       *schema.ActionResult
	note                         *schema.LedgerEvent
	asset                        *schema.Asset
	later                        *schema.RetroMatch
}

func newStory(tenant string) *story {
	const (
		host, user, ip = schema.EntityHost, schema.EntityUser, schema.EntityIP
		h              = schema.Hour
	)
	st := &story{tenant: tenant}
	id := func(s string) schema.ID { return schema.DeriveID("story", tenant, s) }
	bob := schema.Entity{Type: user, Role: schema.RoleActor, Key: "bob", UID: "S-1-5-21-7", Name: `ACME\bob`}
	ws := schema.Entity{Type: host, Role: schema.RoleTarget, Attested: true, Key: "ws-7", UID: "dev-7", Name: "WS-7"}
	st.mail = alert(tenant, "mail-1", "m-1", "Phishing mail", schema.SeverityMedium, 5*h, entity(schema.EntityMailbox, schema.RoleTarget, "bob@acme.example"), bob)
	st.shell = alert(tenant, "edr-1", "e-1", "Office spawned a shell", schema.SeverityHigh, 4*h, ws, bob,
		entity(schema.EntityFileHash, schema.RoleRelated, "d41d8cd98f00b204e9800998ecf8427e"), entity(ip, schema.RoleC2, "203.0.113.9"))
	st.shell.Matches = []schema.Match{{Entity: 3, Type: schema.ObservableCIDR, Value: "203.0.113.0/24", Indicator: "indicator--9", Feed: "misp",
		Verdict: schema.VerdictMalicious, Severity: schema.SeverityCritical, Confidence: 95, TLP: schema.TLPGreen, Snapshot: 1 << 63, Wish: schema.WishAudit, Threats: []schema.Threat{
			{Kind: schema.ThreatReport, ID: "report--1", Name: "Winter storm"}, {Kind: schema.ThreatMalware, Name: "Frost"}}}}
	revised := *st.shell
	revised.Updated += schema.Minute
	revised.Content, revised.Severity, revised.Entities = 0x1234, schema.SeverityCritical, append(revised.Entities[:4:4], entity(schema.EntityDomain, schema.RoleC2, "evil.example"))
	st.revised = &revised
	// The same machine under another name: known by the vendor's device id.
	renamed := schema.Entity{Type: host, Role: schema.RoleSource, Key: "ws-7.acme.example", UID: "dev-7"}
	st.lateral = alert(tenant, "ids-1", "i-1", "SMB lateral movement", schema.SeverityHigh, 3*h, renamed, entity(host, schema.RoleTarget, "fs-1"), entity(ip, schema.RoleC2, "203.0.113.9"))
	st.noise = alert(tenant, "ids-1", "i-2", "Policy violation", schema.SeverityLow, 2*h, entity(host, schema.RoleSource, "printer-3"))
	st.noise.Verdict = schema.VerdictFalsePositive
	st.noise.Matches = []schema.Match{{Type: schema.ObservableDomain, Value: "printer-3", Indicator: "line-7", Feed: "noisy list",
		Verdict: schema.VerdictMalicious, Demoted: "on the list Internal names"}}
	st.later = &schema.RetroMatch{Tenant: tenant, Alert: st.lateral.ID, Source: "ids-1", Created: st.lateral.Created, Made: noon,
		On: schema.EntityRef{Type: ip, Key: "203.0.113.9"}, Match: schema.Match{Type: schema.ObservableIP, Value: "203.0.113.9", Indicator: "indicator--12",
			Feed: "isac", Verdict: schema.VerdictSuspicious, Confidence: 60, Retro: true, Threats: []schema.Threat{{Kind: schema.ThreatReport, ID: "report--1", Name: "Winter storm"}}}}

	in := schema.NewIncidentID(tenant, st.mail.ID)
	st.incident = &schema.Incident{ID: in, Tenant: tenant, Title: "Lateral movement from ws-7", Disposition: schema.Promoted, Severity: schema.SeverityCritical,
		Priority: 91, Factors: []schema.Factor{{Name: "severity", Points: 50}, {Name: "routine", Points: -3}}, Status: schema.IncidentInProgress,
		Assignee: "ann", Group: "soc-2", Classification: "", Tags: []string{"crown-jewels"}, Scopes: []string{"eu"}, Tickets: []string{"SEC-1"},
		Campaign: schema.IncidentID(id("campaign")), Founder: st.mail.ID, Level: 1, Slice: 3, Touched: true, First: st.mail.Created, Last: st.lateral.Created,
		Alerts: 3, Routine: 1, Sources: []string{"edr-1", "ids-1", "mail-1"}, Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}},
		Entities: []schema.EntityRef{ws.Ref(), bob.Ref()}, Version: 40}
	st.merged = &schema.Incident{ID: schema.NewIncidentID(tenant, st.lateral.ID), Tenant: tenant, Title: "SMB lateral movement", Severity: schema.SeverityHigh,
		RedirectTo: in, Founder: st.lateral.ID, First: st.lateral.Created, Last: st.lateral.Created, Version: 35}
	st.background = &schema.Incident{ID: schema.NewIncidentID(tenant, st.noise.ID), Tenant: tenant, Title: "Policy violation", Severity: schema.SeverityLow,
		Priority: 3, Status: schema.IncidentNew, Founder: st.noise.ID, Level: schema.LevelSingle, First: st.noise.Created, Last: st.noise.Created,
		Alerts: 1, Sources: []string{"ids-1"}, Version: 12}
	st.closed = &schema.Incident{ID: schema.IncidentID(id("closed")), Tenant: tenant, Title: "Lateral movement, last spring", Disposition: schema.Promoted,
		Severity: schema.SeverityHigh, Priority: 70, Status: schema.IncidentResolved, Classification: "true_positive", First: noon - 200*schema.Day,
		Last: noon - 199*schema.Day, Alerts: 9, Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}}, Entities: []schema.EntityRef{bob.Ref()}, Version: 2}
	st.members = []*schema.Member{
		member(st.mail, in, schema.ReasonFounder, "", schema.AlertID{}), member(st.shell, in, schema.ReasonLinked, "user:bob", st.mail.ID),
		member(st.lateral, in, schema.ReasonLinked, "ip:203.0.113.9", st.shell.ID), member(st.noise, st.background.ID, schema.ReasonFounder, "", schema.AlertID{}),
	}
	st.path = &schema.Path{ID: schema.NewPathID(tenant, in, schema.PathRealized), Tenant: tenant, Incident: in, Kind: schema.PathRealized, Status: "active",
		Entry: bob.Ref(), Foothold: schema.EntityRef{Type: host, Key: "fs-1"}, Reach: 3, Version: 40, Edges: []schema.PathEdge{
			{From: bob.Ref(), To: ws.Ref(), Time: st.shell.Created, Technique: "T1204", Alert: st.shell.ID, Observed: true},
			{From: ws.Ref(), To: schema.EntityRef{Type: host, Key: "fs-1"}, Time: st.lateral.Created, Technique: "T1021.002", Alert: st.lateral.ID, Observed: true}}}
	st.lease = &schema.Lease{ID: schema.NewLeaseID(tenant, ws.Ref(), schema.ActionIsolateHost), Tenant: tenant, Target: ws.Ref(), Action: schema.ActionIsolateHost,
		State: schema.LeaseActive, From: noon - 2*h, Until: noon + 2*h, Incident: in, Decision: id("fired"), Policy: "ransomware",
		Evidence: []schema.AlertID{st.shell.ID}, Reason: "policy", Version: 41}
	st.fired = &schema.Decision{ID: id("fired"), Tenant: tenant, Policy: "ransomware", PolicyHash: "ab12", Incident: in, Target: ws.Ref(),
		Action: schema.ActionIsolateHost, Outcome: schema.OutcomeFired, Mode: "armed", Evidence: []schema.AlertID{st.shell.ID, st.lateral.ID},
		Lease: st.lease.ID, Until: st.lease.Until, Time: noon - 2*h, Cause: "policy"}
	st.vetoed = &schema.Decision{ID: id("vetoed"), Tenant: tenant, Policy: "ransomware", PolicyHash: "ab12", Incident: in,
		Target: schema.EntityRef{Type: host, Key: "fs-1"}, Action: schema.ActionIsolateHost, Outcome: schema.OutcomeVetoed,
		Veto: "critical_asset: fs-1 is a file server", Mode: "armed", Evidence: []schema.AlertID{st.lateral.ID}, Time: noon - 2*h, Cause: "policy"}
	st.action = &schema.Action{ID: id("action"), Tenant: tenant, Lease: st.lease.ID, Decision: st.fired.ID, Incident: in, Verb: schema.VerbApply,
		Kind: schema.ActionIsolateHost, Target: ws.Ref(), Issued: noon - 2*h, Until: st.lease.Until, Policy: "ransomware", PolicyHash: "ab12",
		Evidence: []schema.AlertID{st.shell.ID}, Version: 41, KeyID: "k1", Signature: []byte{0, 1, 0xfe, 0xff}}
	st.result = &schema.ActionResult{Action: st.action.ID, Lease: st.lease.ID, Tenant: tenant, Target: ws.Ref(), Kind: schema.ActionIsolateHost,
		Verb: schema.VerbApply, Status: "done", Detail: "isolated", Executor: "edr-1", Prior: "reachable", Time: noon - 2*h + schema.Second}
	st.note = &schema.LedgerEvent{ID: id("note"), Tenant: tenant, Object: "incident:" + in.String(), Incident: in, Actor: "ann", Origin: schema.OriginAnalyst,
		Verb: "assign", Before: "", After: "ann", Cause: "shift", Time: noon - schema.Hour}
	st.asset = &schema.Asset{Tenant: tenant, Entity: schema.EntityRef{Type: host, Key: "fs-1"}, Class: "file_server", Criticality: 90, Group: "tier-1", Scope: "eu",
		Owner: "it", Fresh: noon - schema.Day, Version: 3}
	return st
}

// tell puts the story on the topics, older versions before newer ones.
func (st *story) tell(x *topics) {
	x.t.Helper()
	x.alerts(st.mail, st.shell, st.lateral, st.noise)
	x.alerts(st.revised)
	x.insert(x.input(persist.KindAlerts, schema.AppendRetroEntry(nil, st.later)))
	stats := func(accepted, rejected, ignored uint64) schema.SourceStats {
		return schema.SourceStats{Records: accepted + rejected + ignored, Accepted: accepted, Rejected: rejected, Ignored: ignored, Bytes: 1000 * accepted}
	}
	mark := func(source string, partition, partitions int32, created schema.Millis, idle bool, s schema.SourceStats) schema.Watermark {
		return schema.Watermark{Tenant: st.tenant, Source: source, Topic: "raw-" + source, Partition: partition, Partitions: partitions, Offset: int64(s.Records),
			MaxCreated: created, Idle: idle, Now: created + schema.Minute, Stats: s}
	}
	x.watermarks(mark("mail-1", 0, 1, st.mail.Created, false, stats(1, 0, 4)), mark("edr-1", 0, 2, st.shell.Created, false, stats(2, 1, 0)),
		mark("edr-1", 1, 2, 0, true, stats(0, 0, 0)), mark("ids-1", 0, 1, st.noise.Created, false, stats(2, 0, 90)))
	x.reject(st.tenant, "edr-1", 0, schema.ReasonInvalidJSON, "{\"broken\": \xff")
	early := *st.incident
	early.Status, early.Assignee, early.Severity, early.Version = schema.IncidentNew, "", schema.SeverityHigh, 20
	lone := *st.merged
	lone.RedirectTo, lone.Version = schema.IncidentID{}, 30
	x.put(persist.KindIncidents, &early, &lone, st.background, st.closed)
	x.put(persist.KindIncidents, st.incident, st.merged)
	moved := *st.members[2]
	moved.Incident, moved.Reason, moved.Key, moved.Version = st.merged.ID, schema.ReasonFounder, "", 5
	x.put(persist.KindMembers, &moved, st.members[0], st.members[1], st.members[3])
	x.put(persist.KindMembers, st.members[2])
	long := *st.path
	long.Version, long.Edges = 39, append(long.Edges[:2:2], long.Edges[0])
	x.put(persist.KindPaths, &long)
	x.put(persist.KindPaths, st.path)
	x.put(persist.KindDecisions, st.fired, st.vetoed)
	x.put(persist.KindLeases, st.lease)
	x.put(persist.KindActions, st.action)
	x.put(persist.KindResults, st.result)
	x.put(persist.KindLedger, st.note)
	x.put(persist.KindAssets, st.asset)
	own := schema.Indicator{ID: "own-1", Feed: "own", Tenant: st.tenant, Type: schema.ObservableDomain, Value: "bad.example", Verdict: schema.VerdictMalicious, TLP: schema.TLPRed}
	x.insert(x.input(persist.KindIndicators, schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{Seq: 1, After: 1, Made: noon, Changes: []schema.IndicatorChange{{Op: schema.IndicatorAdd, Indicator: own}}}),
		schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{Seq: 2, After: 2, Made: noon, Changes: []schema.IndicatorChange{{Op: schema.IndicatorRemove, Indicator: own}}}),
		schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{Seq: 3, After: 1, Made: noon, Changes: []schema.IndicatorChange{{Op: schema.IndicatorAdd, Indicator: own}}})))
}
