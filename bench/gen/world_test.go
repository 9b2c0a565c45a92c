package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWorldProperties draws configs and checks what must hold for all of them.
func TestWorldProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Seed:     rapid.Uint64().Draw(t, "seed"),
			Start:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "start")) * time.Second),
			Duration: time.Duration(rapid.IntRange(60, 30_000).Draw(t, "minutes")) * time.Minute, LeaseTime: time.Hour,
			Hosts: rapid.IntRange(20, 900).Draw(t, "hosts"), Users: rapid.IntRange(10, 900).Draw(t, "users"),
			Campaigns: rapid.IntRange(0, 12).Draw(t, "campaigns"), MinAlerts: 5, MaxAlerts: rapid.IntRange(5, 60).Draw(t, "max"),
			SlowShare: share(t, "slow", 1), SharedC2: share(t, "shared", 1), EntityLoss: share(t, "loss", 1),
			NoiseRatio: share(t, "noise", 5), Background: rapid.IntRange(0, 300).Draw(t, "background"),
			NoisyPairs: rapid.IntRange(0, 5).Draw(t, "pairs"), NoisyShare: share(t, "noisy", 1),
			FPBursts: rapid.IntRange(0, 2).Draw(t, "bursts"), TelemetryShare: share(t, "telemetry", 0.8),
			NATShare: share(t, "nat", 1), Decoys: rapid.IntRange(0, 50).Draw(t, "decoys"),
			Mix: Mix{1, rapid.IntRange(0, 2).Draw(t, "defender"), rapid.IntRange(0, 2).Draw(t, "guardduty"), 1, 1},
		}
		cfg.GiantCampaigns = rapid.IntRange(0, min(1, cfg.Campaigns)).Draw(t, "giants")
		w, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		checkWorld(t, w)
	})
}

func share(t *rapid.T, name string, hi float64) float64 {
	return rapid.Float64Range(0, hi).Draw(t, name)
}

func checkWorld(t *rapid.T, w *World) {
	var last time.Time
	ids := map[string]bool{}
	kinds := map[string]int{}
	alerts, n := 0, 0
	for rec := range w.Records() {
		n++
		kinds[rec.Truth.Kind]++
		if rec.Truth.Alert {
			alerts++
		}
		if !json.Valid(rec.Value) {
			t.Fatalf("not JSON: %s", rec.Value)
		}
		if rec.Time.Before(last) || rec.Time.Before(w.cfg.Start) || rec.Truth.Time != rec.Time || rec.Truth.Activity.After(rec.Time) {
			t.Fatalf("time %s after %s, truth %+v", rec.Time, last, rec.Truth)
		}
		last = rec.Time
		if (rec.Truth.VendorID == "") == (rec.Truth.Key == "") {
			t.Fatalf("want a vendor id or a key: %+v", rec.Truth)
		}
		id := rec.Truth.VendorID + rec.Truth.Key
		if ids[id] {
			t.Fatalf("id %s twice", id)
		}
		ids[id] = true
	}
	if end := w.cfg.Start.Add(w.cfg.Duration + 15*time.Minute); last.After(end) {
		t.Fatalf("last record at %s, world ends %s", last, end)
	}
	attack := 0
	for _, c := range w.campaigns {
		attack += c.Alerts
	}
	if n != w.Len() || alerts != w.Alerts() || kinds["campaign"] != attack || n-alerts != kinds["telemetry"] {
		t.Fatalf("counts: %d records of %d, %d alerts of %d, kinds %v, campaigns %d", n, w.Len(), alerts, w.Alerts(), kinds, attack)
	}
	if float64(n) > w.cfg.upperBound()+2 {
		t.Fatalf("%d records, bound %v", n, w.cfg.upperBound())
	}
}

// TestNoiseShares checks that the knobs do what they say.
func TestNoiseShares(t *testing.T) {
	cfg := Default()
	w := mustNew(t, cfg)
	kinds, bursts, lost, full := map[string]int{}, map[string]bool{}, 0, 0
	for rec := range w.Records() {
		kinds[rec.Truth.Kind]++
		if rec.Truth.Burst != "" {
			bursts[rec.Truth.Burst] = true
		}
		if rec.Source == "edr" && rec.Truth.Kind == "background" && rec.Truth.Host != "" {
			full++
			if !bytes.Contains(rec.Value, []byte(`"device":{`)) {
				lost++
			}
		}
	}
	near := func(name string, got, want, slack float64) {
		t.Helper()
		if got < want-slack || got > want+slack {
			t.Errorf("%s is %.3f, want %.3f +- %.3f", name, got, want, slack)
		}
	}
	noise := float64(kinds["background"] + kinds["noisy_pair"])
	near("noise ratio", noise/float64(kinds["campaign"]), cfg.NoiseRatio, 0.01)
	near("noisy share", float64(kinds["noisy_pair"])/noise, cfg.NoisyShare, 0.01)
	near("telemetry share", float64(kinds["telemetry"])/float64(w.Len()), cfg.TelemetryShare, 0.01)
	near("entity loss", float64(lost)/float64(full), cfg.EntityLoss, 0.05)
	near("bursts", float64(len(bursts)), float64(cfg.FPBursts), 0)
}

// TestLeases: no two machines hold one address at a time, and addresses change
// hands over time.
func TestLeases(t *testing.T) {
	cfg := Default()
	cfg.Hosts = 2_000
	w := mustNew(t, cfg)
	owners := map[addr]map[int32]bool{}
	for step := range int64(60) {
		now := map[addr]int32{}
		for i := range w.fleet.hosts {
			a := w.fleet.addrAt(int32(i), w.start+step*hour)
			if other, ok := now[a]; ok {
				t.Fatalf("%s and %s both hold %s", w.fleet.hosts[i].name, w.fleet.hosts[other].name, appendIP(nil, a))
			}
			now[a] = int32(i)
			if owners[a] == nil {
				owners[a] = map[int32]bool{}
			}
			owners[a][int32(i)] = true
		}
	}
	reused := 0
	for _, o := range owners {
		if len(o) > 1 {
			reused++
		}
	}
	if reused < 100 {
		t.Errorf("only %d addresses changed hands", reused)
	}
}

// TestIndicators: what belongs to a campaign occurs in its records; decoys occur
// nowhere, not even as a parent domain.
func TestIndicators(t *testing.T) {
	cfg := small()
	cfg.Campaigns, cfg.Decoys, cfg.EntityLoss = 20, 500, 0
	w := mustNew(t, cfg)
	var text strings.Builder
	for rec := range w.Records() {
		text.Write(rec.Value)
		text.WriteByte('\n')
	}
	records := text.String()
	hits, decoys := 0, 0
	seen := map[string]bool{}
	for _, ind := range w.Indicators() {
		if seen[ind.Value] {
			t.Errorf("%s is listed twice", ind.Value)
		}
		seen[ind.Value] = true
		found := strings.Contains(records, `"`+ind.Value+`"`)
		if ind.Type == "domain" {
			found = found || strings.Contains(records, "."+ind.Value) || strings.Contains(records, "@"+ind.Value)
		}
		if ind.Type == "ip" {
			if _, err := netip.ParseAddr(ind.Value); err != nil {
				t.Error(err)
			}
		}
		switch {
		case ind.Campaign == "" && found:
			t.Errorf("decoy %s occurs in a record", ind.Value)
		case ind.Campaign == "":
			decoys++
		case found:
			hits++
		}
	}
	if decoys != cfg.Decoys {
		t.Errorf("%d decoys, want %d", decoys, cfg.Decoys)
	}
	if hits < 3*cfg.Campaigns/2 {
		t.Errorf("only %d hostile indicators occur in the records", hits)
	}
}

func TestAssets(t *testing.T) {
	w := mustNew(t, small())
	classes := map[Class]int{}
	names := map[string]bool{}
	for _, a := range w.Assets() {
		classes[a.Class]++
		if names[a.Name] || a.Criticality == "" || len(a.Addresses) != 1 {
			t.Errorf("bad row %+v", a)
		}
		names[a.Name] = true
		if _, err := netip.ParseAddr(a.Addresses[0]); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []Class{Workstation, Server, DomainController, CloudInstance, NATGateway, VulnScanner} {
		if classes[c] == 0 {
			t.Errorf("no asset of class %s", c)
		}
	}
	for rec := range w.Records() {
		if h := rec.Truth.Host; h != "" && !names[h] {
			t.Fatalf("truth names %s, the inventory does not", h)
		}
	}
}

// TestRecordsOwnTheirBytes: a value does not change when later ones are made.
func TestRecordsOwnTheirBytes(t *testing.T) {
	w := mustNew(t, small())
	var kept [][]byte
	var copies []string
	for rec := range w.Records() {
		kept, copies = append(kept, rec.Value), append(copies, string(rec.Value))
		_ = append(rec.Value, "overwrite"...) // must not reach the next record
	}
	for i := range kept {
		if string(kept[i]) != copies[i] {
			t.Fatalf("record %d changed", i)
		}
	}
}

func BenchmarkRecords(b *testing.B) {
	w, err := New(Default())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n, bytes := 0, 0
	for b.Loop() {
		for rec := range w.Records() {
			n++
			bytes += len(rec.Value)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/record")
	b.ReportMetric(float64(bytes)/float64(n), "B/record")
}

func ExampleWorld_Records() {
	cfg := Default()
	cfg.Campaigns, cfg.NoiseRatio, cfg.FPBursts, cfg.TelemetryShare = 1, 0, 0, 0
	w, err := New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	stages := map[string]bool{}
	for rec := range w.Records() {
		stages[rec.Truth.Stage] = true
	}
	fmt.Println(w.Campaigns()[0].Template, len(stages) >= 4)
	// Output: ransomware true
}
