package upload

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestBound turns away what is more than may wait, and takes again what there is room for.
func TestBound(t *testing.T) {
	one := record(1, id(1))
	j := openJournal(t, t.TempDir(), int64(3*len(lineOf(t, one))+10))
	q := j.Queue("upload-acme-ti")
	for _, x := range []struct{ lines, want int }{{2, 2}, {2, 1}, {1, 0}} {
		if n, err := q.Append(slices.Repeat([]*Record{one}, x.lines)...); n != x.want || err != nil {
			t.Fatalf("%d of %d written, %v, want %d", n, x.lines, err, x.want)
		}
	}
	if n, err := j.Queue("upload-other").Append(one); n != 1 || err != nil {
		t.Errorf("another feed is full too: %d, %v", n, err)
	}
	b := take(t, j, 0)
	b.Bury(func(*Record) error { return errors.New("no more") })
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Append(one); n != 0 || err != nil {
		t.Errorf("what was set aside takes no room: %d, %v", n, err)
	}
	if err := os.Remove(filepath.Join(q.dir, "00000001.aside")); err != nil {
		t.Fatal(err)
	}
	// Nothing waits: nobody takes anything, and so notes that it is gone.
	if n, err := q.Append(one); n != 1 || err != nil {
		t.Errorf("nothing is taken when it is gone: %d, %v", n, err)
	}
}

// TestAsideAgain: what was set aside and is renamed is taken, though there is no room.
func TestAsideAgain(t *testing.T) {
	one := record(1, id(1))
	j := openJournal(t, t.TempDir(), int64(len(lineOf(t, one))+10))
	q := j.Queue("upload-acme-ti")
	put(t, j, one)
	b := take(t, j, 0)
	b.Bury(func(*Record) error { return errors.New("no more") })
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	<-q.Added()
	if err := os.Rename(q.path(1, kindAside), q.path(1, kindSealed)); err != nil {
		t.Fatal(err)
	}
	if n, err := q.Append(one); n != 0 || err != nil {
		t.Errorf("%d written, %v", n, err)
	}
	select {
	case <-q.Added():
	default:
		t.Error("nobody is told")
	}
	if w := q.Waiting(); w.Requests != 1 || w.Aside != 0 {
		t.Errorf("waiting: %+v", w)
	}
	if got := taken(take(t, j, 0)); !slices.Equal(got, []int{1}) {
		t.Errorf("took %v", got)
	}
}

// TestWaitingDuringWrite: what waits is told while the disk makes everybody wait.
func TestWaitingDuringWrite(t *testing.T) {
	j := openJournal(t, t.TempDir(), 1<<20)
	put(t, j, record(1, id(1)))
	entered, release := make(chan struct{}), make(chan struct{})
	j.step = func(step string) {
		if step == "upload_written" {
			close(entered)
			<-release
		}
	}
	written := make(chan error)
	go func() {
		_, err := j.Queue("upload-acme-ti").Append(record(2, id(2)))
		written <- err
	}()
	<-entered
	told := make(chan []Waiting, 1)
	go func() { told <- j.Waiting() }()
	select {
	case w := <-told:
		if len(w) != 1 || w[0].Requests != 1 {
			t.Errorf("waiting: %+v", w)
		}
	case <-time.After(10 * time.Second):
		t.Error("who asks waits for the disk")
	}
	close(release)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if w := j.Waiting(); w[0].Requests != 2 {
		t.Errorf("waiting: %+v", w)
	}
}

// TestSegmentRemoved: where somebody removes a segment, what is behind it is taken.
func TestSegmentRemoved(t *testing.T) {
	for name, all := range map[string]bool{"file": false, "folder": true} {
		t.Run(name, func(t *testing.T) {
			j := openJournal(t, t.TempDir(), 1<<20)
			q := j.Queue("upload-acme-ti")
			put(t, j, record(1, id(1)))
			b := take(t, j, 0)
			what := q.path(1, kindSealed)
			if all {
				what = q.dir
			}
			if err := os.RemoveAll(what); err != nil {
				t.Fatal(err)
			}
			if err := b.Done(); err == nil {
				t.Error("done without a file")
			}
			put(t, j, record(2, id(2)))
			if got := taken(take(t, j, 0)); !slices.Equal(got, []int{2}) {
				t.Errorf("took %v", got)
			}
			if w := q.Waiting(); w.Requests != 1 {
				t.Errorf("waiting: %+v", w)
			}
		})
	}
}

// TestTakenOver: a process whose segments another one has begun to fold answers nobody,
// and what it had answered for before is there.
func TestTakenOver(t *testing.T) {
	dir := t.TempDir()
	old := openJournal(t, dir, 1<<20)
	put(t, old, record(1, id(1)))
	heir := openJournal(t, dir, 1<<20)
	if n, err := old.Queue("upload-acme-ti").Append(record(2, id(2))); n != 0 || err == nil {
		t.Errorf("%d written by who was replaced, %v", n, err)
	}
	if got := taken(take(t, heir, 0)); got[0] != 1 {
		t.Errorf("took %v", got)
	}
	put(t, old, record(3, id(3))) // a segment of its own, which the heir finds
	if got := taken(take(t, heir, 0)); !slices.Contains(got, 3) {
		t.Errorf("took %v", got)
	}
}

// TestNameGivenAway: who was replaced answers nobody either where the name of its segment
// is another file's by then.
func TestNameGivenAway(t *testing.T) {
	j := openJournal(t, t.TempDir(), 1<<20)
	q := j.Queue("upload-acme-ti")
	put(t, j, record(1, id(1)))
	j.step = func(step string) {
		if step == "upload_written" {
			if err := errors.Join(os.Remove(q.path(1, kindOpen)), os.WriteFile(q.path(1, kindOpen), nil, 0o600)); err != nil {
				t.Error(err)
			}
		}
	}
	if n, err := q.Append(record(2, id(2))); n != 0 || err == nil {
		t.Errorf("%d written by who was replaced, %v", n, err)
	}
}

// TestWriteFails: where a write fails in the middle nothing follows it in its segment,
// what was written before is there, and what comes after goes to another.
func TestWriteFails(t *testing.T) {
	for _, before := range []int{0, 1} {
		dir := t.TempDir()
		j := openJournal(t, dir, 1<<20)
		q := j.Queue("upload-acme-ti")
		for n := range before {
			put(t, j, record(n, id(n)))
		}
		half := lineOf(t, record(7, id(7)))[:100]
		j.step = func(step string) {
			if step == "upload_append" { // the disk takes a part, and is gone
				_, err := q.file.Write(half)
				if err := errors.Join(err, q.file.Close()); err != nil {
					t.Error(err)
				}
			}
		}
		if n, err := q.Append(record(7, id(7))); n != 0 || err == nil {
			t.Errorf("%d written, %v", n, err)
		}
		j.step = func(string) {}
		if w := q.Waiting(); w.Requests != before || before == 0 && len(filesIn(t, dir)) != 0 {
			t.Errorf("waiting: %+v in %v", w, filesIn(t, dir))
		}
		put(t, j, record(8, id(8)))
		b := take(t, j, 0)
		if got := taken(b); len(got) != before+1 || got[before] != 8 {
			t.Errorf("took %v", got)
		}
		if err := b.Done(); err != nil {
			t.Fatal(err)
		}
		if left := filesIn(t, dir); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
}
