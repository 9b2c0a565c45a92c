package match

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

func TestConformance(t *testing.T) {
	h := &Holder{}
	h.Store(build(t, ind(schema.ObservableIP, "203.0.113.7"), ind(schema.ObservableCIDR, "203.0.113.0/24"), ind(schema.ObservableDomain, "bad.example")))
	alerts := func(keys ...schema.Entity) stagetest.Sample {
		return func() *schema.Batch {
			b := &schema.Batch{Now: schema.Hour, Position: 1}
			for _, k := range keys {
				a := b.NextAlert()
				a.Tenant, a.Created = "t", schema.Hour
				a.Entities = append(a.Entities, k)
			}
			return b
		}
	}
	stagetest.Run(t, func() stages.Stage { return New(DefaultConfig(), h) },
		alerts(schema.Entity{Type: schema.EntityIP, Key: "203.0.113.7"}, schema.Entity{Type: schema.EntityIP, Key: "198.51.100.1"}),
		alerts(schema.Entity{Type: schema.EntityURL, Key: "http://www.bad.example/x"}),
		alerts(schema.Entity{Type: schema.EntityHost, Key: "web-1"}))
}
