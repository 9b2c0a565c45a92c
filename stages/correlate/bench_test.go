package correlate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// feed makes an endless stream of alerts in order of time: a fleet whose size
// sets how many alerts are live at 48 h of windows, a few hubs, and bursts.
type feed struct {
	rng   *rand.Rand
	hosts int
	now   schema.Millis
	gap   int64 // ms between alerts
	n     uint64
	host  int
}

func newFeed(live int) *feed {
	const horizon = 49 * 3600_000
	return &feed{rng: rand.New(rand.NewPCG(1, 2)), hosts: max(live/4, 10), now: 1_700_000_000_000, gap: max(horizon/int64(live), 1)}
}

func (f *feed) next(a *schema.Alert) {
	f.n++
	f.now += schema.Millis(f.gap)
	if f.rng.IntN(3) > 0 {
		f.host = f.rng.IntN(f.hosts)
	}
	user, file := f.host, f.host
	if f.rng.IntN(20) == 0 { // another host's user, another host's file: what incidents grow by
		user = f.rng.IntN(f.hosts)
	}
	if f.rng.IntN(20) == 0 {
		file = f.rng.IntN(f.hosts)
	}
	a.ID = schema.NewAlertID("acme", "edr", fmt.Sprint(f.n))
	a.Tenant, a.Source, a.VendorID, a.Content = "acme", "edr", fmt.Sprintf("vendor-alert-%d", f.n), f.n
	a.Title, a.Created, a.Severity = "Suspicious process started by office application", f.now, schema.Severity(1+f.rng.IntN(4))
	a.Entities = append(a.Entities[:0],
		schema.Entity{Type: schema.EntityHost, Key: fmt.Sprintf("host-%d.corp.example", f.host), Role: schema.RoleTarget},
		schema.Entity{Type: schema.EntityUser, Key: fmt.Sprintf("user%d", user), Role: schema.RoleActor},
		schema.Entity{Type: schema.EntityIP, Key: fmt.Sprintf("10.%d.%d.%d", f.host>>16&255, f.host>>8&255, f.host&255), Role: schema.RoleSource},
		schema.Entity{Type: schema.EntityFileHash, Key: fmt.Sprintf("%064x", file)})
	a.Techniques = append(a.Techniques[:0], schema.Technique{ID: "T1059.001", Tactic: "TA0002"})
}

// BenchmarkProcess is the cost of an alert, with its share of Advance, Commit
// and output, in batches of 500 at a steady number of live alerts.
func BenchmarkProcess(b *testing.B) {
	for _, live := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			ctx := context.Background()
			c := must(b, Default())
			f := newFeed(live)
			batch := &schema.Batch{}
			const size = 500
			var cpu time.Duration
			step := func(n int) {
				batch.Reset()
				for range n {
					f.next(batch.NextAlert())
				}
				b.StartTimer()
				from := processCPU(b)
				batch.Position++
				if err := c.Process(ctx, batch); err != nil {
					b.Fatal(err)
				}
				if err := c.Advance(ctx, stages.Tick{Tenant: "acme", Watermark: f.now - 60_000}, batch); err != nil {
					b.Fatal(err)
				}
				c.Commit()
				cpu += processCPU(b) - from
				b.StopTimer()
			}
			b.StopTimer()
			for n := 0; n < live*3/2; n += size {
				step(size)
			}
			runtime.GC()
			b.ReportAllocs()
			cpu = 0
			b.ResetTimer()
			for n := 0; n < b.N; n += size {
				step(min(size, b.N-n))
			}
			s := c.Stats()
			b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(s.Alerts), "live-alerts")
			b.ReportMetric(float64(s.Keys), "live-keys")
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/float64(s.Alerts), "heap-B/alert")
			runtime.KeepAlive(c)
		})
	}
}

// processCPU is the process's user and system time: what a shared machine does
// not distort.
func processCPU(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
