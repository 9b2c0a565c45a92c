package distribute

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

func TestPublish(t *testing.T) {
	w := newWorld(t)
	w.lib.put(indicator(1, 0), indicator(2, 0))
	if rep := w.publish(); rep.Snapshot == "" || rep.Changes != 0 || w.lib.builds != 1 {
		t.Errorf("the first: %+v", rep)
	}
	w.lib.put(indicator(1, 5), indicator(3, 0))
	w.lib.remove(2)
	if rep := w.publish(); rep.Snapshot != "" || rep.Changes != 3 {
		t.Errorf("three changes: %+v", rep)
	}
	_, before, _ := w.log.Bounds(t.Context())
	if rep := w.publish(); rep.Changes != 0 || rep.Snapshot != "" {
		t.Errorf("nothing new: %+v", rep)
	}
	w.lib.put(indicator(9, 0))
	w.lib.remove(9) // nothing in the end
	w.publish()
	if _, after, _ := w.log.Bounds(t.Context()); after != before {
		t.Error("something was written though nothing has changed")
	}

	// A restart goes on from its own files and the log.
	w.lib.put(indicator(4, 0))
	w.start()
	if rep := w.publish(); rep.Changes != 1 || w.lib.builds != 1 {
		t.Errorf("after a restart: %+v, %d builds", rep, w.lib.builds)
	}
	// Time alone refers to what is there again, or to a new file.
	w.clock.advance(7 * time.Hour)
	second := w.publish()
	if second.Snapshot == "" || !strings.Contains(second.Reason, "7h0m0s old") {
		t.Errorf("after 7 h: %+v", second)
	}
	w.clock.advance(7 * time.Hour)
	if rep := w.publish(); rep.Snapshot != second.Snapshot {
		t.Errorf("nothing has changed, and the snapshot is another: %+v", rep)
	}
	if n := len(files(t, w.store.Dir)); n != 2 {
		t.Errorf("%d snapshots, want 2", n)
	}
	s := w.pub.Status()
	if s.Indicators != 3 || s.Snapshot != second.Snapshot || s.Published != 1 || s.Rebuilds != 0 || s.LastError != "" {
		t.Errorf("status %+v", s)
	}
}

// TestPublishLarge: what is too much for deltas is a snapshot, and so is what the
// library cannot tell any more.
func TestPublishLarge(t *testing.T) {
	w := newWorld(t)
	w.cfg.MaxChanges = 4
	w.lib.put(indicator(1, 0))
	w.publish()
	for n := range 5 {
		w.lib.now[indicator(n, 1).ID] = indicator(n, 1)
	}
	w.lib.put()
	if rep := w.publish(); rep.Reason != "5 changes at once" || rep.Snapshot == "" || rep.Changes != 0 {
		t.Errorf("5 changes: %+v", rep)
	}
	for n := range 10 {
		w.lib.put(indicator(n, 2))
	}
	if rep := w.publish(); w.lib.builds != 2 || !strings.Contains(rep.Reason, "does not remember") {
		t.Errorf("versions that are gone: %+v, %d builds", rep, w.lib.builds)
	}
	w.cfg.MaxChanges, w.cfg.SnapshotChanges = 100, 3
	w.start()
	for n := range 3 {
		w.lib.put(indicator(100+n, 0))
		if rep := w.publish(); (rep.Snapshot != "") != (n == 2) {
			t.Errorf("change %d: %+v", n, rep)
		}
	}
}

func TestPublishRefusals(t *testing.T) {
	w := newWorld(t)
	w.publish()
	bad := indicator(3, 0)
	bad.Value = "NOT canonical"
	suffix := indicator(6, 0)
	suffix.Value = "co.uk"
	for _, i := range []schema.Indicator{bad, suffix, indicator(9, 0)} {
		w.lib.now[i.ID] = i
	}
	w.lib.commit()
	rep, err := w.pub.Publish(t.Context())
	if err != nil || rep.Refused != 2 || rep.Changes != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	// What becomes such an indicator is not there any more as it was.
	worse := indicator(9, 1)
	worse.TLP = schema.TLPRed
	w.lib.now[worse.ID] = worse
	w.lib.commit()
	rep, err = w.pub.Publish(t.Context())
	if err != nil || rep.Refused != 1 || rep.Changes != 1 {
		t.Errorf("one that was published before: %+v, %v", rep, err)
	}
	if n := w.pub.Status().Indicators; n != 0 {
		t.Errorf("%d indicators are published, want none", n)
	}
}

// TestRemovalsHaveTenants: the history of a tenant's indicator is that tenant's to its
// end.
func TestRemovalsHaveTenants(t *testing.T) {
	w := newWorld(t)
	i := indicator(3, 0)
	i.Tenant, i.TLP, i.Labels = "acme", schema.TLPRed, []string{"c2"}
	w.lib.put(i)
	w.publish()
	w.lib.remove(3)
	if rep := w.publish(); rep.Changes != 1 {
		t.Fatalf("%+v", rep)
	}
	last := w.log.recs[len(w.log.recs)-1].value
	got := decodeAll(t, [][]byte{last})[0].Changes
	want := schema.IndicatorChange{Op: schema.IndicatorRemove, Indicator: schema.Indicator{ID: i.ID, Feed: i.Feed, Tenant: "acme", Type: i.Type, Value: i.Value}}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestFenced: the publisher that was started first does not come back.
func TestFenced(t *testing.T) {
	w := newWorld(t)
	w.publish()
	second, err := NewPublisher(w.cfg, filepath.Join(t.TempDir(), "second"), w.lib, w.log.writer(), w.store, PublisherSettings{Clock: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	w.clock.advance(time.Second)
	if _, err := second.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.lib.put(indicator(1, 0))
	for range 2 {
		if _, err := w.pub.Publish(t.Context()); !stages.IsPermanent(err) {
			t.Errorf("the first: %v", err)
		}
	}
	if _, err := NewPublisher(w.cfg, w.dir, w.lib, w.log.writer(), w.store, PublisherSettings{}); err == nil {
		t.Error("two publishers in one folder")
	}
	rep, err := second.Publish(t.Context())
	if err != nil || rep.Changes != 1 {
		t.Errorf("the second: %+v, %v", rep, err)
	}
	v := w.worker(t.TempDir(), nil)
	v.settle()
	v.has(w.lib.id(t))
}

// TestPublishFailure: an append that fails is made up for.
func TestPublishFailure(t *testing.T) {
	w := newWorld(t)
	w.publish()
	w.lib.put(indicator(1, 0))
	broken := errors.New("the cluster is away")
	w.log.fail = broken
	if _, err := w.pub.Publish(t.Context()); !errors.Is(err, broken) || w.pub.Status().LastError == "" {
		t.Fatal(err)
	}
	if rep := w.publish(); rep.Changes != 1 || w.pub.Status().LastError != "" {
		t.Errorf("%+v", rep)
	}
	if w.lib.builds != 1 {
		t.Errorf("%d builds", w.lib.builds)
	}
}

// TestLostFiles: a publisher without its state, its snapshot, or the log's beginning
// makes all anew, with numbers that go on.
func TestLostFiles(t *testing.T) {
	for name, lose := range map[string]func(w *world){
		"state gone":    func(w *world) { _ = os.Remove(filepath.Join(w.dir, stateFile)) },
		"state damaged": func(w *world) { _ = os.WriteFile(filepath.Join(w.dir, stateFile), []byte("{"), 0o644) },
		"state forged": func(w *world) {
			_ = os.WriteFile(filepath.Join(w.dir, stateFile), []byte(`{"snapshots":[{"name":"../x"}]}`), 0o644)
		},
		"snapshot gone":    func(w *world) { _ = os.Remove(filepath.Join(w.dir, files(w.t, w.dir)[0])) },
		"snapshot damaged": func(w *world) { damage(w.t, filepath.Join(w.dir, files(w.t, w.dir)[0])) },
		"log cut":          func(w *world) { w.log.cut(2) },
		"log empty":        func(w *world) { w.log.cut(1000) },
		"foreign delta": func(w *world) {
			w.log.append([][]byte{schema.AppendDeltaEntry(nil, &schema.IndicatorDelta{Seq: 1 << 60, Before: 1, After: 2, Parts: 1})})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.lib.put(indicator(1, 0))
			w.publish()
			w.lib.put(indicator(2, 0))
			w.publish()
			v := w.worker(t.TempDir(), nil)
			v.settle()
			w.stop()
			lose(w)
			w.clock.ms.Add(-time.Hour.Milliseconds()) // numbers must not depend on it
			if name == "log empty" {
				w.clock.advance(2 * time.Hour)
			}
			w.lib.put(indicator(3, 0))
			if rep := w.publish(); rep.Snapshot == "" || w.lib.builds != 2 {
				t.Errorf("%+v, %d builds", rep, w.lib.builds)
			}
			w.lib.put(indicator(4, 0))
			w.publish()
			v.settle()
			v.has(w.lib.id(t))
			fresh := w.worker(t.TempDir(), nil)
			fresh.settle()
			fresh.has(w.lib.id(t))
		})
	}
}

// TestExpire: old snapshots go when newer references are old enough; two stay.
func TestExpire(t *testing.T) {
	w := newWorld(t)
	var names []string
	for n := range 5 {
		w.lib.put(indicator(n, 0))
		names = append(names, w.publish().Snapshot)
		w.clock.advance(6 * time.Hour)
	}
	if n := len(files(t, w.store.Dir)); n != 5 {
		t.Errorf("%d snapshots within the time that all are kept", n)
	}
	w.clock.advance(30 * time.Hour)
	w.lib.put(indicator(9, 0))
	names = append(names, w.publish().Snapshot)
	for _, dir := range []string{w.dir, w.store.Dir} {
		left := files(t, dir)
		if len(left) != 2 {
			t.Errorf("%s holds %d snapshots, want 2", dir, len(left))
		}
		for _, name := range names[4:] {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Error(err)
			}
		}
	}
}
