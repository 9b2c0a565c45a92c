package oracle_test

import (
	"bytes"
	"flag"
	"fmt"
	"testing"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

var (
	runs = flag.Int("oracle.runs", 300, "random worlds to feed to the stage")
	seed = flag.Uint64("oracle.seed", 0, "seed of the first of them")
)

// TestInvariance feeds random worlds to the stage: whatever the partitions,
// batches, aborted attempts and restarts, its last word is the oracle's.
func TestInvariance(t *testing.T) {
	tally := map[string]int{}
	var failed []uint64
	for i := range *runs {
		s := *seed + uint64(i)
		p, steps := randomRun(s)
		if !fair(steps) {
			t.Fatalf("seed %d: the delivery is not fair", s)
		}
		if diff := compare(t.Context(), p, steps); diff != "" {
			failed = append(failed, s)
			if len(failed) == 1 {
				t.Errorf("-oracle.seed=%d -oracle.runs=1\n%s", s, report(t, p, steps, diff))
			}
		}
		count(tally, p, steps)
	}
	if len(failed) > 0 {
		t.Errorf("%d of %d runs failed, with seeds %v", len(failed), *runs, failed[:min(len(failed), 50)])
	}
	t.Logf("%d runs: %v", *runs, tally)
	if *runs < 300 {
		return
	}
	for _, what := range []string{"level 0", "level 1", "level 2", "level 3", "level 4", "single", "revisions", "silent", "rollbacks",
		"restarts", "weight 0", "campaigns", "masked"} {
		if tally[what] < *runs/20 {
			t.Errorf("%d runs met %q only %d times", *runs, what, tally[what])
		}
	}
}

func randomRun(seed uint64) (oracle.Params, []step) {
	pick := seeded(seed)
	p := pickParams(pick)
	docs := pickWorld(pick, tenant, 2+pick(60))
	if pick.chance(30) {
		docs = append(docs, pickWorld(pick, other, 1+pick(20))...)
	}
	return p, pickDelivery(pick, docs, pick.chance(15))
}

// TestStarvedSource is about the hold alone: the observations that make a degree
// come last, when the ones whose windows they decide have long arrived.
func TestStarvedSource(t *testing.T) {
	silenced := 0
	for s := range uint64(100) {
		pick := seeded(s)
		p := oracle.DefaultParams()
		p.HubDegree = 1 + pick(2)
		p.RareDegree = p.HubDegree
		var steps []step
		var slow []schema.Alert
		for i := range 12 {
			a := newAlert(fmt.Sprintf("%02d", i), "", day0+schema.Millis(pick(int(30*schema.Hour))))
			a.Entities = []schema.Entity{{Type: schema.EntityHost, Key: pickOf(pick, "h1", "h2")}}
			if pick.chance(50) {
				slow = append(slow, a)
			} else {
				steps = append(steps, step{kind: deliver, doc: a}, step{kind: pickOf(pick, cut, commit)})
			}
		}
		for _, a := range slow {
			steps = append(steps, step{kind: deliver, doc: a}, step{kind: pickOf(pick, cut, commit, restart)})
		}
		steps = append(steps, step{kind: tick, tenant: tenant, wm: day0 + 2*schema.Day})
		if !fair(steps) {
			t.Fatal("the delivery is not fair")
		}
		if diff := compare(t.Context(), p, steps); diff != "" {
			t.Fatalf("seed %d: %s", s, report(t, p, steps, diff))
		}
		docs := committed(steps)
		want := oracle.Correlate(tenant, docs, p)
		p.HubDegree = 1 << 20
		if !bytes.Equal(oracle.Correlate(tenant, docs, p).Dump(), want.Dump()) {
			silenced++
		}
	}
	if silenced < 20 {
		t.Errorf("a degree silenced a key in %d runs only", silenced)
	}
}

// count notes what a run had in it, so that a generator that has gone dull
// fails.
func count(tally map[string]int, p oracle.Params, steps []step) {
	docs := committed(steps)
	r := oracle.Correlate(tenant, docs, p)
	for _, in := range r.Incidents {
		what := fmt.Sprintf("level %d", in.Level)
		if in.Level == schema.LevelSingle {
			what = "single"
		}
		tally[what]++
		if in.Campaign != in.ID {
			tally["campaigns"]++
		}
		if in.CampaignNewest >= p.Close(in.Newest) {
			tally["masked"]++
		}
	}
	for _, m := range r.Members {
		if m.Weight == 0 {
			tally["weight 0"]++
		}
	}
	ids, contents := map[schema.AlertID]bool{}, map[uint64]bool{}
	for _, d := range docs {
		ids[d.ID], contents[d.Content] = true, true
	}
	tally["revisions"] += len(contents) - len(ids)
	tally["duplicates"] += len(docs) - len(contents)
	for _, s := range steps {
		switch s.kind {
		case rollback:
			tally["rollbacks"]++
		case restart:
			tally["restarts"]++
		}
	}
	p.HubDegree = 1 << 20
	if !bytes.Equal(oracle.Correlate(tenant, docs, p).Dump(), r.Dump()) {
		tally["silent"]++ // without silence the result is another
	}
}

// report makes a failing run small and writes it as a case for
// testdata/stage.txt.
func report(t *testing.T, p oracle.Params, steps []step, diff string) string {
	t.Helper()
	fails := func(s []step) bool { return fair(s) && compare(t.Context(), p, s) != "" }
	if small := shrink(steps, fails); len(small) < len(steps) {
		steps = small
		diff = compare(t.Context(), p, steps)
	}
	return "== repro\n" + paramsText(p) + stepsText(steps) + "\n" + diff
}

// shrink deletes steps, many at a time and then one by one, and then entities,
// as long as what is left still fails.
func shrink(steps []step, fails func([]step) bool) []step {
	for n := len(steps) / 2; n > 0; {
		again := false
		for at := 0; at+n <= len(steps); {
			less := append(append([]step(nil), steps[:at]...), steps[at+n:]...)
			if fails(less) {
				steps, again = less, true
			} else {
				at += n
			}
		}
		if !again || n > 1 {
			n /= 2
		}
	}
	for i := range steps {
		for e := 0; e < len(steps[i].doc.Entities); {
			less := append([]step(nil), steps...)
			entities := less[i].doc.Entities
			less[i].doc.Entities = append(append([]schema.Entity(nil), entities[:e]...), entities[e+1:]...)
			for j := range less { // a document is the same wherever it is
				if less[j].kind == deliver && less[j].doc.Tenant == less[i].doc.Tenant && less[j].doc.Content == less[i].doc.Content {
					less[j].doc.Entities = less[i].doc.Entities
				}
			}
			if fails(less) {
				steps = less
			} else {
				e++
			}
		}
	}
	return steps
}

// TestRulesInStage runs the hand-worked cases through the stage, forwards and
// backwards, and with a commit after every alert.
func TestRulesInStage(t *testing.T) {
	for _, s := range readScripts(t, "testdata/rules.txt") {
		p := s.params
		p.RareDegree = min(p.RareDegree, p.HubDegree)
		t.Run(s.name, func(t *testing.T) {
			end := []step{{kind: tick, tenant: tenant, wm: day0 + 10*schema.Day}}
			var back, slow []step
			for i := range s.steps {
				back = append(back, s.steps[len(s.steps)-1-i])
				slow = append(slow, s.steps[i], step{kind: commit}, step{kind: tick, tenant: tenant, wm: day0 - schema.Hour})
			}
			for name, steps := range map[string][]step{"forward": s.steps, "backward": back, "slow": slow} {
				steps = append(append([]step(nil), steps...), end...)
				if diff := compare(t.Context(), p, steps); diff != "" {
					t.Errorf("%s: %s", name, report(t, p, steps, diff))
				}
			}
		})
	}
}

// TestStageScripts runs the cases of what happens to a running stage.
func TestStageScripts(t *testing.T) {
	for _, s := range readScripts(t, "testdata/stage.txt") {
		t.Run(s.name, func(t *testing.T) {
			if !fair(s.steps) {
				t.Fatal("the case is not fair")
			}
			if got := render(tenant, oracle.Correlate(tenant, committed(s.steps), s.params)); got != s.want {
				t.Errorf("oracle:\n%swant:\n%s", got, s.want)
			}
			if diff := compare(t.Context(), s.params, s.steps); diff != "" {
				t.Error(diff)
			}
		})
	}
}
