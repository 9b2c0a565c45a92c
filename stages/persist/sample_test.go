package persist_test

import (
	"strconv"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

const at = schema.Millis(1_795_300_000_123)

var (
	host     = schema.EntityRef{Type: schema.EntityHost, Key: "web-1.acme.example"}
	user     = schema.EntityRef{Type: schema.EntityUser, Key: "bob@acme.example"}
	alertID  = schema.NewAlertID("acme", "ids-1", "4711")
	incident = schema.NewIncidentID("acme", alertID)
)

func id(s string) schema.ID { return schema.DeriveID("sample", s) }

// key is the key of a record of a compacted topic.
func key(tenant string, object []byte) []byte { return append(append([]byte(tenant), 0), object...) }

func sampleAlert(vendorID string, created schema.Millis) *schema.Alert {
	return &schema.Alert{
		ID: schema.NewAlertID("acme", "ids-1", vendorID), Tenant: "acme", Source: "ids-1", Format: "suricata_eve", VendorID: vendorID,
		Content: 0xfedcba9876543210, Vendor: "OISF", Product: "Suricata", Title: "SMB beacon", Desc: "a \"b\" \\ c",
		RuleUID: "1:2027250:3", Rule: "SMB Beacon", Type: "A Network Trojan was detected",
		Severity: schema.SeverityHigh, Confidence: 80, Verdict: schema.VerdictSuspicious, Status: schema.AlertStatusNew, Blocked: true,
		Start: created - 100, End: created + 400, Created: created, Updated: created + 1000, Ingested: created + 2000,
		Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}, {Tactic: "TA0011"}},
		Entities: []schema.Entity{
			{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.9"},
			{Type: schema.EntityHost, Role: schema.RoleTarget, Attested: true, Key: host.Key, UID: "dev-77", Name: "WEB-1"},
			{Type: schema.EntityUser, Role: schema.RoleActor, Key: user.Key, UID: "S-1-5-21-1", Name: `ACME\bob`},
		},
		Matches: []schema.Match{{Entity: 0, Type: schema.ObservableCIDR, Value: "203.0.113.0/24", Indicator: "indicator--9", Feed: "misp",
			Verdict: schema.VerdictMalicious, Severity: schema.SeverityCritical, Confidence: 95, TLP: schema.TLPGreen, Snapshot: 7}},
		Raw:    []byte(`{"event_type":"alert"}`),
		RawRef: schema.RawRef{Topic: "raw-ids", Partition: 3, Offset: 1 << 33, Doc: 2},
	}
}

// samples gives an input per kind: every noun that the kind's topic holds, and
// a tombstone where it is compacted.
func samples() []persist.Input {
	values := map[persist.Kind][][]byte{
		persist.KindAlerts: {
			schema.AppendAlertEntry(nil, sampleAlert("4711", at)),
			schema.AppendAlertEntry(nil, sampleAlert("4712", at-5000)),
			schema.AppendAlertEntry(nil, &schema.Alert{ID: alertID, Tenant: "acme", Source: "ids-1", VendorID: "4711", Rule: "only a name",
				Created: at + 9, Ingested: at + 9}),
			schema.AppendRetroEntry(nil, &schema.RetroMatch{Tenant: "acme", Alert: alertID, Source: "ids-1", Created: at, Incident: incident, On: host, Made: at + schema.Day,
				Match: schema.Match{Type: schema.ObservableDomain, Value: "acme.example", Indicator: "indicator--10", Feed: "misp", Verdict: schema.VerdictMalicious,
					Wish: schema.WishWarn, Demoted: "on a list", Retro: true, Threats: []schema.Threat{{Kind: schema.ThreatReport, ID: "report--1", Name: "Q4"}}}}),
			schema.AppendRetroEntry(nil, &schema.RetroMatch{Tenant: "acme", Alert: alertID, Source: "ids-1", Created: at, Incident: incident, On: host, Made: at + schema.Day,
				Match: schema.Match{Type: schema.ObservableDomain, Value: "bad.example", Indicator: "indicator--11", Feed: "misp", Verdict: schema.VerdictMalicious,
					Demoted: "allowed by feed analyst"}, Kind: schema.RetroWithdrawn, By: "analyst"}),
			schema.AppendRetroEntry(nil, &schema.RetroMatch{Tenant: "acme", Alert: alertID, Source: "ids-1", Created: at, Incident: incident, On: host, Made: at + 2*schema.Day,
				Match: schema.Match{Type: schema.ObservableDomain, Value: "bad.example", Indicator: "indicator--11", Feed: "misp", Verdict: schema.VerdictMalicious},
				Kind:  schema.RetroReinstated}),
			schema.AppendRetroEntry(nil, &schema.RetroMatch{Tenant: "acme", Alert: alertID, On: host, Made: at, Kind: schema.RetroReinstated + 1}),
			schema.AppendControlEntry(nil, &schema.Control{Tenant: "acme", Kind: schema.ControlKillSwitch, Value: "on", Time: at}),
			schema.AppendWatermarkEntry(nil, &schema.Watermark{Tenant: "acme", Source: "ids-1", Topic: "raw-ids", Partition: 3, Partitions: 8,
				Offset: 1 << 40, MaxCreated: at, Idle: true, Now: at + 5,
				Stats: schema.SourceStats{Records: 10, Accepted: 7, Rejected: 2, Ignored: 1, Bytes: 12345}}),
		},
		persist.KindIncidents: {
			(&schema.Incident{ID: incident, Tenant: "acme", Title: "Ransomware on web-1", Disposition: schema.Promoted,
				Severity: schema.SeverityHigh, Priority: 83, Factors: []schema.Factor{{Name: "severity", Points: 40}}, Status: schema.IncidentInProgress,
				Assignee: "ann", Founder: alertID, Level: 2, First: at, Last: at + 9, Alerts: 12, Entities: []schema.EntityRef{host, user},
				Version: 1 << 50}).AppendWire(nil),
			(&schema.Incident{ID: schema.IncidentID(id("younger")), Tenant: "acme", RedirectTo: incident, Version: 7}).AppendWire(nil),
		},
		persist.KindMembers: {(&schema.Member{Tenant: "acme", Alert: alertID, Incident: incident, Level: 2, Weight: 1, Reason: schema.ReasonLinked,
			Key: "host:web-1|user:bob", Peer: schema.AlertID(id("peer")), Distance: 90 * schema.Second, Late: true, VendorID: "4711",
			Source: "ids-1", Created: at, Title: "SMB admin share", Severity: schema.SeverityMedium, Version: 77}).AppendWire(nil)},
		persist.KindPaths: {
			(&schema.Path{ID: schema.NewPathID("acme", incident, schema.PathRealized), Tenant: "acme", Incident: incident,
				Kind: schema.PathRealized, Status: "active", Entry: user, Foothold: host, Reach: 2, Version: 9, Edges: []schema.PathEdge{
					{From: user, To: host, Time: at, Technique: "T1021.002", Alert: alertID, Observed: true}, {From: host, To: user}}}).AppendWire(nil),
			(&schema.Path{ID: schema.NewPathID("acme", incident, schema.PathPotential), Tenant: "acme", Incident: incident,
				Kind: schema.PathPotential, Status: "active", Version: 9, Edges: []schema.PathEdge{{From: user, To: host}}}).AppendWire(nil),
		},
		persist.KindDecisions: {(&schema.Decision{ID: id("decision"), Tenant: "acme", Policy: "ransomware", PolicyHash: "ab12", Incident: incident,
			Target: host, Action: schema.ActionIsolateHost, Outcome: schema.OutcomeVetoed, Veto: "critical_asset: domain controller",
			Mode: "armed", Evidence: []schema.AlertID{alertID, schema.AlertID(id("b"))}, Lease: id("lease"), Until: at + schema.Hour, Time: at,
			Cause: "policy"}).AppendWire(nil)},
		persist.KindLeases: {(&schema.Lease{ID: id("lease"), Tenant: "acme", Target: host, Action: schema.ActionIsolateHost,
			State: schema.LeaseReleased, From: at, Until: at + schema.Hour, Incident: incident, Decision: id("decision"), Policy: "ransomware",
			Evidence: []schema.AlertID{alertID}, Reason: "false positive", Version: 4}).AppendWire(nil)},
		persist.KindActions: {(&schema.Action{ID: id("action"), Tenant: "acme", Lease: id("lease"), Decision: id("decision"), Incident: incident,
			Verb: schema.VerbRelease, Kind: schema.ActionIsolateHost, Target: host, Issued: at, Until: at + schema.Hour, Policy: "ransomware",
			PolicyHash: "ab12", Evidence: []schema.AlertID{alertID}, Version: 4, KeyID: "k1", Signature: []byte{0, 1, 0xfe, 0xff}}).AppendWire(nil)},
		persist.KindResults: {(&schema.ActionResult{Action: id("action"), Lease: id("lease"), Tenant: "acme", Target: host,
			Kind: schema.ActionIsolateHost, Verb: schema.VerbRelease, Status: "failed", Detail: "agent offline", Executor: "edr-1",
			Prior: "reachable", Time: at}).AppendWire(nil)},
		persist.KindLedger: {(&schema.LedgerEvent{ID: id("event"), Tenant: "acme", Object: "incident:" + incident.String(), Incident: incident,
			Actor: "ann", Origin: schema.OriginAnalyst, Verb: "assign", Before: "bob", After: "ann", Cause: "shift", Time: at}).AppendWire(nil)},
		persist.KindDeadLetter: {[]byte("{\"broken\": \xff"), {}},
		persist.KindAssets: {(&schema.Asset{Tenant: "acme", Entity: host, Class: "domain_controller", Criticality: 100, Group: "tier-0", Scope: "eu",
			Owner: "it", Fresh: at, Version: 3}).AppendWire(nil)},
	}
	values[persist.KindIndicators] = [][]byte{
		schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{Seq: 9, Before: 1, After: 1 << 63, Parts: 1, Feed: "misp", Made: at, Changes: []schema.IndicatorChange{
			{Op: schema.IndicatorAdd, Indicator: schema.Indicator{ID: "indicator--1", Feed: "misp", Tenant: "acme", Type: schema.ObservableDomain, Value: "bad.example",
				Verdict: schema.VerdictMalicious, Severity: schema.SeverityHigh, Wish: schema.WishBlock, Confidence: 90, TLP: schema.TLPRed, ValidFrom: at,
				ValidUntil: at + schema.Day, Labels: []string{"c2"}}},
			{Op: schema.IndicatorRemove, Indicator: schema.Indicator{ID: "indicator--2", Feed: "misp", Type: schema.ObservableIP, Value: "192.0.2.1"}}}}),
		schema.AppendSnapshotEntry(nil, &schema.IndicatorSnapshot{Seq: 9, Content: 1 << 63, Made: at}),
	}
	tombstones := map[persist.Kind][]byte{
		persist.KindIncidents: key("acme", incident[:]), persist.KindMembers: key("acme", alertID[:]),
		persist.KindPaths: key("acme", incident[:]), persist.KindLeases: key("acme", alertID[:]),
		persist.KindAssets: key("acme", []byte(host.String())),
	}
	var all []persist.Input
	for _, k := range persist.Kinds() {
		in := persist.Input{Kind: k, Topic: "interdict." + k.String(), Token: "topic-id/1/100-109", Partition: 1, Lo: 100, Hi: 109}
		for i, v := range values[k] {
			r := persist.Record{Offset: 100 + int64(i), Time: at + 60_000, Value: v}
			if k == persist.KindDeadLetter {
				r.Headers = deadLetterHeaders(i)
			}
			in.Records = append(in.Records, r)
		}
		if t := tombstones[k]; t != nil {
			in.Records = append(in.Records, persist.Record{Offset: 109, Time: at + 60_000, Key: t})
		}
		all = append(all, in)
	}
	return all
}

func deadLetterHeaders(doc int) []persist.Header {
	h := func(k, v string) persist.Header { return persist.Header{Key: k, Value: []byte(v)} }
	return []persist.Header{h("tenant", "acme"), h("source", "ids-1"), h("topic", "raw-ids"), h("partition", "3"), h("offset", "4711"),
		h("doc", strconv.Itoa(doc)), h("time", strconv.Itoa(int(at))), h("reason", "invalid_json"), h("detail", "byte 11"), h("chunk", "0"),
		h("chunks", "1"), h("of a newer writer", "x")}
}
