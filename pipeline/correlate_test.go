package pipeline

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// give takes entries through a lane and gives what its stages saw.
func give(t testing.TB, l *correlateLane, offset int64, entries ...Out) []string {
	t.Helper()
	var out Outbox
	recs := logOf(offset, entries...)
	if err := l.Process(context.Background(), recs, &out); err != nil {
		t.Fatal(err)
	}
	got := events(t, &out)
	return got
}

func same(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func killSwitch(state string) schema.Control {
	return schema.Control{Kind: schema.ControlKillSwitch, Object: "kill-switch", Value: state, Actor: "ana"}
}

// TestEntriesKeepTheirOrder: ticks and control records stand between the alerts
// around them; ticks are given when they are due, without alerts too.
func TestEntriesKeepTheirOrder(t *testing.T) {
	l := diaryLane()
	same(t, give(t, l, 10,
		alertEntry("t", "a", schema.Hour), alertEntry("t", "b", schema.Hour),
		watermarkEntry("t", schema.Hour, schema.Hour), // 12: due
		alertEntry("t", "c", schema.Hour),
		watermarkEntry("t", schema.Hour+1, schema.Hour+1), // 14: not due
		alertEntry("t", "d", schema.Hour),
		controlEntry(schema.Control{Tenant: "t", Kind: schema.ControlRelease, Object: "x"}), // 16
		alertEntry("t", "e", schema.Hour),
		watermarkEntry("t", 2*schema.Hour, schema.Hour+1)), // 18: due by the watermark
		"alert t a", "alert t b", "tick t watermark 3540000 now 3600000 at 13",
		"alert t c", "alert t d", "release t x  at 17", "alert t e", "tick t watermark 7140000 now 3600001 at 19")
	l.Commit()
	same(t, give(t, l, 19, watermarkEntry("t", 2*schema.Hour, 2*schema.Hour)), "tick t watermark 7140000 now 7200000 at 20")
}

// TestRetroKeepsItsPlace: a retro-match comes after the alerts before it and before
// those after it, however the log is cut into polls.
func TestRetroKeepsItsPlace(t *testing.T) {
	entries := []Out{alertEntry("t", "a", schema.Hour), alertEntry("t", "b", schema.Hour), retroEntry("t", "x"), retroEntry("t", "y"),
		alertEntry("t", "c", schema.Hour), retroEntry("t", "z"), controlEntry(schema.Control{Tenant: "t", Kind: schema.ControlRelease, Object: "o"}),
		retroEntry("t", "w"), watermarkEntry("t", schema.Hour, schema.Hour)}
	want := []string{"alert t a", "alert t b", "retro t x at 4", "retro t y at 4", "alert t c", "retro t z at 6", "release t o  at 7",
		"retro t w at 8", "tick t watermark 3540000 now 3600000 at 9"}
	same(t, give(t, diaryLane(), 0, entries...), want...)
	l := diaryLane()
	var got []string
	for i := range entries {
		got = append(got, give(t, l, int64(i), entries[i])...)
		l.Commit()
	}
	want[2] = "retro t x at 3" // the batch's position is that of its last entry
	same(t, got, want...)
}

// TestControlOfAllTenants reaches every shard there is, in order, behind what
// came before, and every shard that opens later; the newest counts.
func TestControlOfAllTenants(t *testing.T) {
	first := otherShard("")
	second := otherShard("", first)
	late := otherShard("", first, second)
	l := diaryLane()
	give(t, l, 0, alertEntry(first, "a", schema.Hour), alertEntry(second, "b", schema.Hour))
	l.Commit()
	got := give(t, l, 2, alertEntry(first, "c", schema.Hour), controlEntry(killSwitch("on")), alertEntry(first, "d", schema.Hour))
	if n := len(got); n != 5 || got[4] != "alert "+first+" d" || slices.Index(got, "alert "+first+" c") > 2 {
		t.Errorf("got %q", got)
	}
	on := 0
	for _, line := range got {
		if line == "kill_switch  kill-switch on at 4" {
			on++
		}
	}
	if on != 3 { // both, and the shard of the record itself
		t.Errorf("the kill switch reached %d shards: %q", on, got)
	}
	l.Commit()
	give(t, l, 5, controlEntry(schema.Control{Kind: schema.ControlReleaseAll, Object: "all"}))
	l.Commit()
	same(t, give(t, l, 6, alertEntry(late, "e", schema.Hour)), "kill_switch  kill-switch on at 7", "alert "+late+" e")
	l.Commit()
	give(t, l, 7, controlEntry(killSwitch("off")))
	l.Commit()
	later := otherShard("", first, second, late)
	same(t, give(t, l, 8, watermarkEntry(later, schema.Hour, schema.Hour)),
		"kill_switch  kill-switch off at 9", "tick "+later+" watermark 3540000 now 3600000 at 9")
}

// TestRollbackForgetsShards: a shard that opened in an aborted transaction opens
// again as new, with the kill switch that held then and now.
func TestRollbackForgetsShards(t *testing.T) {
	tenant := otherShard("")
	l := diaryLane()
	give(t, l, 0, controlEntry(killSwitch("on")))
	l.Commit()
	before := snapshotOf(t, l)
	want := []string{"kill_switch  kill-switch on at 2", "alert " + tenant + " a"}
	same(t, give(t, l, 1, alertEntry(tenant, "a", schema.Hour)), want...)
	l.Rollback()
	if !bytes.Equal(snapshotOf(t, l), before) {
		t.Error("the rollback left something behind")
	}
	same(t, give(t, l, 1, alertEntry(tenant, "a", schema.Hour)), want...)
	l.Commit()
	give(t, l, 2, controlEntry(killSwitch("off")))
	l.Rollback()
	same(t, give(t, l, 2, alertEntry(otherShard("", tenant), "b", schema.Hour)),
		"kill_switch  kill-switch on at 3", "alert "+otherShard("", tenant)+" b")
}

// TestRollbackIsExact: also after an error in the middle of a batch, and with the
// memory of the records gone, the lane is as it was.
func TestRollbackIsExact(t *testing.T) {
	tenant := sameShard("t")
	l := diaryLane()
	recs := logOf(0, alertEntry("t", "a", schema.Hour), watermarkEntry("t", schema.Hour, schema.Hour), controlEntry(killSwitch("on")),
		watermarkEntry(tenant, 3*schema.Hour, schema.Hour))
	var out Outbox
	if err := l.Process(context.Background(), recs, &out); err != nil {
		t.Fatal(err)
	}
	l.Commit()
	before := snapshotOf(t, l)
	scribble(recs)
	if !bytes.Equal(snapshotOf(t, l), before) {
		t.Fatal("the lane keeps memory of its records")
	}
	for range 2 {
		recs := logOf(4, alertEntry("t", "b", 9*schema.Hour), watermarkEntry("t", 9*schema.Hour, 9*schema.Hour), controlEntry(killSwitch("off")),
			alertEntry("t", "fail", 9*schema.Hour))
		if err := l.Process(context.Background(), recs, &out); !stages.IsPermanent(err) {
			t.Fatalf("the stage's error came back as %v", err)
		}
		l.Rollback()
		scribble(recs)
		if after := snapshotOf(t, l); !bytes.Equal(after, before) {
			t.Fatalf("after a rollback:\n%s\nbefore:\n%s", after, before)
		}
	}
	same(t, give(t, l, 4, alertEntry("t", "b", schema.Hour)), "alert t b")
}

// TestActionMakesCase: correlate hears of an incident that an action came of, in
// the same transaction and with the position of the alert.
func TestActionMakesCase(t *testing.T) {
	l := diaryLane()
	id := schema.NewIncidentID("t", schema.NewAlertID("t", "s", "act"))
	same(t, give(t, l, 4, alertEntry("t", "act", schema.Hour)), "alert t act", "case t "+id.String()+" action at 5")
}

// TestReplayingIsSilent: the state is the same, the outbox empty.
func TestReplayingIsSilent(t *testing.T) {
	entries := []Out{alertEntry("t", "act", schema.Hour), watermarkEntry("t", schema.Hour, schema.Hour), controlEntry(killSwitch("on"))}
	loud, quiet := diaryLane(), diaryLane()
	give(t, loud, 0, entries...)
	loud.Commit()
	quiet.SetReplaying(true)
	var out Outbox
	if err := quiet.Process(context.Background(), logOf(0, entries...), &out); err != nil {
		t.Fatal(err)
	}
	quiet.Commit()
	if len(out.Msgs) > 0 || out.Urgent {
		t.Errorf("%d messages while replaying", len(out.Msgs))
	}
	if !bytes.Equal(snapshotOf(t, loud), snapshotOf(t, quiet)) {
		t.Error("the state differs")
	}
	quiet.SetReplaying(false)
	if got := give(t, quiet, 3, alertEntry("t", "a", schema.Hour)); len(got) != 1 {
		t.Errorf("after replaying: %q", got)
	}
}

// TestBadLog: what cannot be read of the log stops the hop; what a newer version
// wrote is passed over.
func TestBadLog(t *testing.T) {
	good := alertEntry("t", "a", schema.Hour)
	for name, r := range map[string]Record{
		"no key": {Value: good.Value}, "long key": {Key: []byte{0, 0, 1}, Value: good.Value}, "no shard": {Key: []byte{4, 0}, Value: good.Value},
		"no entry": {Key: good.Key, Value: []byte{0xff}}, "no alert": {Key: good.Key, Value: []byte{0x0a, 2, 0x0a, 9}},
		"no watermark": {Key: good.Key, Value: []byte{0x12, 2, 0x0a, 9}}, "no control": {Key: good.Key, Value: []byte{0x1a, 2, 0x0a, 9}},
	} {
		if err := diaryLane().Process(context.Background(), []Record{r}, &Outbox{}); !stages.IsPermanent(err) {
			t.Errorf("%s: error %v is not permanent", name, err)
		}
	}
	var out Outbox
	if err := diaryLane().Process(context.Background(), []Record{{Key: good.Key, Value: []byte{0x7a, 1, 'x'}}}, &out); err != nil || len(out.Msgs) > 0 {
		t.Errorf("an entry of a newer version: %v, %d messages", err, len(out.Msgs))
	}
}

func snapshotOf(t testing.TB, l *correlateLane) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := l.Snapshot(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSnapshotDamage: a snapshot restores to the same bytes; one that is cut at
// any place, or longer, is an error, never a smaller state.
func TestSnapshotDamage(t *testing.T) {
	l := diaryLane()
	give(t, l, 0, alertEntry("t", "a", schema.Hour), alertEntry(otherShard("", "t"), strings.Repeat("b", 3*maxBlock), schema.Hour),
		controlEntry(killSwitch("on")), watermarkEntry("t", schema.Hour, schema.Hour))
	l.Commit()
	whole := snapshotOf(t, l)
	n := diaryLane()
	if err := n.Restore(bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(snapshotOf(t, n), whole) {
		t.Error("a restored lane has another snapshot")
	}
	late := otherShard("", "t", otherShard("", "t"))
	same(t, give(t, n, 4, alertEntry(late, "c", schema.Hour)), "kill_switch  kill-switch on at 5", "alert "+late+" c")
	for cut := range whole {
		if cut > 2000 && cut < len(whole)-2000 && cut%997 != 0 {
			continue
		}
		if err := diaryLane().Restore(bytes.NewReader(whole[:cut])); err == nil {
			t.Fatalf("cut at %d of %d bytes: restored", cut, len(whole))
		}
	}
	if err := diaryLane().Restore(bytes.NewReader(append(slices.Clone(whole), 0, 0, 0, 0))); err == nil {
		t.Error("with bytes behind it: restored")
	}
}

// TestProgress: people see whose time has come how far and what holds it; not of
// shards that are somebody else's now.
func TestProgress(t *testing.T) {
	l := diaryLane()
	l.progress = &Progress{}
	give(t, l, 0, watermarkEntry("t", schema.Hour, schema.Hour), alertEntry(sameShard("t"), "a", schema.Hour))
	if got := l.progress.Tenants(); len(got) != 0 {
		t.Errorf("before the commit: %+v", got)
	}
	l.Commit()
	want := TenantProgress{Tenant: "t", Shard: schema.ShardOf("t"), Watermark: schema.Hour - schema.Minute, Now: schema.Hour, Topic: "r"}
	if got := l.progress.Tenants(); len(got) != 2 || got[0] != want && got[1] != want {
		t.Errorf("got %+v", got)
	}
	l.Close()
	if got := l.progress.Tenants(); len(got) != 0 {
		t.Errorf("after closing: %+v", got)
	}
	(*Progress)(nil).report(nil)
	(*Progress)(nil).forget(nil)
}
