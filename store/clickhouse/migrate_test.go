package clickhouse_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/interdict/interdict/store/clickhouse"
)

func TestMigrateTwice(t *testing.T) {
	s := openEmpty(t, func(c *clickhouse.Config) { c.Database = "migrate_twice" })
	plan, err := s.MigrationPlan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done, err := s.Migrate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "applied", len(done), len(plan))
	again, err := s.Migrate(t.Context())
	if err != nil || len(again) != 0 {
		t.Fatalf("second run applied %d migrations, error %v", len(again), err)
	}
	equal(t, "recorded", value(t, s, "SELECT count() FROM schema_migrations FINAL"), fmt.Sprint(len(plan)))
}

// TestIntelligenceOnExistingStore: rows of before keep their meaning, and what was cut off
// behind the last statement is done again.
func TestIntelligenceOnExistingStore(t *testing.T) {
	s := openEmpty(t, func(c *clickhouse.Config) { c.Database = "migrate_intelligence" })
	files := fstest.MapFS{}
	for _, name := range must(filepath.Glob("migrations/*.sql"))(t) {
		files[name] = &fstest.MapFile{Data: must(os.ReadFile(name))(t)}
	}
	const last = "migrations/0006_intelligence.sql"
	rows := `INSERT INTO matches (tenant, value, alert_id, feed, indicator, verdict, time) VALUES ('acme', 'bad.example', generateUUIDv4(), 'f', 'i', 'malicious', now());
INSERT INTO indicators_history (tenant, observable_type, value, feed, indicator, snapshot) VALUES ('acme', 'domain', 'bad.example', 'f', 'i', 1), ('acme', 'domain', 'bad.example', 'f', 'i', 2);
INSERT INTO alert_entities (tenant, entity_type, key, time, alert_id, role) VALUES ('acme', 'ip', '192.0.2.1', now(), generateUUIDv4(), 'c2');
`
	whole := files[last].Data
	files[last] = &fstest.MapFile{Data: append([]byte(rows), append(slices.Clone(whole), "\nSELECT broken;\n"...)...)}
	if _, err := s.MigrateFiles(t.Context(), files); err == nil || !strings.Contains(err.Error(), "0006") {
		t.Fatalf("got %v", err)
	}
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "matches", value(t, s, "SELECT toString(groupArray((counts, retro, demoted, wish, threat_names))) FROM matches FINAL"), "[(true,false,'','',[])]")
	equal(t, "history", value(t, s, "SELECT toString(arraySort(groupArray((snapshot, seq, toString(op))))) FROM indicators_history FINAL"), "[(1,0,''),(2,0,'')]")
	equal(t, "ports", value(t, s, "SELECT toString(groupArray(port)) FROM alert_entities FINAL"), "[0]")
	equal(t, "sorting key", value(t, s, "SELECT sorting_key FROM system.tables WHERE database = currentDatabase() AND name = 'indicators_history'"),
		"tenant, observable_type, value, feed, indicator, snapshot, seq")
	equal(t, "feeds", value(t, s, "SELECT toString(groupArray((toString(feed), counting))) FROM v_intel_feeds"), "[('f',1)]")
}

func TestMigrationsAreNeverEdited(t *testing.T) {
	s := openEmpty(t, func(c *clickhouse.Config) { c.Database = "migrate_edit" })
	file := func(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(sql)} }
	v1 := fstest.MapFS{"migrations/0001_a.sql": file("CREATE TABLE IF NOT EXISTS a (n UInt8) ENGINE = {{engine \"MergeTree\"}} ORDER BY n;\n")}
	run := func(want string, files fs.FS) {
		t.Helper()
		// Retention wants all tables, which are not there: past the migrations.
		_, err := s.MigrateFiles(t.Context(), files)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Fatalf("want %q, got %v", want, err)
		}
	}
	run("retention", v1)
	v2 := fstest.MapFS{"migrations/0001_a.sql": v1["migrations/0001_a.sql"],
		"migrations/0002_b.sql": file("ALTER TABLE a ADD COLUMN IF NOT EXISTS m UInt8;\nSELECT broken;\n")}
	run("migration 0002_b", v2)
	v2["migrations/0002_b.sql"] = file("ALTER TABLE a ADD COLUMN IF NOT EXISTS m UInt8;\n-- repaired\n")
	run("retention", v2) // one that failed half-way was not applied, and may be repaired
	equal(t, "column", value(t, s, "SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'a'"), "2")
	run("which this version does not know", v1)
	v2["migrations/0001_a.sql"] = file("CREATE TABLE IF NOT EXISTS a (n UInt16) ENGINE = MergeTree ORDER BY n;\n")
	run("0001_a was changed after it was applied", v2)
	run("want number 1", fstest.MapFS{"migrations/0002_b.sql": v2["migrations/0002_b.sql"]})
}

// TestColumnsMatchTables holds the lists of columns and the tables together, both
// ways and with types.
func TestColumnsMatchTables(t *testing.T) {
	s := open(t)
	table, err := s.Query(t.Context(), `SELECT c.table, c.name, c.type, c.default_kind FROM system.columns AS c
		INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
		WHERE c.database = currentDatabase() AND t.engine NOT IN ('View') ORDER BY c.table, c.position`, nil)
	if err != nil {
		t.Fatal(err)
	}
	aggregate := regexp.MustCompile(`^SimpleAggregateFunction\(\w+, (.*)\)$`)
	have := map[string][][2]string{}
	for _, r := range table.Rows {
		if r[3] == "" { // not filled in by the server
			have[r[0]] = append(have[r[0]], [2]string{r[1], aggregate.ReplaceAllString(r[2], "$1")})
		}
	}
	want := clickhouse.WrittenColumns()
	for name, columns := range want {
		if !slices.Equal(columns, have[name]) {
			t.Errorf("%s: the writer has\n%v\nthe table has\n%v", name, columns, have[name])
		}
		delete(have, name)
	}
	// Tables whose data comes with later features.
	for _, name := range []string{"schema_migrations", "links", "runs", "run_steps"} {
		if have[name] == nil {
			t.Errorf("no table %s", name)
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("table %s has no writer", name)
	}
}

func TestClusterStatements(t *testing.T) {
	one, err := clickhouse.Migrations("")
	if err != nil {
		t.Fatal(err)
	}
	many, err := clickhouse.Migrations("{cluster}")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range many {
		equal(t, "checksum of "+m.Name, m.Checksum, one[i].Checksum)
		for j, sql := range m.Statements {
			if !strings.Contains(sql, "ON CLUSTER '{cluster}'") {
				t.Errorf("%s: not on the cluster: %.80s", m.Name, sql)
			}
			if strings.Contains(sql, "CREATE TABLE") {
				if !regexp.MustCompile(`ENGINE = Replicated\w+MergeTree\('/clickhouse/tables/\{uuid\}/\{shard\}', '\{replica\}'`).MatchString(sql) {
					t.Errorf("%s: not replicated: %.80s", m.Name, sql)
				}
				if !strings.Contains(sql, "replicated_deduplication_window = 10000,") || strings.Contains(sql, "non_replicated") {
					t.Errorf("%s: wrong window: %.80s", m.Name, sql)
				}
				if !strings.Contains(one[i].Statements[j], "non_replicated_deduplication_window = 10000") {
					t.Errorf("%s: no window on one server: %.80s", m.Name, sql)
				}
			}
			if s := one[i].Statements[j]; strings.Contains(s, "CLUSTER") || strings.Contains(s, "Replicated") || strings.Contains(s, "{{") {
				t.Errorf("%s: one server gets %.80s", m.Name, s)
			}
		}
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	set := func(days int) func(*clickhouse.Config) {
		return func(c *clickhouse.Config) {
			c.Database = "retention"
			c.Retention = clickhouse.Retention{Alerts: days, Cases: days, Response: days, Ledger: days, Inventory: days, Operations: days}
		}
	}
	engines := func(s *clickhouse.Store) string {
		return value(t, s, `SELECT arrayStringConcat(groupArray(concat(name, ' ', extract(engine_full, 'TTL (.*?) SETTINGS'))), '\n')
			FROM (SELECT * FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name)`)
	}
	for _, days := range []int{30, 30, 7, 0} {
		s := open(t, set(days))
		got := engines(s)
		for _, name := range clickhouse.RetentionTables() {
			re := regexp.MustCompile(fmt.Sprintf(`(?m)^%s toDateTime\(\w+\) \+ toIntervalDay\(%d\)$`, name, days))
			if days == 0 {
				re = regexp.MustCompile(`(?m)^` + name + ` $`)
			}
			if !re.MatchString(got) {
				t.Errorf("%d days: %s is not among\n%s", days, name, got)
			}
		}
	}
	// Every table that grows has a class; the inventory of assets and sources is
	// small and replaced in place.
	s := open(t, set(1))
	without := value(t, s, `SELECT arrayStringConcat(groupArray(name), ' ') FROM (SELECT name FROM system.tables WHERE database = currentDatabase()
		AND engine LIKE '%MergeTree' AND engine_full NOT LIKE '% TTL %' ORDER BY name)`)
	equal(t, "tables without retention", without, "assets schema_migrations sources")
}
