package clickhouse

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// params are the values of a statement's {name:Type} parameters, in the text
// form the server reads. They are bound by the server: no value ever becomes
// part of a statement.
type params map[string]string

// text makes a string parameter. The server reads parameters as escaped text, so
// that `ACME\bob` would lose its backslash and more.
func text(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\b", `\b`, "\f", `\f`).Replace(s)
}

func number[T ~int | ~int8 | ~uint8 | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

// millis makes a DateTime64(3) parameter.
func millis(m schema.Millis) string { return m.Time().Format("2006-01-02 15:04:05.000") }

// uuids makes an Array(UUID) parameter.
func uuids[T ~[16]byte](ids []T) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("'" + uuid.UUID(id).String() + "'")
	}
	return "[" + b.String() + "]"
}

// texts makes an Array(String) parameter. Its elements are escaped once, as quoted
// text; around them the server does not unescape again.
func texts(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = "'" + strings.ReplaceAll(text(s), `'`, `\'`) + "'"
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

func (p params) context(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters(p)))
}

// exec runs a statement without a result.
func (s *Store) exec(ctx context.Context, sql string) error { return s.conn.Exec(ctx, sql) }

// each runs a query and calls row for every row of its result.
func (s *Store) each(ctx context.Context, sql string, p params, row func(driver.Rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	rows, err := s.conn.Query(p.context(ctx), sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scalar reads the one value of a query.
func (s *Store) scalar(ctx context.Context, dest any, sql string, p params) error {
	found := false
	err := s.each(ctx, sql, p, func(r driver.Rows) error {
		found = true
		return r.Scan(dest)
	})
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

// Table is the result of any query, as text.
type Table struct {
	Columns []string
	Rows    [][]string
}

// Query runs a statement with parameters and gives its result as text: times in
// RFC 3339, arrays in brackets. It is for the queries of docs/queries and for
// checks; the SQL must be ours, since a DSN may allow everything. Values are
// bound to the statement's {name:Type} parameters.
func (s *Store) Query(ctx context.Context, sql string, values map[string]string) (*Table, error) {
	p := params{}
	for k, v := range values {
		p[k] = text(v)
	}
	t := &Table{}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	rows, err := s.conn.Query(p.context(ctx), strings.TrimRight(sql, "; \n"))
	if err != nil {
		return nil, fmt.Errorf("querying the store: %w", err)
	}
	defer rows.Close()
	t.Columns = rows.Columns()
	dest := make([]any, len(t.Columns))
	for i, c := range rows.ColumnTypes() {
		dest[i] = reflect.New(c.ScanType()).Interface()
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, fmt.Errorf("querying the store: %w", err)
		}
		row := make([]string, len(dest))
		for i, d := range dest {
			row[i] = show(reflect.ValueOf(d).Elem().Interface())
		}
		t.Rows = append(t.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("querying the store: %w", err)
	}
	return t, nil
}

func show(v any) string {
	switch v := v.(type) {
	case time.Time:
		return schema.FromTime(v).String()
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer {
		if r.IsNil() {
			return "NULL"
		}
		return show(r.Elem().Interface())
	}
	return fmt.Sprint(v)
}
