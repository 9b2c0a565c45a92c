package disrupt

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

func TestConformance(t *testing.T) {
	p := simple("simple")
	p.Signals[0].When = `alert.entities.exists(e, e.type == "host") && target.key != "x"`
	cfg := simpleConfig(p, DefaultConfig().Policies[0])
	stagetest.Run(t, func() stages.Stage { return build(t, cfg) }, samples()...)
}

// samples walk through everything that has state: evidence, vetoes, leases,
// renewals, verdicts, releases, the kill switch, two tenants.
func samples() []stagetest.Sample {
	other := func(a schema.Alert) schema.Alert { a.Tenant = "other"; return a }
	revised := func(a schema.Alert, v schema.Verdict) schema.Alert {
		a.Standing, a.Verdict, a.Updated = schema.StandingRevision, v, a.Created+1
		return a
	}
	of := func(items ...any) stagetest.Sample { return func() *schema.Batch { return batch(items...) } }
	leaseID := schema.NewLeaseID("acme", schema.EntityRef{Type: schema.EntityHost, Key: "ws-2"}, schema.ActionContainHost)
	return []stagetest.Sample{
		of(assetControl("acme", "host:ws-1", "workstation", start), assetControl("acme", "host:ws-2", "laptop", start),
			assetControl("acme", "user:bob", "person", start), assetControl("other", "host:ws-1", "workstation", start),
			alert("edr", "e1", start, "T1003.001", "host:ws-1 attested", "user:bob actor attested")),
		of(alert("ndr", "n1", start+1000, "T1021.002", "host:ws-1", "user:bob", "ip:10.0.0.1 sensor"),
			alert("ndr", "n2", start+1000, "T1490", "host:ws-2")),
		of(alert("edr", "e2", start+2000, "T1486", "host:ws-2 attested"), other(alert("edr", "e2", start, "T1486", "host:ws-1 attested")),
			alert("edr", "e0", start+2000, "T1057", "host:ws-2 attested")),
		of(revised(alert("ndr", "n2", start+1000, "T1486", "host:ws-2"), schema.VerdictUnknown)),
		of(revised(alert("ndr", "n1", start+3000, "T1021.002", "host:ws-1"), schema.VerdictFalsePositive)),
		of(schema.Control{Tenant: "", Kind: schema.ControlKillSwitch, Value: "on", Actor: "ana"}, alert("ndr", "n3", start+4000, "T1021.002", "host:ws-1")),
		of(schema.Control{Tenant: "acme", Kind: schema.ControlRelease, Object: leaseID.String(), Actor: "ana"}),
		of(schema.Control{Tenant: "", Kind: schema.ControlKillSwitch, Value: "off", Actor: "ana"}, alert("ndr", "n4", start+5000, "T1021.002", "host:ws-1")),
		of(alert("edr", "e5", start+50*schema.Minute, "T1021", "host:ws-1 attested")),
		of(schema.Control{Tenant: "", Kind: schema.ControlReleaseAll, Actor: "ana"}),
		of(alert("edr", "e6", start+9*schema.Hour, "T1057", "host:ws-9 attested")),
	}
}
