package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// block is the rows of one table, ready to be sent. Its memory belongs to the
// encoder that made it.
type block struct {
	table   string
	rows    int
	columns []proto.InputColumn
	lists   func() []any // the same columns, as clickhouse-go takes them
}

// insert is the statement that the block belongs to, without a format.
func (b block) insert() string {
	var sql strings.Builder
	sql.WriteString("INSERT INTO " + b.table + " (")
	for i, c := range b.columns {
		if i > 0 {
			sql.WriteString(", ")
		}
		sql.WriteString(c.Name)
	}
	return sql.String() + ")"
}

// block encodes rows.
func (t *tableOf[R]) block(rows []R) block {
	b := block{table: t.name, rows: len(rows)}
	if len(rows) == 0 {
		return b
	}
	for i := range t.columns {
		c := &t.columns[i]
		c.fill(rows)
		b.columns = append(b.columns, proto.InputColumn{Name: c.name, Data: c.data})
	}
	b.lists = func() []any {
		lists := make([]any, len(t.columns))
		for i := range t.columns {
			lists[i] = t.columns[i].list(rows)
		}
		return lists
	}
	return b
}

// encoder has the columns of every table that is written. It serves one Write at
// a time.
type encoder struct {
	buf     proto.Buffer
	tables  []func(*persist.Rows) block
	sources *tableOf[sourceRow]
}

// newEncoder lists the tables in the order they are written: completeness last,
// since it says that the others are there.
func newEncoder() *encoder {
	e := &encoder{sources: sourcesTable()}
	write(e, alertsTable(), func(r *persist.Rows) []persist.Alert { return r.Alerts })
	write(e, alertEntitiesTable(), func(r *persist.Rows) []persist.AlertEntity { return r.AlertEntities })
	write(e, matchesTable(), func(r *persist.Rows) []persist.Match { return r.Matches })
	write(e, entitiesTable(), func(r *persist.Rows) []persist.Entity { return r.Entities })
	write(e, aliasesTable(), func(r *persist.Rows) []schema.EntityAlias { return r.Aliases })
	write(e, detectionsTable(), func(r *persist.Rows) []schema.Detection { return r.Detections })
	write(e, incidentsTable(), func(r *persist.Rows) []persist.Incident { return r.Incidents })
	write(e, incidentVersionsTable(), func(r *persist.Rows) []persist.Incident { return r.Incidents })
	write(e, redirectsTable(), func(r *persist.Rows) []persist.Redirect { return r.Redirects })
	write(e, membersTable(), func(r *persist.Rows) []persist.Member { return r.Members })
	write(e, pathsTable(), func(r *persist.Rows) []persist.Path { return r.Paths })
	write(e, pathEdgesTable(), func(r *persist.Rows) []persist.PathEdge { return r.PathEdges })
	write(e, edgesTable(), func(r *persist.Rows) []persist.EntityEdge { return r.Edges })
	write(e, decisionsTable(), func(r *persist.Rows) []persist.Decision { return r.Decisions })
	write(e, evidenceTable(), func(r *persist.Rows) []persist.Evidence { return r.Evidence })
	write(e, leasesTable(), func(r *persist.Rows) []persist.Lease { return r.Leases })
	write(e, actionsTable(), func(r *persist.Rows) []persist.Action { return r.Actions })
	write(e, ledgerTable(), func(r *persist.Rows) []persist.Ledger { return r.Ledger })
	write(e, rejectsTable(), func(r *persist.Rows) []persist.Reject { return r.Rejects })
	write(e, sourceStatsTable(), func(r *persist.Rows) []persist.SourceStats { return r.SourceStats })
	write(e, assetsTable(), func(r *persist.Rows) []persist.Asset { return r.Assets })
	write(e, indicatorsTable(), func(r *persist.Rows) []persist.Indicator { return r.Indicators })
	write(e, completenessTable(), func(r *persist.Rows) []persist.Completeness { return r.Completeness })
	return e
}

func write[R any](e *encoder, t *tableOf[R], rows func(*persist.Rows) []R) {
	e.tables = append(e.tables, func(r *persist.Rows) block { return t.block(rows(r)) })
}

// Write inserts rows, one block per table that has any. See persist.Writer: an
// error is Permanent where the schema does not fit, and retryable otherwise.
func (s *Store) Write(ctx context.Context, token string, rows *persist.Rows) (blocks int, err error) {
	if token == "" {
		return 0, fmt.Errorf("inserting into ClickHouse: no token")
	}
	e := s.encoder()
	defer s.release(e)
	for _, table := range e.tables {
		b := table(rows)
		if b.rows == 0 {
			continue
		}
		blocks++
		if err := s.insert(ctx, e, b, token+"/"+b.table); err != nil {
			return blocks, err
		}
	}
	return blocks, nil
}

// An encoder that has seen 10,000 alerts holds some 60 MB, which is kept for the
// next range: a few, and none that grew out of proportion. A sync.Pool would lose
// most of them, as it keeps one per processor out of reach of the others.
const (
	idleEncoders   = 4
	maxIdleEncoder = 64 << 20 // bytes of its largest block
)

func (s *Store) encoder() *encoder {
	select {
	case e := <-s.encoders:
		return e
	default:
		return newEncoder()
	}
}

func (s *Store) release(e *encoder) {
	if cap(e.buf.Buf) > maxIdleEncoder {
		return
	}
	select {
	case s.encoders <- e:
	default:
	}
}

// WriteSources records the configuration of sources, which v_source_health
// compares with what arrives. at orders it: the newest wins.
func (s *Store) WriteSources(ctx context.Context, at schema.Millis, sources []schema.Source) error {
	e := s.encoder()
	defer s.release(e)
	rows := make([]sourceRow, len(sources))
	for i, src := range sources {
		rows[i] = sourceRow{src, uint64(at)}
	}
	b := e.sources.block(rows)
	if b.rows == 0 {
		return nil
	}
	return s.insert(ctx, e, b, "") // again has no effect: the version decides
}

func (s *Store) insert(ctx context.Context, e *encoder, b block, token string) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.InsertTimeout)
	defer cancel()
	settings := map[string]any{
		"insert_deduplicate":                                 1,
		"insert_deduplication_token":                         token, // empty: none
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		"async_insert":                                       0,
		"max_execution_time":                                 int(s.cfg.InsertTimeout.Seconds()),
	}
	if err := s.sender.send(ctx, &e.buf, b, settings); err != nil {
		return classify(fmt.Errorf("inserting %d rows into %s: %w", b.rows, b.table, err))
	}
	return nil
}
