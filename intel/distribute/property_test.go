package distribute

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var errCrash = errors.New("crash")

// TestAnyOrder: whatever happens to the library, however often the publisher and the
// worker crash, and whatever is delivered twice: when all has come to rest, the worker
// has what the library has, and it never had anything that the library had not.
func TestAnyOrder(t *testing.T) {
	n := 0
	root := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		n++
		c := newClock()
		dir := filepath.Join(root, time.Duration(n).String())
		w := &world{t: t, clock: c, log: &memLog{now: c.now, batch: rapid.IntRange(0, 3).Draw(rt, "batch")}, lib: newLibrary(),
			dir: filepath.Join(dir, "publisher"), store: Folder{Dir: filepath.Join(dir, "store")}, cfg: DefaultPublisherConfig()}
		defer w.stop()
		w.cfg.MaxChanges = rapid.IntRange(3, 40).Draw(rt, "max")
		w.cfg.SnapshotChanges = rapid.IntRange(3, 60).Draw(rt, "snapshot")
		w.cfg.KeepFor = time.Duration(rapid.IntRange(0, 3).Draw(rt, "keep")) * time.Hour
		had := map[uint64]bool{0: true, w.lib.id(t): true}
		note := func() { had[w.lib.id(t)] = true }
		worker := func() *worker {
			return w.worker(filepath.Join(dir, "worker"), func(cfg *FollowerConfig, _ *FollowerSettings) { cfg.MaxOverlay = 2000 })
		}
		v := worker()
		defer func() { v.stop() }()
		publish := func(crash int) {
			if w.pub == nil {
				w.start()
			}
			w.hook = func(string) {
				if crash--; crash == 0 {
					panic(errCrash)
				}
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						if r != errCrash {
							panic(r)
						}
						w.stop()
					}
				}()
				if _, err := w.pub.Publish(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}()
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2:
				for range rapid.IntRange(1, 12).Draw(rt, "puts") {
					i := indicator(rapid.IntRange(0, 30).Draw(rt, "n"), rapid.IntRange(0, 3).Draw(rt, "variant"))
					w.lib.now[i.ID] = i
				}
				w.lib.put()
				note()
			case 3:
				w.lib.remove(rapid.SliceOfN(rapid.IntRange(0, 30), 1, 10).Draw(rt, "gone")...)
				note()
			case 4, 5:
				publish(0)
			case 6:
				publish(rapid.IntRange(1, 7).Draw(rt, "crash"))
			case 7: // an old record again
				if len(w.log.recs) > 0 {
					w.log.append([][]byte{w.log.recs[rapid.IntRange(0, len(w.log.recs)-1).Draw(rt, "again")].value})
				}
			case 8:
				c.advance(time.Duration(rapid.IntRange(1, 8).Draw(rt, "hours")) * time.Hour)
			case 9:
				v.stop()
				v = worker()
			}
			if rapid.Bool().Draw(rt, "follow") {
				v.settle()
			}
			if !had[v.id()] {
				rt.Fatalf("the worker has content %016x, which the library never had", v.id())
			}
		}
		publish(0)
		v.settle()
		c.advance(time.Minute) // past a pause between tries
		v.settle()
		if got, want := v.id(), w.lib.id(t); got != want {
			rt.Fatalf("the worker has content %016x, the library %016x; %+v", got, want, v.f.Status())
		}
	})
}
