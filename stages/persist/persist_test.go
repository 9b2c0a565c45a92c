package persist_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/persist"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// dumper is a Writer that keeps rows as JSON.
type dumper struct {
	token string
	dump  []byte
	err   error
}

func (d *dumper) Write(_ context.Context, token string, rows *persist.Rows) (int, error) {
	if d.err != nil {
		return 1, d.err
	}
	d.token = token
	var err error
	d.dump, err = json.MarshalIndent(rows, "", "\t")
	return 3, err
}

func TestGolden(t *testing.T) {
	w := &dumper{}
	p := persist.New(w, persist.DefaultConfig())
	for _, in := range samples() {
		t.Run(in.Kind.String(), func(t *testing.T) {
			blocks, err := p.Insert(t.Context(), in)
			if err != nil || blocks != 3 || w.token != in.Token {
				t.Fatalf("blocks %d, token %q, error %v", blocks, w.token, err)
			}
			file := filepath.Join("testdata", in.Kind.String()+".golden.json")
			if *update {
				if err := os.WriteFile(file, append(w.dump, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != string(w.dump)+"\n" {
				t.Errorf("rows differ from %s (go test -update rewrites it):\n%s", file, w.dump)
			}
		})
	}
}

// TestSameRowsAgain inserts through a pool that has held other rows: nothing of
// them may show.
func TestSameRowsAgain(t *testing.T) {
	var reused persist.Rows
	for round := range 3 {
		for _, in := range samples() {
			var fresh persist.Rows
			for _, rows := range []*persist.Rows{&fresh, &reused} {
				if err := persist.Decode(in, persist.DefaultConfig(), rows); err != nil {
					t.Fatal(err)
				}
			}
			a, _ := json.Marshal(&fresh)
			b, _ := json.Marshal(&reused)
			if string(a) != string(b) {
				t.Fatalf("round %d, %s: reused rows differ:\n%s\n%s", round, in.Kind, a, b)
			}
		}
	}
}

// TestCountingMatchIsLast: the table keeps the last row of a key, which must be the
// match that counts.
func TestCountingMatchIsLast(t *testing.T) {
	a := sampleAlert("4711", at)
	doubted := a.Matches[0]
	doubted.Demoted = "on a list"
	a.Matches = append(a.Matches, doubted)
	in := samples()[0]
	in.Records = []persist.Record{in.Records[0]}
	in.Records[0].Value = schema.AppendAlertEntry(nil, a)
	var rows persist.Rows
	if err := persist.Decode(in, persist.DefaultConfig(), &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows.Matches) != 2 || rows.Matches[0].Counts() || !rows.Matches[1].Counts() {
		t.Errorf("%+v", rows.Matches)
	}
}

// TestSamplesFillEveryTable keeps the golden files honest: a table added to Rows
// must get a sample.
func TestSamplesFillEveryTable(t *testing.T) {
	filled := map[string]bool{}
	for _, in := range samples() {
		var rows persist.Rows
		if err := persist.Decode(in, persist.DefaultConfig(), &rows); err != nil {
			t.Fatal(err)
		}
		v := reflect.ValueOf(&rows).Elem()
		for i := range v.NumField() {
			f := v.Type().Field(i)
			filled[f.Name] = filled[f.Name] || !f.IsExported() || v.Field(i).Len() > 0
		}
	}
	for name, ok := range filled {
		if !ok {
			t.Errorf("no sample has %s", name)
		}
	}
}

func TestDamageIsPermanentAndNamesItsPlace(t *testing.T) {
	headers := deadLetterHeaders(0)
	without := func(name string) []persist.Header {
		var h []persist.Header
		for _, x := range headers {
			if x.Key != name {
				h = append(h, x)
			}
		}
		return h
	}
	with := func(name, value string) []persist.Header {
		return append(without(name), persist.Header{Key: name, Value: []byte(value)})
	}
	bad := sampleAlert("4711", at)
	bad.Matches[0].Entity = 3
	for name, tc := range map[string]struct {
		kind persist.Kind
		rec  persist.Record
		want string
	}{
		"not a message":           {persist.KindIncidents, persist.Record{Value: []byte{0xff}}, "decode incident"},
		"not an entry":            {persist.KindAlerts, persist.Record{Value: []byte{0x0a, 0x7f}}, "decode entry"},
		"no tenant":               {persist.KindLedger, persist.Record{Value: (&schema.LedgerEvent{Verb: "x"}).AppendWire(nil)}, "ledger event without a tenant"},
		"match of nothing":        {persist.KindAlerts, persist.Record{Value: schema.AppendAlertEntry(nil, bad)}, "match of entity 3 of 3"},
		"tombstone without key":   {persist.KindMembers, persist.Record{}, "no tenant"},
		"tombstone, short id":     {persist.KindLeases, persist.Record{Key: key("acme", []byte("x"))}, "want 16 bytes"},
		"tombstone, no entity":    {persist.KindAssets, persist.Record{Key: key("acme", []byte("hots:x"))}, "want type:key"},
		"deleted from a log":      {persist.KindDecisions, persist.Record{Key: key("acme", nil)}, "decision without a tenant"},
		"unknown kind":            {99, persist.Record{}, "not known"},
		"dead letter, no topic":   {persist.KindDeadLetter, persist.Record{Headers: without("topic")}, "without topic or reason"},
		"dead letter, no reason":  {persist.KindDeadLetter, persist.Record{Headers: without("reason")}, "without topic or reason"},
		"dead letter, no tenant":  {persist.KindDeadLetter, persist.Record{Headers: without("tenant")}, "without a tenant"},
		"dead letter, bad reason": {persist.KindDeadLetter, persist.Record{Headers: with("reason", "mood")}, "header reason"},
		"dead letter, bad number": {persist.KindDeadLetter, persist.Record{Headers: with("doc", "4294967296")}, "header doc"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.rec.Offset = 4242
			w := &dumper{}
			in := persist.Input{Kind: tc.kind, Topic: "interdict.x", Partition: 5, Records: []persist.Record{tc.rec}}
			_, err := persist.New(w, persist.DefaultConfig()).Insert(t.Context(), in)
			if !stages.IsPermanent(err) || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "interdict.x partition 5 offset 4242") {
				t.Fatalf("got %v", err)
			}
			if w.dump != nil {
				t.Fatal("something was written")
			}
		})
	}
}

func TestWriterErrorsKeepTheirClass(t *testing.T) {
	in := samples()[0]
	for _, want := range []error{errors.New("network"), stages.Permanent(errors.New("no such table"))} {
		_, err := persist.New(&dumper{err: want}, persist.DefaultConfig()).Insert(t.Context(), in)
		if !errors.Is(err, want) || stages.IsPermanent(err) != stages.IsPermanent(want) {
			t.Errorf("%v became %v", want, err)
		}
	}
}

func TestConfig(t *testing.T) {
	cfg := persist.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	cfg.Raw, cfg.MaxReject = false, 4
	var rows persist.Rows
	for _, in := range samples() {
		if err := persist.Decode(in, cfg, &rows); err != nil {
			t.Fatal(err)
		}
		for _, a := range rows.Alerts {
			if a.Raw != nil {
				t.Error("raw bytes were kept")
			}
		}
		for i, r := range rows.Rejects {
			if size := uint64(len(in.Records[i].Value)); len(r.Bytes) != int(min(4, size)) || r.Size != size {
				t.Errorf("%d bytes of %d kept", len(r.Bytes), r.Size)
			}
		}
	}
	cfg.MaxReject = -1
	if cfg.Validate() == nil {
		t.Error("negative max_reject was accepted")
	}
}
