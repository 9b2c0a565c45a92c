package pipeline

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"
)

func gzipped(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstandard(t testing.TB, text string) string {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(text), nil))
}

// readAll gives the records of a file as "number:value".
func readAll(t testing.TB, name, text string) ([]string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := ReadRecords(context.Background(), path, nil, func(r FileRecord) error {
		got = append(got, fmt.Sprintf("%d:%s", r.Number, r.Value))
		return nil
	})
	return got, err
}

// TestReadRecords: what is a record in each kind of file.
func TestReadRecords(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	pretty := "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}\n"
	for _, c := range []struct {
		name, file, text string
		want             []string
	}{
		{"lines", "a.ndjson", "{\"a\":1}\n{\"a\":2}\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		{"no last newline", "a.ndjson", "{\"a\":1}\n{\"a\":2}", []string{`1:{"a":1}`, `2:{"a":2}`}},
		{"blank lines and carriage returns", "a", "\r\n{\"a\":1}\r\n \t\n\n{\"a\":2}\r\n", []string{`2:{"a":1}`, `5:{"a":2}`}},
		{"byte order mark", "a.json", "\ufeff{\"a\":1}\n{\"a\":2}\n", []string{`1:{"a":1}`, `2:{"a":2}`}},
		{"array", "a.json", " [{\"a\":1},\n{\"a\":2}]\n", []string{"1: [{\"a\":1},\n{\"a\":2}]\n"}},
		{"pretty object", "a.json", pretty, []string{"1:" + pretty}},
		{"pretty objects", "a.json", pretty + pretty, []string{"1:" + pretty + pretty}},
		{"broken first line", "a.ndjson", "{\"a\":\n{\"a\":2}\n{\"a\":3}\n", []string{`1:{"a":`, `2:{"a":2}`, `3:{"a":3}`}},
		{"other first line", "a.ndjson", "# exported\n{\"a\":2}\n", []string{"1:# exported", `2:{"a":2}`}},
		{"long lines", "a.ndjson", "{\"a\":\"" + long + "\"}\n{\"a\":2}\n{\"b\":\"" + long + "\"}", []string{`1:{"a":"` + long + `"}`, `2:{"a":2}`, `3:{"b":"` + long + `"}`}},
		{"gzip", "a.ndjson.gz", gzipped(t, "{\"a\":1}\n") + gzipped(t, "{\"a\":2}\n"), []string{`1:{"a":1}`, `2:{"a":2}`}},
		{"gzip by its bytes", "a.ndjson", gzipped(t, "{\"a\":1}\n"), []string{`1:{"a":1}`}},
		{"zstd", "a.zst", zstandard(t, "{\"a\":1}\n"), []string{`1:{"a":1}`}},
		{"CSV", "a.CSV", "\ufeff\"host\",n\nweb-1,\"a, \"\"b\"\"\"\nweb-2,\"c\nd\"\n", []string{`1:{"host":"web-1","n":"a, \"b\""}`, `2:{"host":"web-2","n":"c\nd"}`}},
		{"CSV with broken rows", "a.csv", "host,n\nweb-1,a\"b\nweb-2\nweb-3,c\n", []string{"1:web-1,a\"b\n", "2:web-2\n", `3:{"host":"web-3","n":"c"}`}},
		{"CSV in gzip", "a.csv.gz", gzipped(t, "host\nweb-1\n"), []string{`1:{"host":"web-1"}`}},
		{"CSV without rows", "a.csv", "host,n\n", nil},
		{"empty CSV", "a.csv", "", nil},
		{"empty", "a.json", "", nil},
		{"blank", "a.json", " \n\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(t, c.file, c.text)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v: got %.200q, want %.200q", err, got, c.want)
			}
		})
	}
}

// TestReadRecordsFails: what cannot be read as a whole is an error that names the
// file, after the records before it.
func TestReadRecordsFails(t *testing.T) {
	for file, text := range map[string]string{"cut.gz": gzipped(t, strings.Repeat("{\"a\":1}\n", 9999))[:60], "head.gz": "\x1f\x8b\x00", "bad.zst": "\x28\xb5\x2f\xfdjunk"} {
		if _, err := readAll(t, file, text); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := ReadRecords(context.Background(), filepath.Join(t.TempDir(), "none"), nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	stop := errors.New("enough")
	for _, text := range []string{"{}\n{}\n", "[1]"} {
		n := 0
		err := ReadRecords(context.Background(), "-", strings.NewReader(text), func(FileRecord) error { n++; return stop })
		if !errors.Is(err, stop) || n != 1 {
			t.Errorf("%q: %v after %d records", text, err, n)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ReadRecords(ctx, "-", strings.NewReader(strings.Repeat("{}\n", 5000)), func(FileRecord) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

// FuzzReadRecords: every byte that is not blank is in some record, whatever the
// file looks like.
func FuzzReadRecords(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n{\n", "[1,\n2]", "{\n\"a\":1}", "\ufeff{}\r\n\r\n", "x\ny"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) || bytes.HasPrefix(text, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
			return
		}
		var got []byte
		last := int64(0)
		err := ReadRecords(context.Background(), "-", bytes.NewReader(text), func(r FileRecord) error {
			if r.Number <= last || len(bytes.TrimSpace(r.Value)) == 0 {
				t.Fatalf("record %d behind %d: %q", r.Number, last, r.Value)
			}
			last = r.Number
			got = append(got, r.Value...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		squeeze := func(b []byte) string {
			return strings.Join(strings.Fields(strings.TrimPrefix(string(b), "\ufeff")), "")
		}
		if squeeze(got) != squeeze(text) {
			t.Fatalf("records %q of %q", got, text)
		}
	})
}

// TestSpool gives alerts back in the order of time, id and content, each as it was.
func TestSpool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "spool")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s, err := newSpool(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		n := rapid.IntRange(0, 30).Draw(t, "n")
		for range n {
			a := schema.Alert{Tenant: "t", Created: schema.Millis(rapid.IntRange(1, 4).Draw(t, "created")), Content: uint64(rapid.IntRange(0, 2).Draw(t, "content"))}
			a.ID[0] = byte(rapid.IntRange(0, 2).Draw(t, "id"))
			a.Title = fmt.Sprint(a.Created, a.ID[0], a.Content, strings.Repeat("x", rapid.IntRange(0, 100).Draw(t, "size")))
			if err := s.add(&a); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.sort(); err != nil {
			t.Fatal(err)
		}
		last := ""
		for _, e := range s.idx {
			a, err := s.alert(e)
			if err != nil {
				t.Fatal(err)
			}
			place := fmt.Sprint(a.Created, a.ID[0], a.Content)
			if !strings.HasPrefix(a.Title, place) || place < last {
				t.Fatalf("%s behind %s: %q", place, last, a.Title)
			}
			last = place
		}
		if names, _ := os.ReadDir(dir); len(names) != 0 || len(s.idx) != n {
			t.Fatalf("the spool has a name, or lost alerts: %v, %d of %d", names, len(s.idx), n)
		}
	})
}
