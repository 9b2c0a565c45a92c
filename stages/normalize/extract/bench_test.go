package extract

import (
	"bytes"
	stdjson "encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/segmentio/encoding/json"

	"github.com/interdict/interdict/stages/normalize/arena"
)

var samples = []struct {
	name  string
	paths []string
}{
	{"eve", []string{"timestamp", "flow_id", "event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "host", "app_proto", "community_id",
		"alert.action", "alert.gid", "alert.signature_id", "alert.rev", "alert.signature", "alert.category", "alert.severity",
		"alert.metadata.mitre_technique_id[]", "alert.metadata.mitre_tactic_id[]", "alert.metadata.signature_severity[]", "alert.metadata.confidence[]",
		"http.hostname", "http.url", "http.xff", "dns.query[].rrname", "tls.sni", "smtp.mail_from", "smtp.rcpt_to[]", "fileinfo.sha256", "flow.start", "flow.src_ip"}},
	{"guardduty", []string{"id", "arn", "accountId", "region", "type", "title", "description", "severity", "confidence", "createdAt", "updatedAt",
		"resource.resourceType", "resource.instanceDetails.instanceId", "resource.instanceDetails.networkInterfaces[].privateIpAddress",
		"resource.instanceDetails.networkInterfaces[].publicIp", "resource.accessKeyDetails.accessKeyId", "resource.accessKeyDetails.userName",
		"resource.s3BucketDetails[].arn", "resource.eksClusterDetails.name", "service.serviceName", "service.archived", "service.eventFirstSeen", "service.eventLastSeen",
		"service.action.actionType", "service.action.dnsRequestAction.domain", "service.action.networkConnectionAction.remoteIpDetails.ipAddressV4",
		"service.action.portProbeAction.portProbeDetails[].remoteIpDetails.ipAddressV4", "service.evidence.threatIntelligenceDetails[].threatNames[]"}},
	{"graph", []string{"id", "providerAlertId", "incidentId", "status", "severity", "classification", "serviceSource", "detectorId", "title", "description", "category",
		"mitreTechniques[]", "createdDateTime", "lastUpdateDateTime", "firstActivityDateTime", "lastActivityDateTime", "evidence[]", "evidence[].@odata\\.type", "evidence[].roles[]",
		"evidence[].verdict", "evidence[].deviceDnsName", "evidence[].mdeDeviceId", "evidence[].ipInterfaces[]", "evidence[].processCommandLine", "evidence[].processId",
		"evidence[].imageFile.sha256", "evidence[].imageFile.sha1", "evidence[].imageFile.fileName", "evidence[].imageFile.filePath", "evidence[].userAccount.accountName",
		"evidence[].userAccount.domainName", "evidence[].ipAddress", "evidence[].url"}},
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(raw)
}

func defaults() *Limits {
	return &Limits{MaxDepth: 32, MaxKeys: 2000, MaxString: 64 << 10, MaxDocument: 1 << 20}
}

// newScanner wants the paths.
func newScanner(t testing.TB, limits *Limits, paths ...string) *Scanner {
	t.Helper()
	tr, err := NewTrie([]string{"records"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		if _, err := tr.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	return NewScanner(tr, limits, &arena.Arena{})
}

// allPaths is what the samples want, together: a trie serves every format at once.
func allPaths() (paths []string) {
	for _, s := range samples {
		paths = append(paths, s.paths...)
	}
	return paths
}

func BenchmarkScan(b *testing.B) {
	for _, c := range samples {
		doc := sample(b, c.name)
		b.Run(c.name, func(b *testing.B) {
			s := newScanner(b, defaults(), allPaths()...)
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				s.arena.Reset()
				if s.Scan(doc, 0) != Done {
					b.Fatal(s.Fault)
				}
			}
		})
	}
}

// BenchmarkMixed is what learned order meets at its worst: documents of several
// products in turn, and keys in an order that no document has twice.
func BenchmarkMixed(b *testing.B) {
	var turn, shuffled [][]byte
	for _, c := range samples {
		turn = append(turn, sample(b, c.name))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 256 {
		shuffled = append(shuffled, shuffle(turn[0], rnd))
	}
	for name, docs := range map[string][][]byte{"turn": turn, "eve_shuffled": shuffled} {
		b.Run(name, func(b *testing.B) {
			s := newScanner(b, defaults(), allPaths()...)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				s.arena.Reset()
				if s.Scan(docs[i], 0) != Done {
					b.Fatal(s.Fault)
				}
				if i++; i == len(docs) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkBaseline is what general decoders need for the same, to be read
// beside BenchmarkScan: none of them looks for keys that appear twice, lone
// surrogates or depth.
func BenchmarkBaseline(b *testing.B) {
	for _, c := range samples {
		doc := sample(b, c.name)
		run := func(name string, f func() error) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				b.ReportAllocs()
				for b.Loop() {
					if err := f(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		into := map[string]func() any{"eve": func() any { return new(eve) }, "guardduty": func() any { return new(guardDuty) }, "graph": func() any { return new(graph) }}[c.name]
		run("segmentio_valid", func() error {
			if !json.Valid(doc) {
				return errInvalid
			}
			return nil
		})
		v := into()
		run("segmentio_zerocopy", func() error {
			_, err := json.Parse(doc, v, json.ZeroCopy|json.DontMatchCaseInsensitiveStructFields)
			return err
		})
		run("encoding_json", func() error { return stdjson.Unmarshal(doc, into()) })
	}
}
