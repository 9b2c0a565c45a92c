package library

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/schema"
)

// makeTable writes a table of n entries, two for each place.
func makeTable(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t")
	w, err := createTable(path, kindFacts)
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		key := appendKey(nil, schema.ObservableDomain, fmt.Sprintf("v%06d.bad.example", k/2), fmt.Sprintf("id%d", k%2))
		if err := w.add(key, fmt.Appendf(nil, "payload %d", k)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.finish(true); err != nil {
		t.Fatal(err)
	}
	return path
}

// readTable counts the entries of a table.
func readTable(path string) (n int, err error) {
	tab, err := openTable(path, kindFacts)
	if err != nil {
		return 0, err
	}
	defer tab.close()
	for c := tab.scan(); ; n++ {
		if err := c.next(); err != nil || c.done {
			return n, err
		}
	}
}

func TestTable(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 5000, 10001} {
		path := makeTable(t, n)
		if got, err := readTable(path); err != nil || got != n {
			t.Errorf("%d entries: %d, %v", n, got, err)
		}
		tab, err := openTable(path, kindFacts)
		if err != nil {
			t.Fatal(err)
		}
		for k := -1; k <= n/2+1; k++ {
			want := min(2, max(0, n-2*k))
			if k < 0 {
				want = 0
			}
			got := 0
			if err := tab.find(appendPlace(nil, schema.ObservableDomain, fmt.Sprintf("v%06d.bad.example", k)), func(_, payload []byte) error {
				if string(payload) != fmt.Sprintf("payload %d", 2*k+got) {
					t.Errorf("%d: found %s", k, payload)
				}
				got++
				return nil
			}); err != nil || got != want {
				t.Fatalf("place %d of %d entries: found %d, not %d: %v", k, n, got, want, err)
			}
		}
		if err := tab.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTableOrder(t *testing.T) {
	w, err := createTable(filepath.Join(t.TempDir(), "t"), kindFacts)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.add([]byte("b"), nil)); err != nil {
		t.Fatal(err)
	}
	if err := w.add([]byte("a"), nil); err == nil {
		t.Error("keys out of order were taken")
	}
	if err := w.abandon(); err != nil {
		t.Error(err)
	}
}

// TestTableDamage cuts a table everywhere and changes every byte: all of it is
// found, and the error names the file.
func TestTableDamage(t *testing.T) {
	path := makeTable(t, 40)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readTable(path)
		if !errors.Is(err, ErrDamaged) || !bytes.Contains([]byte(err.Error()), []byte(path)) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for at := range whole {
		text := bytes.Clone(whole)
		text[at] ^= 0x10
		try(fmt.Sprintf("byte %d of %d changed", at, len(whole)), text)
		try(fmt.Sprintf("cut to %d bytes", at), whole[:at])
	}
	try("more behind the end", append(bytes.Clone(whole), 0))
}

func FuzzTable(f *testing.F) {
	for _, n := range []int{0, 1, 40} {
		text, err := os.ReadFile(makeTable(f, n))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("\x05\x03a\x00id\x03xyz"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "t")
		if !bytes.HasPrefix(text, []byte(tableMagic)) { // a block that has its sums
			w, err := createTable(path, kindFacts)
			if err != nil {
				t.Fatal(err)
			}
			w.raw, w.n = bytes.Clone(text), 1
			if err := w.finish(false); err != nil {
				t.Fatal(err)
			}
			if text, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readTable(path)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatalf("an error that does not say that the file is damaged: %v", err)
		}
		tab, err2 := openTable(path, kindFacts)
		if err2 != nil {
			return
		}
		defer tab.close()
		if err := tab.find([]byte("\x03v000001.bad.example"), func(_, _ []byte) error { return nil }); err != nil && !errors.Is(err, ErrDamaged) {
			t.Fatal(err)
		}
	})
}

func TestSorter(t *testing.T) {
	for _, limit := range []int{1 << 10, 1 << 20} {
		s := &sorter{dir: t.TempDir(), name: "t", limit: limit}
		const n = 20000
		for k := range n {
			if err := s.add(fmt.Appendf(nil, "%05d", k*7919%n/2), fmt.Appendf(nil, "%d", k)); err != nil {
				t.Fatal(err)
			}
		}
		spilled := len(s.runs)
		got, last, order := 0, "", -1
		read := func(m *merger) error {
			for ; !m.done(); got++ {
				at := 0
				if _, err := fmt.Sscan(string(m.payload()), &at); err != nil {
					return err
				}
				if key := string(m.key()); key < last || key == last && at < order {
					t.Fatalf("%s %d comes behind %s %d", key, at, last, order)
				}
				last, order = string(m.key()), at
				if err := m.next(); err != nil {
					return err
				}
			}
			return nil
		}
		err := s.merged(read)
		if again := got; err == nil { // an import may need it twice
			got, last, order = 0, "", -1
			if err = s.merged(read); again != got {
				t.Errorf("%d entries, then %d", again, got)
			}
		}
		if err = errors.Join(err, s.drop()); err != nil || got != n || len(files(t, s.dir)) != 0 {
			t.Errorf("%d of %d entries, files %v: %v", got, n, files(t, s.dir), err)
		}
		if (spilled > 1) != (limit < 1<<20) {
			t.Errorf("with %d bytes of memory there were %d runs", limit, spilled)
		}
	}
}
