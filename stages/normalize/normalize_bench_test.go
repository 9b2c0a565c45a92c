package normalize

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/schema"
)

func benchDocument(b *testing.B, file string) []byte {
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		b.Fatal(err)
	}
	return bytes.TrimSpace(raw)
}

var benchFiles = []struct{ name, file string }{
	{"eve_1200", "suricata_eve/scan_1200.json"},
	{"eve_rich", "suricata_eve/http_cnc.json"},
	{"eve_telemetry", "suricata_eve/telemetry_one.json"},
	{"guardduty", "aws_guardduty/sequence.json"},
	{"guardduty_eventbridge", "aws_guardduty/ec2_backdoor.json"},
	{"graph", "microsoft_graph_alerts_v2/ransomware.json"},
	{"okta", "okta_system_log/one.json"},
	{"ocsf", "ocsf/detection_1_8.json"},
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
					batch.Raw = append(batch.Raw, schema.Raw{Source: src, Value: doc, Time: ingested})
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

// BenchmarkScan is the scanner alone: validation and capture.
func BenchmarkScan(b *testing.B) {
	doc := benchDocument(b, "suricata_eve/scan_1200.json")
	s := newNormalizer(b, nil).scanners[0]
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		s.arena.reset()
		if s.scan(doc, 0) != scanDone {
			b.Fatal(s.fault)
		}
	}
}

// eve is the part of EVE that the mapping reads, for the decoders below.
type eve struct {
	Timestamp string   `json:"timestamp"`
	EventType string   `json:"event_type"`
	FlowID    uint64   `json:"flow_id"`
	SrcIP     string   `json:"src_ip"`
	DestIP    string   `json:"dest_ip"`
	Direction string   `json:"direction"`
	Host      string   `json:"host"`
	Alert     eveAlert `json:"alert"`
	Flow      struct {
		Start  string `json:"start"`
		SrcIP  string `json:"src_ip"`
		DestIP string `json:"dest_ip"`
	} `json:"flow"`
	HTTP struct {
		Hostname string `json:"hostname"`
		URL      string `json:"url"`
	} `json:"http"`
	Fileinfo struct {
		Filename string `json:"filename"`
		SHA256   string `json:"sha256"`
	} `json:"fileinfo"`
}

type eveAlert struct {
	Action      string `json:"action"`
	GID         int    `json:"gid"`
	SignatureID int    `json:"signature_id"`
	Signature   string `json:"signature"`
	Category    string `json:"category"`
	Severity    int    `json:"severity"`
	Metadata    struct {
		Technique  []string `json:"mitre_technique_id"`
		Tactic     []string `json:"mitre_tactic_id"`
		Confidence []string `json:"confidence"`
	} `json:"metadata"`
}

// BenchmarkDecode is what general decoders need for the same document, to be
// read beside BenchmarkScan: none of them checks for duplicate keys, lone
// surrogates or depth.
func BenchmarkDecode(b *testing.B) {
	doc := benchDocument(b, "suricata_eve/scan_1200.json")
	decode := func(name string, f func(*eve) error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			var v eve
			for b.Loop() {
				if err := f(&v); err != nil || v.Alert.SignatureID == 0 {
					b.Fatal(err)
				}
			}
		})
	}
	decode("encoding_json", func(v *eve) error { return stdjson.Unmarshal(doc, v) })
	decode("segmentio", func(v *eve) error { return json.Unmarshal(doc, v) })
	decode("segmentio_zerocopy", func(v *eve) error {
		_, err := json.Parse(doc, v, json.ZeroCopy|json.DontMatchCaseInsensitiveStructFields)
		return err
	})
}
