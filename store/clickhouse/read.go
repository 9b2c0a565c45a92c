package clickhouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/schema"
)

// defaultLimit is how many rows a list gives when its filter does not say.
const defaultLimit = 100

// where collects the conditions of a read, and the values of their parameters.
type where struct {
	conditions []string
	params     params
}

// of starts a read of one tenant. An empty tenant is refused by read.
func of(tenant string) *where {
	return &where{conditions: []string{"tenant = {tenant:String}"}, params: params{"tenant": text(tenant)}}
}

// and adds a condition with at most one parameter of the given name.
func (w *where) and(condition, name, value string) *where {
	w.conditions = append(w.conditions, condition)
	if name != "" {
		w.params[name] = value
	}
	return w
}

// param sets a parameter that no condition of the list uses.
func (w *where) param(name, value string) *where {
	w.params[name] = value
	return w
}

// within adds bounds on a time: at or after since, before until. Zero is no bound.
func (w *where) within(column string, since, until schema.Millis) *where {
	if since != 0 {
		w.and(column+" >= {since:DateTime64(3, 'UTC')}", "since", millis(since))
	}
	if until != 0 {
		w.and(column+" < {until:DateTime64(3, 'UTC')}", "until", millis(until))
	}
	return w
}

// read gives the merged rows of a table, in the order and number that tail says.
func read[R any](ctx context.Context, s *Store, t *tableOf[R], w *where, tail string) ([]R, error) {
	if w.params["tenant"] == "" {
		return nil, ErrTenant
	}
	var names []string
	var columns []*column[R]
	for i := range t.columns {
		if c := &t.columns[i]; c.scan != nil {
			names, columns = append(names, c.name), append(columns, c)
		}
	}
	sql := fmt.Sprintf("SELECT %s FROM %s FINAL WHERE %s %s", strings.Join(names, ", "), t.name, strings.Join(w.conditions, " AND "), tail)
	var out []R
	dest := make([]any, len(columns))
	sets := make([]func() error, len(columns))
	err := s.each(ctx, sql, w.params, func(rows driver.Rows) error {
		row := new(R)
		for i, c := range columns {
			dest[i], sets[i] = c.scan(row)
		}
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		for i, set := range sets {
			if set == nil {
				continue
			}
			if err := set(); err != nil {
				return fmt.Errorf("column %s: %w", names[i], err)
			}
		}
		out = append(out, *row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name, err)
	}
	return out, nil
}

func limit(n int) string {
	if n <= 0 {
		n = defaultLimit
	}
	return fmt.Sprintf(" LIMIT %d", n)
}

// nouns takes the nouns out of rows.
func nouns[R, N any](rows []R, noun func(*R) N) []N {
	list := make([]N, len(rows))
	for i := range rows {
		list[i] = noun(&rows[i])
	}
	return list
}

// names gives the stored names of enum values.
func names[T fmt.Stringer](values []T) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return list
}
