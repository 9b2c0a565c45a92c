package normalize

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/schema"
)

func benchDocument(b *testing.B, file string) []byte {
	raw, err := os.ReadFile(filepath.Join("formats", file))
	if err != nil {
		b.Fatal(err)
	}
	return bytes.TrimSpace(raw)
}

var benchFiles = []struct{ name, file string }{
	{"eve_1200", "suricata_eve/cases/scan_1200.json"},
	{"eve_rich", "suricata_eve/cases/http_cnc.json"},
	{"eve_telemetry", "suricata_eve/cases/telemetry_one.json"},
	{"guardduty", "aws_guardduty/cases/sequence.json"},
	{"guardduty_eventbridge", "aws_guardduty/cases/ec2_backdoor.json"},
	{"graph", "microsoft_graph_alerts_v2/cases/ransomware.json"},
	{"okta", "okta_system_log/cases/one.json"},
	{"ocsf", "ocsf/cases/detection_1_8.json"},
}

// BenchmarkProcess is the whole stage, 64 records a batch; ns/op is per record.
func BenchmarkProcess(b *testing.B) {
	for _, f := range benchFiles {
		b.Run(f.name, func(b *testing.B) {
			doc := benchDocument(b, f.file)
			n := newNormalizer(b, nil)
			src := testSource()
			batch := &schema.Batch{}
			fill := func() {
				batch.Reset()
				for range 64 {
					batch.Raw = append(batch.Raw, schema.Raw{Source: src, Value: doc, Time: CaseTime})
				}
			}
			fill()
			if err := n.Process(context.Background(), batch); err != nil || len(batch.Rejects) > 0 {
				b.Fatalf("%v %+v", err, batch.Rejects)
			}
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += 64 {
				fill()
				if err := n.Process(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLoad is what every start pays for the built-in formats.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(Default()); err != nil {
			b.Fatal(err)
		}
	}
}
