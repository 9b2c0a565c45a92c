package correlate

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

// Batches half an hour apart that link, merge, revise, repeat, split, hold and
// close, with an incident that a person used.
func TestConformance(t *testing.T) {
	var samples []stagetest.Sample
	for i := range 12 {
		samples = append(samples, func() *schema.Batch {
			at := schema.Millis(i) * 30 * schema.Minute
			if i >= 10 {
				at += 60 * schema.Hour // what was there closes
			}
			b := &schema.Batch{Now: t0 + at + 20*schema.Minute, Position: uint64(i) + 1}
			for k := range 4 {
				d := doc(fmt.Sprint(i, k), at+schema.Millis(k)*schema.Minute, fmt.Sprintf("actor>user:u%d target>host:h%d ip:10.0.0.1", k%3, i/3))
				d.Techniques = []schema.Technique{{ID: "T1021", Tactic: "TA0008"}}
				d.Severity = schema.Severity(1 + (i+k)%5)
				*b.NextAlert() = d
			}
			if i > 0 {
				old := doc(fmt.Sprint(i-1, 0), at, "host:h0 url:u")
				old.Content = uint64(i) + 1
				*b.NextAlert() = old
				*b.NextAlert() = old.Clone()
			}
			if i == 4 {
				id := schema.NewIncidentID("acme", schema.NewAlertID("acme", "edr", "0 0"))
				b.Control = append(b.Control, schema.Control{Tenant: "acme", Kind: schema.ControlCase, Object: id.String()})
			}
			return b
		})
	}
	stagetest.Run(t, func() stages.Stage { return must(t, small()) }, samples...)
}
