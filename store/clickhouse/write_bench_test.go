package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

const benchAlerts = 10_000

// benchRange is a range of 10,000 alerts of 1.2 KB with five entities each, of
// which 600 are distinct, and one match in a hundred.
func benchRange() persist.Input {
	in := persist.Input{Kind: persist.KindAlerts, Topic: "interdict.alerts", Hi: benchAlerts - 1}
	st := newStory("acme")
	raw := make([]byte, 1000)
	for i := range raw {
		raw[i] = byte('a' + i*i%23)
	}
	for i := range benchAlerts {
		a := *st.revised
		a.ID = schema.NewAlertID("acme", "edr-1", fmt.Sprint(i))
		a.VendorID, a.Title, a.RuleUID = fmt.Sprint(i), fmt.Sprintf("Office spawned shell %d", i%50), fmt.Sprintf("rule-%d", i%200)
		a.Created += schema.Millis(i)
		a.Entities = append([]schema.Entity(nil), a.Entities...)
		a.Entities[0].Key, a.Entities[1].Key, a.Entities[3].Key = fmt.Sprintf("ws-%d", i%300), fmt.Sprintf("user-%d", i%200), fmt.Sprintf("203.0.113.%d", i%100)
		if i%100 != 0 {
			a.Matches = nil
		}
		a.Raw = append([]byte(fmt.Sprintf(`{"n":%d,"s":"`, i)), raw...)
		in.Records = append(in.Records, persist.Record{Offset: int64(i), Time: noon, Value: schema.AppendAlertEntry(nil, &a)})
	}
	return in
}

// BenchmarkInsert measures a range from records of Kafka to rows in every table,
// over both ways to insert, and what of it is spent in this process.
func BenchmarkInsert(b *testing.B) {
	in := benchRange()
	report := func(b *testing.B) {
		b.ReportAllocs()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchAlerts, "ns/alert")
		b.ReportMetric(benchAlerts*float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
	}
	for _, way := range []string{"post", "batches"} {
		b.Run(way, func(b *testing.B) {
			s := open(b)
			if way == "batches" {
				s.WriteByBatches()
			}
			p := persist.New(s, persist.DefaultConfig())
			for n := 0; b.Loop(); n++ {
				in.Token = fmt.Sprint(n)
				if _, err := p.Insert(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
			report(b)
		})
	}
	b.Run("encode", func(b *testing.B) {
		var rows persist.Rows
		if err := persist.Decode(in, persist.DefaultConfig(), &rows); err != nil {
			b.Fatal(err)
		}
		encode := clickhouse.Encode()
		for b.Loop() {
			b.SetBytes(int64(encode(&rows)))
		}
		report(b)
	})
}
