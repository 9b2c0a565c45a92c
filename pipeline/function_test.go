package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/correlate"
	"github.com/interdict/interdict/stages/disrupt"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/canon"
	"github.com/interdict/interdict/stages/respond"
)

// armedPlan is a plan with the sources of a generated world, whose policies act.
func armedPlan(t testing.TB) *Plan {
	t.Helper()
	cfg := Config{Detect: DefaultDetectConfig(), Normalize: normalize.Default(), Correlate: correlate.Default(), Disrupt: disrupt.DefaultConfig(), Respond: respond.DefaultConfig()}
	cfg.Disrupt.Budget.Floor = 1000
	cfg.Disrupt.Policies = slices.Clone(cfg.Disrupt.Policies)
	for i := range cfg.Disrupt.Policies {
		cfg.Disrupt.Policies[i].Mode = disrupt.ModeArmed
	}
	for _, s := range gen.Sources() {
		cfg.Sources = append(cfg.Sources, schema.Source{ID: s, Tenant: "t", Topic: "raw." + s, Attests: []string{"host", "user"}})
	}
	p, err := NewPlan(cfg, Deps{Index: &match.Holder{}, Prefix: "interdict"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// alertsLog takes a world through hop 1, a lane per source, and gives the log:
// inventory first, watermarks between, and a kill switch that goes on and off.
func alertsLog(t testing.TB, p *Plan, world *gen.World) []Record {
	t.Helper()
	var log []Record
	take := func(msgs []Out) {
		for _, m := range msgs {
			if m.Topic != TopicAlerts {
				t.Fatalf("hop 1 wrote to %s", m.Topic.Spec().Suffix)
			}
			log = append(log, Record{Offset: int64(len(log)), Key: bytes.Clone(m.Key), Value: bytes.Clone(m.Value)})
		}
	}
	var now schema.Millis
	for _, a := range world.Assets() {
		c, err := assetControl(schema.Asset{Tenant: "t", Entity: schema.EntityRef{Type: schema.EntityHost, Key: canon.HostKey(a.Name)}, Class: string(a.Class),
			Fresh: schema.FromTime(a.Updated)})
		if err != nil {
			t.Fatal(err)
		}
		take([]Out{controlEntry(c)})
	}
	lanes := map[string]*detectLane{}
	for i := range p.cfg.Sources {
		s := &p.cfg.Sources[i]
		steps, err := p.detectSteps()
		if err != nil {
			t.Fatal(err)
		}
		lanes[s.ID] = newDetectLane(p.cfg.Detect, LaneID{s.Topic, 0, 1}, s, chain{steps: steps}, func() schema.Millis { return now })
	}
	n := 0
	for r := range world.Records() {
		now = schema.FromTime(r.Time)
		var out Outbox
		if err := lanes[r.Source].Process(context.Background(), []Record{{Offset: int64(n), Time: now, Value: r.Value}}, &out); err != nil {
			t.Fatal(err)
		}
		take(out.Msgs)
		lanes[r.Source].Commit()
		if n++; n == world.Len()/3 || n == world.Len()/3+50 {
			take([]Out{controlEntry(killSwitch(map[bool]string{true: "on", false: "off"}[n == world.Len()/3]))})
		}
	}
	return log
}

// outcome is the last word of hop 2 on each object, without versions.
type outcome map[string]string

func (o outcome) take(t testing.TB, msgs []Out) {
	for _, m := range msgs {
		v := bytes.Clone(m.Value)
		key := m.Topic.Spec().Suffix + " " + fmt.Sprintf("%q", m.Key)
		var x any
		var err error
		switch m.Topic {
		case TopicIncidents:
			var i schema.Incident
			err = i.DecodeWire(v)
			i.Version = 0
			x = i
		case TopicMembers:
			var i schema.Member
			err = i.DecodeWire(v)
			i.Version = 0
			x = i
		case TopicPaths:
			var i schema.Path
			err = i.DecodeWire(v)
			i.Version = 0
			x = i
		case TopicLeases:
			var i schema.Lease
			err = i.DecodeWire(v)
			i.Version = 0
			x = i
		case TopicDecisions:
			var i schema.Decision
			err = i.DecodeWire(v)
			key, x = "decision "+i.ID.String(), i
		case TopicActions:
			var i schema.Action
			err = i.DecodeWire(v)
			key, x = "action "+i.ID.String(), i
		default:
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		o[key] = fmt.Sprintf("%+v", x)
	}
}

func (o outcome) diff(p outcome) string {
	var b strings.Builder
	keys := maps.Clone(o)
	maps.Copy(keys, p)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if o[k] != p[k] {
			fmt.Fprintf(&b, "%s\n  got  %s\n  want %s\n", k, p[k], o[k])
		}
		if b.Len() > 4000 {
			break
		}
	}
	return b.String()
}

func smallWorld(t testing.TB) *gen.World {
	t.Helper()
	cfg := gen.Default()
	cfg.Hosts, cfg.Users, cfg.Campaigns, cfg.Duration, cfg.SlowShare, cfg.Tenant = 40, 40, 2, 8*time.Hour, 0, "t"
	world, err := gen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return world
}

// TestHop2IsAFunctionOfItsLog: transactions that end anywhere, some of them
// aborted, and lanes that are replaced at any commit by one restored from
// a snapshot, leave what a run in one piece leaves. So does a lane that was
// restored from an older snapshot and caught up silently.
func TestHop2IsAFunctionOfItsLog(t *testing.T) {
	p := armedPlan(t)
	log := alertsLog(t, p, smallWorld(t))
	var want outcome
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 1))
		run := func(size func() int, meanwhile func(l *correlateLane, next int) (*correlateLane, bool)) outcome {
			got := outcome{}
			l := p.correlateLane()
			var out Outbox
			for at := 0; at < len(log); {
				to := min(len(log), at+size())
				out.Reset()
				// The records' memory is taken back after the transaction.
				recs := make([]Record, 0, to-at)
				for _, r := range log[at:to] {
					recs = append(recs, Record{Offset: r.Offset, Key: bytes.Clone(r.Key), Value: bytes.Clone(r.Value)})
				}
				if err := l.Process(context.Background(), recs, &out); err != nil {
					t.Fatal(err)
				}
				next, again := meanwhile(l, to)
				if !again {
					got.take(t, out.Msgs)
					at = to
				}
				scribble(recs)
				l = next
			}
			return got
		}
		if want == nil {
			want = run(func() int { return 100 }, func(l *correlateLane, _ int) (*correlateLane, bool) { l.Commit(); return l, false })
			kinds := map[string]int{}
			for k := range want {
				kinds[strings.Fields(k)[0]]++
			}
			t.Log(len(log), kinds)
			for _, k := range []string{"incidents", "incident-members", "paths", "leases", "decision", "action"} {
				if kinds[k] == 0 {
					t.Fatalf("the world makes no %s", k)
				}
			}
		}
		var older []byte // a snapshot, and the position behind it
		position := 0
		largest := []int{20, 300, 2000}[r.IntN(3)]
		got := run(func() int { return 1 + r.IntN(largest) }, func(l *correlateLane, next int) (*correlateLane, bool) {
			switch r.IntN(10) {
			case 0, 1:
				l.Rollback()
				return l, true
			case 2:
				l.Commit()
				older, position = snapshotOf(t, l), next
				return restored(t, p, older), false
			case 3:
				l.Commit()
				if older == nil {
					return l, false
				}
				n := restored(t, p, older)
				n.SetReplaying(true)
				var out Outbox
				if err := n.Process(context.Background(), log[position:next], &out); err != nil || len(out.Msgs) > 0 {
					t.Fatalf("replaying: %v, %d messages", err, len(out.Msgs))
				}
				n.Commit()
				n.SetReplaying(false)
				if !bytes.Equal(snapshotOf(t, n), snapshotOf(t, l)) {
					t.Fatal("the state that was caught up differs")
				}
				return n, false
			}
			l.Commit()
			return l, false
		})
		if d := want.diff(got); d != "" {
			t.Fatalf("seed %d: differs:\n%s", seed, d)
		}
	}
}

func restored(t testing.TB, p *Plan, snapshot []byte) *correlateLane {
	n := p.correlateLane()
	if err := n.Restore(bytes.NewReader(snapshot)); err != nil {
		t.Fatal(err)
	}
	return n
}
