package schema_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// message is what every noun that travels can do.
type message interface {
	AppendWire(dst []byte) []byte
	DecodeWire(b []byte) error
}

// noun is one row of the table most wire tests go through.
type noun struct {
	name   string // of the message in interdict.proto
	empty  func() message
	sample message // every field set
}

func nounOf[T any, P interface {
	*T
	message
}](name string, sample P) noun {
	return noun{name, func() message { return P(new(T)) }, sample}
}

func nouns() []noun {
	id := func(s string) schema.ID { return schema.DeriveID("sample", s) }
	alert := schema.NewAlertID("acme", "ids-1", "4711")
	incident := schema.NewIncidentID("acme", alert)
	host := schema.EntityRef{Type: schema.EntityHost, Key: "web-1.acme.example"}
	user := schema.EntityRef{Type: schema.EntityUser, Key: "bob@acme.example"}
	const at = schema.Millis(1_795_300_000_123)
	return append([]noun{
		nounOf("Alert", sampleAlert()),
		nounOf("Watermark", &schema.Watermark{Tenant: "acme", Source: "ids-1", Topic: "raw-ids", Partition: 3, Partitions: 8, Offset: 1 << 40,
			MaxCreated: at, Idle: true, Now: at + 5, Stats: schema.SourceStats{Records: 10, Accepted: 7, Rejected: 2, Ignored: 1, Bytes: 12345}}),
		nounOf("Control", &schema.Control{Tenant: "acme", Kind: schema.ControlVerdict, Object: alert.String(), Value: "false_positive",
			Actor: "ann", Time: at}),
		nounOf("Incident", &schema.Incident{ID: incident, Tenant: "acme", Title: "Ransomware on web-1", Disposition: schema.Promoted,
			Severity: schema.SeverityHigh, Priority: 83, Factors: []schema.Factor{{"severity", 40}, {"routine", -3}},
			Status: schema.IncidentInProgress, Assignee: "ann", Group: "soc-2", Classification: "true_positive",
			Tags: []string{"crown-jewels", "q4"}, Scopes: []string{"eu"}, Tickets: []string{"SEC-12"},
			RedirectTo: schema.IncidentID(id("older")), Campaign: schema.IncidentID(id("campaign")), Founder: alert,
			Level: schema.LevelSingle, Slice: 2, Final: true, Touched: true, Suggested: true, First: at, Last: at + 9,
			Alerts: 12, Routine: 3, Sources: []string{"edr-1", "ids-1"}, Techniques: []schema.Technique{{"T1021.002", "TA0008"}, {"", "TA0040"}},
			Entities: []schema.EntityRef{host, user}, Version: 1 << 50}),
		nounOf("Member", &schema.Member{Tenant: "acme", Alert: alert, Incident: incident, Level: 2, Weight: 500, Reason: schema.ReasonLinked,
			Key: "host:web-1|user:bob", Peer: schema.AlertID(id("peer")), Distance: 90 * schema.Second, Late: true, VendorID: "4711",
			Source: "ids-1", Created: at, Title: "SMB admin share", Severity: schema.SeverityMedium, Version: 77}),
		nounOf("Link", &schema.Link{Tenant: "acme", Level: 1, A: alert, B: schema.AlertID(id("b")), Key: "host:web-1", Time: at}),
		nounOf("Path", &schema.Path{ID: schema.NewPathID("acme", incident, schema.PathPredicted), Tenant: "acme", Incident: incident,
			Kind: schema.PathPredicted, Status: "active", Entry: user, Foothold: host,
			Edges: []schema.PathEdge{{From: user, To: host, Time: at, Technique: "T1021.002", Alert: alert, Observed: true}, {From: host, To: user}},
			Reach: 2, Version: 9}),
		nounOf("Decision", &schema.Decision{ID: id("decision"), Tenant: "acme", Policy: "ransomware", PolicyHash: "ab12", Incident: incident,
			Target: host, Action: schema.ActionIsolateHost, Outcome: schema.OutcomeVetoed, Veto: "critical_asset: domain controller",
			Mode: "armed", Evidence: []schema.AlertID{alert, schema.AlertID(id("b"))}, Lease: id("lease"), Until: at + schema.Hour, Time: at,
			Cause: "policy"}),
		nounOf("Lease", &schema.Lease{ID: schema.NewLeaseID("acme", host, schema.ActionIsolateHost), Tenant: "acme", Target: host,
			Action: schema.ActionIsolateHost, State: schema.LeaseReleased, From: at, Until: at + schema.Hour, Incident: incident,
			Decision: id("decision"), Policy: "ransomware", Evidence: []schema.AlertID{alert}, Reason: "false positive", Version: 4}),
		nounOf("Action", &schema.Action{ID: id("action"), Tenant: "acme", Lease: id("lease"), Decision: id("decision"), Incident: incident,
			Verb: schema.VerbRelease, Kind: schema.ActionIsolateHost, Target: host, Issued: at, Until: at + schema.Hour, Policy: "ransomware",
			PolicyHash: "ab12", Evidence: []schema.AlertID{alert}, Version: 4, KeyID: "k1", Signature: []byte{0, 1, 0xfe, 0xff}}),
		nounOf("ActionResult", &schema.ActionResult{Action: id("action"), Lease: id("lease"), Tenant: "acme", Target: host,
			Kind: schema.ActionIsolateHost, Verb: schema.VerbRelease, Status: "failed", Detail: "agent offline", Executor: "edr-1",
			Prior: "reachable", Time: at}),
		nounOf("LedgerEvent", &schema.LedgerEvent{ID: id("event"), Tenant: "acme", Object: "incident:" + incident.String(), Incident: incident,
			Actor: "ann", Origin: schema.OriginAnalyst, Verb: "assign", Before: "bob", After: "ann", Cause: "shift", Time: at}),
		nounOf("Asset", &schema.Asset{Tenant: "acme", Entity: host, Class: "domain_controller", Criticality: 100, Group: "tier-0", Scope: "eu",
			Owner: "it", Fresh: at, Version: 3}),
		nounOf("Indicator", &schema.Indicator{ID: "indicator--1", Feed: "misp", Type: schema.ObservableDomain, Value: "evil.example",
			Verdict: schema.VerdictMalicious, Severity: schema.SeverityHigh, Confidence: 90, TLP: schema.TLPAmber, ValidFrom: at,
			ValidUntil: at + schema.Day, Labels: []string{"c2", "apt"}, Tenant: "acme", Exact: true, Listed: true, Wish: schema.WishBlock, Rank: 60,
			Fresh: at + 5, Threats: []schema.Threat{{Kind: schema.ThreatMalware, ID: "malware--1", Name: "Emotet"}, {Kind: schema.ThreatTechnique, Name: "T1566"}}}),
		nounOf("RetroMatch", &schema.RetroMatch{Tenant: "acme", Alert: alert, Source: "ids-1", Created: at, Incident: incident, On: host, Made: at + schema.Day,
			Match: sampleAlert().Matches[0], Kind: schema.RetroReinstated, By: "analyst"}),
		nounOf("Source", &schema.Source{ID: "ids-1", Tenant: "acme", Topic: "raw-ids", Formats: []string{"suricata_eve"},
			Attests: []string{"host", "ip"}, Silence: schema.Hour, Zone: "Europe/Berlin"}),
	}, indicatorNouns()...)
}

func sampleAlert() *schema.Alert {
	raw := `{"timestamp":"2026-11-21T23:06:40.123456+0000","flow_id":1812,"event_type":"alert","src_ip":"10.0.3.7","src_port":49817,` +
		`"dest_ip":"203.0.113.9","dest_port":445,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2027250,"rev":3,` +
		`"signature":"ET MALWARE Possible Cobalt Strike SMB Beacon","category":"A Network Trojan was detected","severity":1}`
	for i := 0; len(raw) < 1100; i++ {
		raw += fmt.Sprintf(`,"metadata_%02d":"value of some length %08d"`, i, i*7919)
	}
	raw += "}"
	return &schema.Alert{
		ID: schema.NewAlertID("acme", "ids-1", "4711"), Tenant: "acme", Source: "ids-1", Format: "suricata_eve", VendorID: "4711",
		Content: 0xfedcba9876543210, Vendor: "OISF", Product: "Suricata", Title: "ET MALWARE Possible Cobalt Strike SMB Beacon",
		Desc: "Übertragung \u2028 \"quoted\" <b>\x01", RuleUID: "1:2027250:3", Rule: "SMB Beacon", Type: "A Network Trojan was detected",
		Severity: schema.SeverityHigh, Confidence: 80, Verdict: schema.VerdictSuspicious, Status: schema.AlertStatusNew, Blocked: true,
		Start: 1_795_300_000_000, End: 1_795_300_000_500, Created: 1_795_300_000_123, Updated: 1_795_300_001_000, Ingested: 1_795_300_002_000,
		Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}, {Tactic: "TA0011"}, {ID: "T1486"}},
		Entities: []schema.Entity{
			{Type: schema.EntityIP, Role: schema.RoleSource, Attested: true, Key: "10.0.3.7"},
			{Type: schema.EntityIP, Role: schema.RoleC2, Key: "203.0.113.9", Port: 445},
			{Type: schema.EntityHost, Role: schema.RoleTarget, Key: "web-1.acme.example", UID: "dev-77", Name: "WEB-1"},
			{Type: schema.EntityUser, Role: schema.RoleActor, Key: "bob@acme.example", UID: "S-1-5-21-1", Name: `ACME\bob`},
			{Type: schema.EntityFileHash, Key: "d41d8cd98f00b204e9800998ecf8427e"},
			{Type: schema.EntityProcess, Role: schema.RoleActor, Key: "web-1.acme.example|4242", Name: "rundll32.exe"},
		},
		Matches: []schema.Match{{Entity: 1, Type: schema.ObservableCIDR, Value: "203.0.113.0/24", Indicator: "indicator--9", Feed: "misp",
			Verdict: schema.VerdictMalicious, Severity: schema.SeverityCritical, Confidence: 95, TLP: schema.TLPGreen, Snapshot: 0x1122334455667788,
			Wish: schema.WishAudit, Demoted: "on the list Top 1,000", Retro: true, Threats: []schema.Threat{{Kind: schema.ThreatActor, ID: "intrusion-set--1", Name: "Sednit"}}}},
		Snapshot: 0x1122334455667788,

		Raw:    []byte(raw),
		RawRef: schema.RawRef{Topic: "raw-ids", Partition: 3, Offset: 1 << 33, Doc: 2},
	}
}

// draw fills v, recursively, with arbitrary values: slices nil or not empty, text
// in UTF-8. Fields of Alert that never travel stay zero.
func draw(t *rapid.T, v reflect.Value, label string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Type() == reflect.TypeFor[schema.Alert]() && (name == "Unknown" || name == "Incident" || name == "Standing") {
				continue
			}
			draw(t, v.Field(i), label+"."+name)
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, label))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, label))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64Max(1<<v.Type().Bits()-1).Draw(t, label))
	case reflect.Int8, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits()
		v.SetInt(rapid.Int64Range(-1<<(bits-1), 1<<(bits-1)-1).Draw(t, label))
	case reflect.Array: // an id: zero now and then
		if rapid.Bool().Draw(t, label+"?") {
			reflect.Copy(v, reflect.ValueOf(rapid.SliceOfN(rapid.Byte(), v.Len(), v.Len()).Draw(t, label)))
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 3).Draw(t, label+"#")
		if v.Type().Elem().Kind() == reflect.Uint8 {
			n *= rapid.IntRange(0, 9000).Draw(t, label+"##")
		}
		if n == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			for i := range n {
				v.Index(i).SetUint(uint64(i))
			}
			return
		}
		for i := range n {
			draw(t, v.Index(i), fmt.Sprintf("%s[%d]", label, i))
		}
	default:
		t.Fatalf("%s: no generator for %s", label, v.Type())
	}
}

func drawMessage(t *rapid.T, n noun) message {
	m := n.empty()
	draw(t, reflect.ValueOf(m).Elem(), n.name)
	return m
}

// TestSamplesSetEveryField keeps the table honest: a field added to a noun must
// be added to its sample, and so to the golden files.
func TestSamplesSetEveryField(t *testing.T) {
	for _, n := range nouns() {
		v := reflect.ValueOf(n.sample).Elem()
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if n.name == "Alert" && (name == "Unknown" || name == "Incident" || name == "Standing") {
				continue
			}
			if v.Field(i).IsZero() {
				t.Errorf("sample of %s does not set %s", n.name, name)
			}
		}
	}
}
