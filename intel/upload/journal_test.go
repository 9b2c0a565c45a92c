package upload

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// put appends records to the acme feed and fails the test if it cannot.
func put(t testing.TB, j *Journal, records ...*Record) {
	t.Helper()
	q := j.Queue("upload-acme-ti")
	for _, r := range records {
		if n, err := q.Append(r); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
}

// taken gives the times of a batch's records, less the first that record gives.
func taken(b *Batch) (list []int) {
	for _, r := range b.Records {
		list = append(list, int(r.Time-1_700_000_000_000))
	}
	return list
}

func take(t testing.TB, j *Journal, most int) *Batch {
	t.Helper()
	b, err := j.Queue("upload-acme-ti").Take(most)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// filesIn lists the files below a folder.
func filesIn(t testing.TB, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			list = append(list, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func id(n int) string {
	return fmt.Sprintf(`{"id":"indicator--%d","modified":"2026-01-01T00:00:00Z"}`, n)
}

// TestQueue takes what was appended in its order and parts, over restarts.
func TestQueue(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "uploads")
	j := openJournal(t, dir, 1<<20)
	if b := take(t, j, 0); b != nil || len(j.Waiting()) != 0 {
		t.Fatalf("there is something: %v", b)
	}
	put(t, j, record(1, id(1)), record(2, id(2)), record(3, id(3)))
	<-j.Queue("upload-acme-ti").Added()
	b := take(t, j, 2)
	if got := taken(b); !slices.Equal(got, []int{1, 2}) {
		t.Fatalf("took %v", got)
	}
	put(t, j, record(4, id(4))) // while it is folded
	if w := j.Waiting(); len(w) != 1 || w[0].Requests != 4 || w[0].Since.String() != "2023-11-14T22:13:20.001Z" || w[0].Feed != "upload-acme-ti" {
		t.Errorf("waiting: %+v", w)
	}
	if got := taken(take(t, j, 2)); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("what is not done was taken as %v again", got)
	}
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if w := j.Waiting(); w[0].Requests != 2 {
		t.Errorf("waiting after a part: %+v", w)
	}
	if got := taken(take(t, j, 0)); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("took %v behind it", got)
	}
	put(t, j, record(5, id(5)))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJournal(t, dir, 1<<20) // a segment that is not done is folded from its beginning
	if w := j.Waiting(); w[0].Requests != 5 {
		t.Errorf("waiting after a restart: %+v", w)
	}
	b = take(t, j, 0)
	if got := taken(b); !slices.Equal(got, []int{1, 2, 3, 4, 5}) {
		t.Errorf("took %v after a restart", got)
	}
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if left := filesIn(t, dir); len(left) != 0 || len(j.Waiting()) != 0 {
		t.Errorf("left: %v, %v", left, j.Waiting())
	}
	put(t, j, record(6, id(6)))
	if got := filesIn(t, dir); !slices.Equal(got, []string{"upload-acme-ti/00000004.open"}) {
		t.Errorf("files %v", got)
	}
}

// TestBatchEnds: a batch has ever newer versions of an object, unless one request has
// others; the very same may come again.
func TestBatchEnds(t *testing.T) {
	j := openJournal(t, t.TempDir(), 1<<20)
	const at = `"modified":"2026-01-01T00:00:00Z"`
	for n, objects := range [][]string{
		{`{"id":"a",` + at + `}`, `{"id":"a",` + at + `,"x":1}`},
		{`{"id":"a",` + at + `,"x":1}`},
		{`{"id":"a","modified":"2026-01-02T00:00:00Z"}`, `{"id":"b",` + at + `}`},
		{`{"id":"c",` + at + `}`, `{"id":"b","modified":"2026-01-01T01:00:00.0+01:00"}`}, // the same moment
		{`{"id":"b","modified":"2026-01-01T01:00:00.0+01:00"}`, `{"id":"a","modified":"2026-01-02T00:00:00Z"}`},
		{`{"id":"a",` + at + `}`}, // older
		{`"b"`, `{"id":7}`, `{}`, `{"id":"b","modified":"2026-01-03T00:00:00,5Z"}`},
		{`{"id":"c",` + at + `,"y":1}`},
		{`{"id":"b","modified":"2026-01-03T00:00:00Z"}`}, // older by half a second
		{`{"id":"b","modified":"nonsense"}`},
	} {
		put(t, j, record(n, objects...))
	}
	var got [][]int
	for b := take(t, j, 0); b != nil; b = take(t, j, 0) {
		got = append(got, taken(b))
		if err := b.Done(); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(got) != "[[0 1 2] [3 4] [5 6 7] [8] [9]]" {
		t.Errorf("batches %v", got)
	}
}

// TestDamagedSegment: what is behind a damaged record is taken, the damaged one is told
// and its segment set aside; what was torn is cut.
func TestDamagedSegment(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, 1<<20)
	put(t, j, record(1, id(1)), record(2, id(2)), record(3, id(3)))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "upload-acme-ti", "00000001.open")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	text = append(text, lineOf(t, record(4, id(4)))[:50]...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if j, err = OpenJournal(dir, 1<<20, nil, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	take(t, j, 0)
	b := take(t, j, 0) // each is told once
	if got := taken(b); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("took %v", got)
	}
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "damaged on disk"); n != 1 || strings.Count(log.String(), "not written to its end") != 1 || !strings.Contains(log.String(), "00000001.aside") {
		t.Errorf("log %s", log.String())
	}
	kept, err := os.ReadFile(filepath.Join(dir, "upload-acme-ti", "00000001.aside"))
	if err != nil || !bytes.Equal(kept, text) {
		t.Errorf("set aside: %q, %v", kept, err)
	}
	if w := j.Waiting(); len(w) != 1 || w[0].Aside != int64(len(text)) || w[0].Bytes != 0 || w[0].Requests != 0 {
		t.Errorf("waiting: %+v", w)
	}
	j = openJournal(t, dir, 1<<20)
	if w := j.Waiting(); len(w) != 1 || w[0].Aside != int64(len(text)) {
		t.Errorf("waiting after a restart: %+v", w)
	}
	if err := os.Rename(filepath.Join(dir, "upload-acme-ti", "00000001.aside"), filepath.Join(dir, "upload-acme-ti", "00000001.sealed")); err != nil {
		t.Fatal(err) // somebody wants it tried again
	}
	if b = take(t, j, 0); len(b.Records) != 2 {
		t.Errorf("took %d of what was put back", len(b.Records))
	}
}

// TestBury sets aside what cannot be folded.
func TestBury(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, 1<<20)
	put(t, j, record(1, id(1)), record(2, id(2)), record(3, id(3)))
	var log bytes.Buffer
	j.log = slog.New(slog.NewTextHandler(&log, nil))
	var b *Batch
	for range 2 { // the first is not done, and taken again
		b = take(t, j, 0)
		b.Bury(func(r *Record) error {
			if r.Time%10 == 2 {
				return errors.New("it cannot be parsed any more")
			}
			return nil
		})
	}
	if n := strings.Count(log.String(), "it cannot be parsed any more"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
	if got := taken(b); !slices.Equal(got, []int{1, 3}) {
		t.Errorf("left are %v", got)
	}
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); !slices.Equal(got, []string{"upload-acme-ti/00000001.aside"}) {
		t.Errorf("files %v", got)
	}
}

// TestSegments begins another file when one is long, and takes a batch over several.
func TestSegments(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, 1<<30)
	long := fmt.Sprintf(`{"id":"%s"}`, strings.Repeat("x", 5<<20))
	for n := range 8 {
		put(t, j, record(n, strings.Replace(long, "x", fmt.Sprint(n), 1)))
	}
	if got := filesIn(t, dir); !slices.Equal(got, []string{"upload-acme-ti/00000001.sealed", "upload-acme-ti/00000002.open"}) {
		t.Errorf("files %v", got)
	}
	b := take(t, j, 0)
	if got := taken(b); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("took %v, want about 32 MiB", got)
	}
	if err := b.Done(); err != nil {
		t.Fatal(err)
	}
	if got := filesIn(t, dir); !slices.Equal(got, []string{"upload-acme-ti/00000002.sealed"}) {
		t.Errorf("files %v", got)
	}
	if got := taken(take(t, j, 0)); !slices.Equal(got, []int{6, 7}) {
		t.Errorf("took %v behind it", got)
	}
}

// TestLongWrite: what comes together is written in pieces, and what of it is on disk counts
// though the rest fails.
func TestLongWrite(t *testing.T) {
	j := openJournal(t, t.TempDir(), 1<<30)
	q := j.Queue("upload-acme-ti")
	writes := 0
	j.step = func(step string) {
		if step == "upload_append" {
			if writes++; writes == 3 {
				if err := q.file.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	var list []*Record
	for n := range 9 {
		list = append(list, record(n, fmt.Sprintf(`{"id":"%d%s"}`, n, strings.Repeat("x", 5<<20))))
	}
	n, err := q.Append(list...)
	if n != 6 || err == nil {
		t.Errorf("%d written, %v, want 6 and an error", n, err)
	}
	if w := q.Waiting(); w.Requests != 6 {
		t.Errorf("waiting: %+v", w)
	}
	<-q.Added()
}

// TestDoneFails: a segment that cannot be removed is tried again, and what is in it is not
// taken again by this process.
func TestDoneFails(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir, 1<<20)
	put(t, j, record(1, id(1)))
	b := take(t, j, 0)
	path := filepath.Join(dir, "upload-acme-ti", "00000001.sealed")
	if err := errors.Join(os.Rename(path, path+".hidden"), os.MkdirAll(filepath.Join(path, "in the way"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := b.Done(); err == nil {
		t.Error("done though it is there")
	}
	if _, err := j.Queue("upload-acme-ti").Take(0); err == nil {
		t.Error("taken before it is removed")
	}
	if err := errors.Join(os.RemoveAll(path), os.Rename(path+".hidden", path)); err != nil {
		t.Fatal(err)
	}
	if b := take(t, j, 0); b != nil {
		t.Errorf("took %v again", taken(b))
	}
	if left := filesIn(t, dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestWaitingMetrics wants what waits to be told by feed.
func TestWaitingMetrics(t *testing.T) {
	j := openJournal(t, t.TempDir(), 1<<20)
	put(t, j, record(1, id(1)), record(2, id(2)))
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(j)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	if got["interdict_upload_waiting_requests"] != 2 || got["interdict_upload_waiting_bytes"] < 1000 || got["interdict_upload_waiting_seconds"] < 1e6 ||
		got["interdict_upload_aside_bytes"] != 0 || got["interdict_upload_commits_total"] != 0 {
		t.Errorf("metrics %v", got)
	}
}
