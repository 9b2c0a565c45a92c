package disrupt

import (
	"context"
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
)

// BenchmarkProcess gives the cost per alert: of those that mean nothing to any
// policy, and of those that are evidence.
func BenchmarkProcess(b *testing.B) {
	low := alert("edr", "1", start, "T1059.001", "host:ws-1 attested", "user:bob actor", "ip:10.0.0.1")
	low.Severity = schema.SeverityLow
	other := low
	other.Severity = schema.SeverityHigh
	evidence := alert("edr", "1", start, "T1003.001", "host:ws-1 attested", "user:bob actor", "ip:10.0.0.1")
	withWhen := alert("edr", "1", start, "T1071.001", "host:ws-1 attested", "user:bob actor", "ip:10.0.0.1")
	for _, c := range []struct {
		name  string
		alert schema.Alert
		hosts int // so many different targets
	}{{"low severity", low, 1}, {"other technique", other, 1}, {"evidence", evidence, 5000}, {"evidence with CEL", withWhen, 5000}} {
		b.Run(c.name, func(b *testing.B) {
			d := build(b, DefaultConfig())
			batch := &schema.Batch{Now: start}
			for i := range 1000 {
				a := c.alert
				a.ID = schema.NewAlertID("acme", "edr", fmt.Sprint(i))
				batch.Alerts = append(batch.Alerts, a)
			}
			hosts := make([]string, c.hosts)
			for i := range hosts {
				hosts[i] = fmt.Sprintf("ws-%d", i)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if c.hosts > 1 {
					for i := range batch.Alerts {
						batch.Alerts[i].Entities = append(batch.Alerts[i].Entities[:0:0], c.alert.Entities...)
						batch.Alerts[i].Entities[0].Key = hosts[(n+i*7)%len(hosts)]
						batch.Alerts[i].ID[0], batch.Alerts[i].ID[1], batch.Alerts[i].ID[2] = byte(n), byte(n>>8), byte(n>>16)
					}
				}
				if err := d.Process(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
				d.Commit()
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch.Alerts)), "ns/alert")
		})
	}
}

// BenchmarkNew is what a stage costs: of a configuration that is new, and of one
// that is prepared.
func BenchmarkNew(b *testing.B) {
	cfg := DefaultConfig()
	b.Run("configuration", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			build(b, cfg)
		}
	})
	b.Run("prepared", func(b *testing.B) {
		p, err := Prepare(cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			p.New()
		}
	})
}
