package canon

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/interdict/interdict/stages/normalize/arena"
)

func BenchmarkKeys(b *testing.B) {
	for _, c := range []struct {
		name string
		f    func(*arena.Arena, string) string
		in   string
	}{
		{"ip", IP, "10.20.30.40"}, {"ip6", IP, "2001:db8::1"}, {"host", Host, "ws-1"}, {"fqdn", Host, "ws-1.corp.example"}, {"domain", Domain, "www.example.com"},
		{"url", URL, "http://example.com/path/to/file?x=1"}, {"hash", Hash, "44d88612fea8a8f36de82e1278abb02f44d88612fea8a8f36de82e1278abb02f"},
		{"user", User, "alice"}, {"samuser", User, `CORP\alice`}, {"mailbox", Mailbox, "alice@corp.example"}, {"file", File, `c:\windows\system32\cmd.exe`},
		{"unixfile", File, "/usr/bin/nc"}, {"resource", Resource, "arn:aws:s3:::bucket"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var a arena.Arena
			b.ReportAllocs()
			for b.Loop() {
				a.Buf = a.Buf[:0]
				c.f(&a, c.in)
			}
		})
	}
	for _, in := range []string{"2026-03-02T08:15:30Z", "2026-03-02T08:15:30.123456+0100", "1772439330123", "1772439330.123456"} {
		b.Run(in, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseTime(in)
			}
		})
	}
}

// BenchmarkHashes has a different hash each time, as a stream has: digits that
// nothing predicts.
func BenchmarkHashes(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	hashes := make([]string, 4096)
	for i := range hashes {
		hashes[i] = fmt.Sprintf("%016x%016x%016x%016x", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
	}
	var a arena.Arena
	for i := 0; b.Loop(); i++ {
		if Hash(&a, hashes[i%len(hashes)]) == "" {
			b.Fatal("no hash")
		}
	}
}
