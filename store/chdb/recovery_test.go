package chdb_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/store/chdb"
)

// TestTokenWithoutItsPart makes by hand what a kill between the two steps of an
// insert leaves: the token is logged, the part is not there. The repeated insert
// must store the rows. Tokens of parts that are there must go on to work.
func TestTokenWithoutItsPart(t *testing.T) {
	dir := t.TempDir()
	step := func(do func(s *chdb.Supervisor)) {
		t.Helper()
		s, err := chdb.Start(t.Context(), testConfig(dir))
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	step(func(s *chdb.Supervisor) {
		c := open(t, parse(t, s.DSN()))
		run(t, c, `CREATE TABLE k (writer UInt8, batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY row
			SETTINGS non_replicated_deduplication_window = 100`)
		for batch := range uint32(2) {
			if err := insertBatch(t.Context(), c, 0, batch, 10); err != nil {
				t.Fatal(err)
			}
		}
	})
	lost, err := filepath.Glob(filepath.Join(dir, "store", "*", "*", "all_2_2_0"))
	if err != nil || len(lost) != 1 {
		t.Fatal(lost, err)
	}
	if err := os.RemoveAll(lost[0]); err != nil {
		t.Fatal(err)
	}
	step(func(s *chdb.Supervisor) {
		c := open(t, parse(t, s.DSN()))
		equal(t, "rows before", scalar[uint64](t, c, "SELECT count() FROM k"), 10)
		for batch := range uint32(2) {
			if err := insertBatch(t.Context(), c, 0, batch, 10); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "first batch", scalar[uint64](t, c, "SELECT count() FROM k WHERE batch = 0"), 10)
		equal(t, "lost batch", scalar[uint64](t, c, "SELECT count() FROM k WHERE batch = 1"), 10)
	})
}
