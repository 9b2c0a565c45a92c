package clickhouse

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"text/template"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migration is one step of the schema. A file that has been released is never
// edited: databases that have applied it would not get the change.
type Migration struct {
	Version    int
	Name       string
	Checksum   string   // SHA-256 of the file
	Statements []string // for this store: templates filled in
}

// dedupWindow is how many inserts back a repeated token is recognized. It must
// cover the longest pause of a worker at the full insert rate; see docs/store.md.
const dedupWindow = 10_000

// migrations reads the embedded files. Their order is that of their names.
func migrations(files fs.FS, cluster string) ([]Migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []Migration
	for i, path := range names {
		source, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(path, "migrations/"), ".sql")
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %d", name, i+1)
		}
		sum := sha256.Sum256(source)
		m := Migration{Version: version, Name: name, Checksum: hex.EncodeToString(sum[:])}
		if m.Statements, err = statements(name, string(source), cluster); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// statements fills in the template and splits it. {{on}} and {{engine}} are what
// differs between one server and a cluster of replicas.
func statements(name, source, cluster string) ([]string, error) {
	dedup := fmt.Sprintf("non_replicated_deduplication_window = %d", dedupWindow)
	on := ""
	if cluster != "" {
		// The default of the time limit is an hour: shorter than an outage.
		dedup = fmt.Sprintf("replicated_deduplication_window = %d, replicated_deduplication_window_seconds = 604800", dedupWindow)
		on = "ON CLUSTER '" + cluster + "'"
	}
	t, err := template.New(name).Funcs(template.FuncMap{
		"on":    func() string { return on },
		"dedup": func() string { return dedup },
		"engine": func(engine string, args ...string) string {
			if cluster != "" {
				engine = "Replicated" + engine
				args = append([]string{"'/clickhouse/tables/{uuid}/{shard}'", "'{replica}'"}, args...)
			}
			if len(args) == 0 {
				return engine
			}
			return engine + "(" + strings.Join(args, ", ") + ")"
		},
	}).Parse(source)
	if err != nil {
		return nil, fmt.Errorf("migration %s: %w", name, err)
	}
	var out strings.Builder
	if err := t.Execute(&out, nil); err != nil {
		return nil, fmt.Errorf("migration %s: %w", name, err)
	}
	var list []string
	for _, sql := range strings.Split(out.String(), ";\n") {
		if sql = strings.TrimSpace(sql); !onlyComments(sql) {
			list = append(list, sql)
		}
	}
	return list, nil
}

func onlyComments(sql string) bool {
	for line := range strings.Lines(sql) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "--") {
			return false
		}
	}
	return true
}

// journal is the table of applied migrations.
const journal = `CREATE TABLE IF NOT EXISTS schema_migrations {{on}}
(
    version UInt32,
    name String,
    checksum String,
    applied DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {{engine "ReplacingMergeTree"}} ORDER BY version`

// MigrationPlan gives the migrations that Migrate would apply, in order. It fails
// if the database has one that is not known here, or that was changed since.
func (s *Store) MigrationPlan(ctx context.Context) ([]Migration, error) {
	return s.plan(ctx, migrationFiles)
}

func (s *Store) plan(ctx context.Context, files fs.FS) ([]Migration, error) {
	all, err := migrations(files, s.cfg.Cluster)
	if err != nil {
		return nil, err
	}
	type applied struct{ name, checksum string }
	have := map[int]applied{}
	err = s.each(ctx, "SELECT version, name, checksum FROM schema_migrations FINAL", nil, func(r driver.Rows) error {
		var version uint32
		var a applied
		if err := r.Scan(&version, &a.name, &a.checksum); err != nil {
			return err
		}
		have[int(version)] = a
		return nil
	})
	if code := codeOf(err); err != nil && code != codeUnknownTable && code != codeUnknownDatabase {
		return nil, fmt.Errorf("reading applied migrations: %w", err)
	}
	var open []Migration
	for _, m := range all {
		a, ok := have[m.Version]
		delete(have, m.Version)
		switch {
		case !ok:
			open = append(open, m)
		case len(open) > 0:
			return nil, fmt.Errorf("migration %s is applied but %s, before it, is not", m.Name, open[0].Name)
		case a.checksum != m.Checksum:
			return nil, fmt.Errorf("migration %s was changed after it was applied (checksum %.12s, applied %.12s): put changes into a new migration",
				m.Name, m.Checksum, a.checksum)
		}
	}
	for _, a := range have {
		return nil, fmt.Errorf("the database has migration %s, which this version does not know: it is newer", a.name)
	}
	return open, nil
}

// Migrate creates the database if need be, applies what is missing and sets the
// retention of every table. It may run again at any time, and returns what it
// applied. After a failure the same call carries on: every statement can be
// repeated.
func (s *Store) Migrate(ctx context.Context) ([]Migration, error) {
	return s.migrate(ctx, migrationFiles)
}

func (s *Store) migrate(ctx context.Context, files fs.FS) ([]Migration, error) {
	if err := s.createDatabase(ctx); err != nil {
		return nil, err
	}
	open, err := s.plan(ctx, files)
	if err != nil {
		return nil, err
	}
	create, err := statements("journal", journal, s.cfg.Cluster)
	if err != nil {
		return nil, err
	}
	if err := s.exec(ctx, create[0]); err != nil {
		return nil, fmt.Errorf("creating schema_migrations: %w", err)
	}
	for i, m := range open {
		for _, sql := range m.Statements {
			if err := s.exec(ctx, sql); err != nil {
				return open[:i], fmt.Errorf("migration %s: %w", m.Name, err)
			}
		}
		sql := "INSERT INTO schema_migrations (version, name, checksum) SELECT {version:UInt32}, {name:String}, {checksum:String}"
		p := params{"version": number(m.Version), "name": text(m.Name), "checksum": text(m.Checksum)}
		if err := s.conn.Exec(p.context(ctx), sql); err != nil {
			return open[:i], fmt.Errorf("recording migration %s: %w", m.Name, err)
		}
	}
	return open, s.applyRetention(ctx)
}

// createDatabase needs a connection to another database: one to a database that
// is missing is refused.
func (s *Store) createDatabase(ctx context.Context) error {
	if err := s.Ping(ctx); codeOf(err) != codeUnknownDatabase {
		return err
	}
	opts := *s.opts
	opts.Auth.Database = "default"
	admin, err := clickhouse.Open(&opts)
	if err != nil {
		return fmt.Errorf("opening ClickHouse: %w", err)
	}
	defer admin.Close()
	if err := admin.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+s.opts.Auth.Database+" "+s.onCluster()); err != nil {
		return fmt.Errorf("creating database %s: %w", s.opts.Auth.Database, err)
	}
	return nil
}
