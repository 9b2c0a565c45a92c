package upload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// record gives a record of some objects.
func record(n int, objects ...string) *Record {
	f := fact.DefaultFeed()
	f.Name, f.Transport, f.Tenant = "upload-acme-ti", fact.TransportUpload, "acme"
	r := &Record{Time: schema.Millis(1_700_000_000_000 + n), Feed: f}
	for _, o := range objects {
		r.Objects = append(r.Objects, json.RawMessage(o))
	}
	return r
}

func lineOf(t testing.TB, r *Record) []byte {
	t.Helper()
	line, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// segmentOfThree gives the text of three records.
func segmentOfThree(t testing.TB) (text []byte, ends []int) {
	t.Helper()
	for n := range 3 {
		text = append(text, lineOf(t, record(n, fmt.Sprintf(`{"id":"indicator--%d","name":"<&>%c"}`, n, 0x2028)))...)
		ends = append(ends, len(text))
	}
	return text, ends
}

// TestRecordForm pins what is on disk: a journal may be older than the program.
func TestRecordForm(t *testing.T) {
	const line = `bd797e4d2f774c06 00000076 {"time":"2023-11-14T22:13:20.000Z","feed":{"Name":"upload-acme-ti","Tenant":"acme"},"objects":[{"id":"indicator--1"}]}`
	r, err := decodeRecord(framed([]byte(line)))
	if err != nil || r.Time != 1_700_000_000_000 || r.Feed.Name != "upload-acme-ti" || r.Feed.Tenant != "acme" || len(r.Objects) != 1 || string(r.Objects[0]) != `{"id":"indicator--1"}` {
		t.Errorf("read %+v, %v", r, err)
	}
	want := record(1, `{"id" : "indicator--1"}`)
	got, err := decodeRecord(framed(bytes.TrimSuffix(lineOf(t, want), []byte("\n"))))
	want.Objects[0] = json.RawMessage(`{"id":"indicator--1"}`)
	if err != nil || !reflect.DeepEqual(&got, want) {
		t.Errorf("read back %+v, %v", got, err)
	}
}

// TestCutAnywhere cuts a segment at every byte, as a stop in the middle of a write does:
// the whole records are there, the rest is torn.
func TestCutAnywhere(t *testing.T) {
	text, ends := segmentOfThree(t)
	for n := range len(text) {
		whole := 0
		for _, end := range ends {
			if n >= end-1 { // without its line break a record is whole
				whole++
			}
		}
		got, torn := 0, 0
		for _, x := range stretches(text[:n]) {
			switch {
			case x.body != nil:
				got++
			case x.torn(text[:n]):
				torn++
			default:
				t.Fatalf("cut at %d: %d to %d counts as damaged", n, x.at, x.end)
			}
		}
		clean := n == 0 || whole > 0 && (n == ends[whole-1] || n == ends[whole-1]-1)
		if got != whole || torn != 0 == clean {
			t.Fatalf("cut at %d of %d: %d records, %d torn, want %d", n, len(text), got, torn, whole)
		}
	}
}

// TestDamageAnywhere changes every byte of a segment in turn: no other record than the
// one it is in is lost, and what is lost is told with its bytes.
func TestDamageAnywhere(t *testing.T) {
	text, ends := segmentOfThree(t)
	for n := range len(text) {
		for _, with := range []byte{'\n', 0, text[n] ^ 1} {
			if with == text[n] {
				continue
			}
			damaged := bytes.Clone(text)
			damaged[n] = with
			in, lineBreak := 0, false
			for ends[in] <= n {
				in++
			}
			lineBreak = n == ends[in]-1
			at, found := 0, 0
			for _, x := range stretches(damaged) {
				if x.at != at || x.end <= x.at {
					t.Fatalf("byte %d: a stretch from %d to %d follows %d", n, x.at, x.end, at)
				}
				at = x.end
				if x.body == nil {
					if x.at < ends[in]-(ends[0]) || x.end > ends[in] || lineBreak {
						t.Fatalf("byte %d of record %d: %d to %d counts as damaged", n, in, x.at, x.end)
					}
					continue
				}
				if _, err := decodeRecord(x.body); err != nil {
					t.Fatal(err)
				}
				found++
			}
			want := 2
			if lineBreak {
				want = 3
			}
			if at != len(damaged) || found != want {
				t.Fatalf("byte %d as %q: %d records, want %d; %d bytes of %d", n, with, found, want, at, len(damaged))
			}
		}
	}
}

// FuzzStretches wants any text to be cut without a gap, what counts as a record to be one
// as it was written, and records in the midst of it to be found.
func FuzzStretches(f *testing.F) {
	text, ends := segmentOfThree(f)
	f.Add(text)
	f.Add(text[:ends[1]-10])
	f.Add(append([]byte("0123456789abcdef 00000010 {}\n"), text...))
	f.Add(bytes.Repeat([]byte("\n0000000000000000 ffffffff "), 50))
	whole := lineOf(f, record(9, `{"id":"indicator--9"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		count := func(text []byte) (n int) {
			at := 0
			for _, x := range stretches(text) {
				if x.at != at || x.end <= x.at || x.end > len(text) {
					t.Fatalf("a stretch from %d to %d follows %d", x.at, x.end, at)
				}
				at = x.end
				if x.body == nil {
					continue
				}
				n++
				if !bytes.Contains(text[x.at:x.end], x.body) || bytes.IndexByte(x.body, '\n') >= 0 {
					t.Fatalf("the record %q is not that of its line", x.body)
				}
				if r, err := decodeRecord(x.body); err == nil && len(r.Objects) == 0 {
					t.Fatal("a record of nothing")
				}
			}
			if at != len(text) {
				t.Fatalf("cut %d of %d bytes", at, len(text))
			}
			return n
		}
		before := count(text)
		around := append(append(append(bytes.Clone(whole), text...), '\n'), whole...)
		if got := count(around); got != before+2 {
			t.Fatalf("%d records with two around %d", got, before)
		}
	})
}

// TestStretchesLinear reads a long text that claims a long record on every line.
func TestStretchesLinear(t *testing.T) {
	var text bytes.Buffer
	for text.Len() < 16<<20 {
		fmt.Fprintf(&text, "%016x %08x x\n", text.Len(), 8<<20)
	}
	began := time.Now()
	if list := stretches(text.Bytes()); len(list) != 1 || list[0].end != text.Len() {
		t.Errorf("%d stretches, want one", len(list))
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}
