package match

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// TestSnapshotOfAnotherVersion holds that an older file says what is to be done.
func TestSnapshotOfAnotherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := sample(t, 1).WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(b[8:], snapshotVersion-1)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSnapshot(path); !errors.Is(err, ErrSnapshot) || !strings.Contains(err.Error(), "version 2, this program reads 3: it must be built anew") {
		t.Errorf("got %v", err)
	}
}

// FuzzSnapshot changes bytes of a snapshot and makes its checksums right again, as
// somebody who wants to do harm would. Whatever opens can be asked.
func FuzzSnapshot(f *testing.F) {
	path := filepath.Join(f.TempDir(), "s")
	if err := sample(f, 300).WriteSnapshot(path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(headerSize), []byte{1})
	f.Add(binary.LittleEndian.Uint32(good[16+24:]), []byte{2, 0, 0, 0, 0, 0, 0, 0})
	for _, edge := range sections(good)[6:40] {
		f.Add(uint32(edge), []byte{0xff, 0xff, 0xff, 0x7f})
	}
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		b := slices.Clone(good)
		copy(b[int(at)%len(b):], patch)
		resum(b)
		path := filepath.Join(t.TempDir(), "s")
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := OpenSnapshot(path)
		if err != nil {
			return
		}
		for i := range x.All() {
			_ = Check(i)
		}
		r := NewReader()
		for n := range 300 {
			r.Find(x, schema.Observable{Type: schema.ObservableURL, Value: fmt.Sprintf("http://w.d%d.example/x", n)}, func(*schema.Indicator) {})
		}
		r.Find(x, schema.Observable{Type: schema.ObservableIP, Value: "198.51.100.7"}, func(*schema.Indicator) {})
	})
}

// resum makes the checksums of a snapshot right, as far as its sections can be found.
func resum(b []byte) {
	dir := binary.LittleEndian.Uint64(b[16+24:])
	if dir > uint64(len(b)) || uint64(len(b))-dir != directorySize {
		return
	}
	fix := func(entry []byte) {
		from, size := binary.LittleEndian.Uint64(entry), binary.LittleEndian.Uint64(entry[8:])
		if from <= uint64(len(b)) && size <= uint64(len(b))-from {
			binary.LittleEndian.PutUint64(entry[16:], xxh3.Hash(b[from:from+size]))
		}
	}
	for s := range shardCount {
		for k := range sectionsOf {
			fix(b[int(dir)+8*(s*shardWords+6+3*k):])
		}
	}
	fix(b[int(dir)+8*shardCount*shardWords:])
	binary.LittleEndian.PutUint64(b[16+40:], xxh3.Hash(b[dir:]))
	binary.LittleEndian.PutUint64(b[headerUsed-8:], xxh3.Hash(b[:headerUsed-8]))
}

// sample is an index with something in every section.
func sample(t testing.TB, n int) *Index {
	list := []schema.Indicator{ind(schema.ObservableCIDR, "198.51.100.0/24"), ind(schema.ObservableCIDR, "2001:db8::/32")}
	for i := range n {
		list = append(list, ind(schema.ObservableDomain, fmt.Sprintf("d%d.example", i)))
	}
	return build(t, list...)
}

func TestSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	x := sample(t, 1000)
	if err := x.WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	y, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	if y.ID() != x.ID() || y.Len() != x.Len() || content(y) != content(x) {
		t.Error("the snapshot is another index")
	}
	for _, a := range []string{"198.51.100.77", "2001:db8::7"} {
		if got := values(y, schema.Observable{Type: schema.ObservableIP, Value: a}); len(got) != 1 {
			t.Errorf("%s: %v", a, got)
		}
	}
	again := filepath.Join(t.TempDir(), "s")
	if err := y.WriteSnapshot(again); err != nil {
		t.Fatal(err)
	}
	a, err1 := os.ReadFile(path)
	b, err2 := os.ReadFile(again)
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Error("an index read and written again is another file", err1, err2)
	}
	// The builder that sorts on disk makes the same file.
	spill, err := os.Create(filepath.Join(t.TempDir(), "spill"))
	if err != nil {
		t.Fatal(err)
	}
	defer spill.Close()
	bld, err := NewBuilder(DefaultConfig(), spill)
	if err != nil {
		t.Fatal(err)
	}
	for i := range y.All() {
		if err := bld.Add(i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range bld.parts {
		if err := bld.flush(&bld.parts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := bld.WriteSnapshot(again); err != nil {
		t.Fatal(err)
	}
	if c, err := os.ReadFile(again); err != nil || !bytes.Equal(a, c) {
		t.Error("the builder's snapshot is another file", err)
	}
}

// sections lists where the sections of a snapshot begin and end.
func sections(file []byte) (edges []int) {
	at := int(binary.LittleEndian.Uint64(file[16+24:]))
	dir := file[at:]
	word := func(i int) int { return int(binary.LittleEndian.Uint64(dir[8*i:])) }
	for s := range shardCount {
		for k := range sectionsOf {
			i := s*shardWords + 6 + 3*k
			edges = append(edges, word(i), word(i)+word(i+1))
		}
	}
	i := shardCount * shardWords
	edges = append(edges, word(i), word(i)+word(i+1), at, len(file), 0, 8, 12, 16, headerUsed-8, headerUsed)
	slices.Sort(edges)
	return slices.Compact(edges)
}

// TestSnapshotDamage cuts a snapshot at and around the edge of every section, and
// changes a byte of every section: all of it is refused, and the snapshot before it
// is used.
func TestSnapshotDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	old := sample(t, 10)
	if err := old.WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	if err := sample(t, 300).WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edges := sections(whole)
	if len(edges) < 2*shardCount {
		t.Fatalf("only %d edges", len(edges))
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	refused := func(what string) {
		t.Helper()
		if _, err := OpenSnapshot(path); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	put := func(b []byte, at int) {
		t.Helper()
		if _, err := f.WriteAt(b, int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	for n, edge := range edges {
		if n+1 < len(edges) && (edge < headerUsed || edge >= headerSize) && edges[n+1]-edge >= 8 { // less is padding
			put([]byte{whole[edge] ^ 0x40}, edge)
			refused(fmt.Sprintf("byte %d changed", edge))
			put(whole[edge:edge+1], edge)
		}
	}
	put([]byte{0}, len(whole))
	refused("more behind the end")
	slices.Reverse(edges)
	for _, edge := range edges {
		for at := min(len(whole)-1, edge+1); at >= max(0, edge-1); at-- {
			if err := f.Truncate(int64(at)); err != nil {
				t.Fatal(err)
			}
			refused(fmt.Sprintf("cut to %d bytes", at))
		}
	}
	x, why, err := OpenLast(path)
	if err != nil || !errors.Is(why, ErrSnapshot) || x.ID() != old.ID() {
		t.Fatalf("the snapshot before: %v, %v", why, err)
	}
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, why, err := OpenLast(path); why != nil || err != nil {
		t.Errorf("a good snapshot: %v, %v", why, err)
	}
	if _, _, err := OpenLast(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no snapshot: %v", err)
	}
}

// killEnv makes the test binary a writer that kills itself: path and step.
const killEnv = "MATCH_TEST_KILL"

// TestSnapshotKill kills a writer, as kill -9 does, before each of its steps. What
// can be opened afterwards is the old snapshot or all of the new one.
func TestSnapshotKill(t *testing.T) {
	if spec := os.Getenv(killEnv); spec != "" {
		path, at, _ := strings.Cut(spec, "|")
		n := 0
		err := sample(t, 300).writeSnapshot(path, func(step string) {
			if n++; fmt.Sprint(n) == at || step == at {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		})
		t.Fatalf("survived %s: %v", at, err)
	}
	path := filepath.Join(t.TempDir(), "s")
	old, next := sample(t, 10), sample(t, 300)
	if err := old.WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"1", "2", "3", "4", "5", "6", "700", fmt.Sprint(1 + shardCount*sectionsOf), "networks", "directory", "header", "sync", "keep", "rename", "renamed"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSnapshotKill$")
		cmd.Env = append(os.Environ(), killEnv+"="+path+"|"+step)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("step %s: %v\n%s", step, err, out)
		}
		want := old.ID()
		if step == "renamed" {
			want = next.ID()
		}
		x, refused, err := OpenLast(path)
		if err != nil || refused != nil || x.ID() != want {
			t.Fatalf("after a kill at step %s: %v, %v", step, refused, err)
		}
	}
	// The next writer is not hindered by what the killed ones left.
	if err := old.WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	if x, refused, err := OpenLast(path); err != nil || refused != nil || x.ID() != old.ID() {
		t.Errorf("after all kills: %v, %v", refused, err)
	}
}

func TestSnapshotBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	w, err := createSnapshot(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sample(t, 1).WriteSnapshot(path); !errors.Is(err, ErrSnapshotBusy) {
		t.Errorf("two writers at once: %v", err)
	}
	if err := w.abandon(); err != nil {
		t.Fatal(err)
	}
	if err := sample(t, 1).WriteSnapshot(path); err != nil {
		t.Error(err)
	}
}
