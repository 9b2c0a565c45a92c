package persist_test

import (
	"fmt"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// BenchmarkDecode measures ranges of 10,000 alerts of 1.2 KB with 3 entities, of
// which 500 are distinct.
func BenchmarkDecode(b *testing.B) {
	const n = 10_000
	in := persist.Input{Kind: persist.KindAlerts, Topic: "interdict.alerts", Token: "t"}
	raw := make([]byte, 1000)
	for i := range n {
		a := sampleAlert(fmt.Sprint(i), at+schema.Millis(i))
		a.Entities[1].Key, a.Entities[2].Key = fmt.Sprintf("host-%d", i%300), fmt.Sprintf("user-%d", i%200)
		a.Raw = raw
		in.Records = append(in.Records, persist.Record{Offset: int64(i), Time: at, Value: schema.AppendAlertEntry(nil, a)})
	}
	var rows persist.Rows
	b.ReportAllocs()
	for b.Loop() {
		if err := persist.Decode(in, persist.DefaultConfig(), &rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/alert")
}
