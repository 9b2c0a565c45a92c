package clickhouse

import (
	"encoding"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// column is one column of a table of rows R: how it is encoded and read back.
// Its buffers are reused, so a column serves one insert at a time.
type column[R any] struct {
	name string
	typ  string // as the server spells it
	data proto.ColInput
	fill func(rows []R)     // replaces data by the column of rows
	list func(rows []R) any // the column as a slice that clickhouse-go takes
	// scan gives where to read a value into, and what puts it into the row
	// afterwards (nil: it is there). A column that only derives from others has
	// no scan and is not read.
	scan func(r *R) (dest any, set func() error)
}

// tableOf is a table and its columns: the only place that lists them.
type tableOf[R any] struct {
	name    string
	columns []column[R]
}

// appender is a ch-go column that can be filled again.
type appender[T any] interface {
	proto.ColInput
	Append(T)
	Reset()
}

// add adds a column of values T, which travel as T in ch-go's column and as what
// plain makes of it (nil: T) in clickhouse-go.
func add[R, T any](t *tableOf[R], name string, data appender[T], get func(*R) T, plain func([]T) any,
	scan func(*R) (any, func() error)) {
	t.columns = append(t.columns, column[R]{
		name: name, typ: string(data.Type()), data: data, scan: scan,
		fill: func(rows []R) {
			data.Reset()
			for i := range rows {
				data.Append(get(&rows[i]))
			}
		},
		list: func(rows []R) any {
			list := make([]T, len(rows))
			for i := range rows {
				list[i] = get(&rows[i])
			}
			if plain == nil {
				return list
			}
			return plain(list)
		},
	})
}

// direct reads into the row's own field.
func direct[R, T any](at func(*R) *T) func(*R) (any, func() error) {
	return func(r *R) (any, func() error) { return at(r), nil }
}

// str adds a String.
func (t *tableOf[R]) str(name string, at func(*R) *string) {
	add(t, name, new(proto.ColStr), func(r *R) string { return *at(r) }, nil, direct(at))
}

// word adds a LowCardinality(String): one of few texts.
func (t *tableOf[R]) word(name string, at func(*R) *string) {
	add(t, name, new(proto.ColStr).LowCardinality(), func(r *R) string { return *at(r) }, nil, direct(at))
}

// strOf adds a String that derives from the row.
func (t *tableOf[R]) strOf(name string, get func(*R) string) {
	add(t, name, new(proto.ColStr), get, nil, nil)
}

// wordOf adds a LowCardinality(String) that derives from the row.
func (t *tableOf[R]) wordOf(name string, get func(*R) string) {
	add(t, name, new(proto.ColStr).LowCardinality(), get, nil, nil)
}

// blob adds bytes as a String.
func (t *tableOf[R]) blob(name string, at func(*R) *[]byte) {
	add(t, name, new(blobColumn), func(r *R) []byte { return *at(r) }, func(list [][]byte) any {
		texts := make([]string, len(list))
		for i, b := range list {
			texts[i] = string(b)
		}
		return texts
	}, func(r *R) (any, func() error) {
		s := new(string)
		return s, func() error { *at(r) = []byte(*s); return nil }
	})
}

type blobColumn struct{ proto.ColStr }

func (c *blobColumn) Append(b []byte) { c.AppendBytes(b) }

// flag adds a Bool.
func (t *tableOf[R]) flag(name string, at func(*R) *bool) {
	add(t, name, new(proto.ColBool), func(r *R) bool { return *at(r) }, nil, direct(at))
}

// mark adds a bool as UInt8, as ReplacingMergeTree wants its is_deleted.
func (t *tableOf[R]) mark(name string, at func(*R) *bool) {
	add(t, name, new(proto.ColUInt8), func(r *R) uint8 {
		if *at(r) {
			return 1
		}
		return 0
	}, nil, nil)
}

// Times that DateTime64 and its clients can hold. What a vendor claims beyond them
// is stored as the nearest, since clickhouse-go refuses a whole block for one such
// value.
const (
	minTime schema.Millis = -2_208_988_800_000 // 1900-01-01
	maxTime schema.Millis = 9_214_646_400_000  // 2262-01-01
)

// time adds a DateTime64 in milliseconds.
func (t *tableOf[R]) time(name string, at func(*R) *schema.Millis) {
	add(t, name, new(timeColumn), func(r *R) int64 { return int64(max(minTime, min(*at(r), maxTime))) }, func(list []int64) any {
		times := make([]time.Time, len(list))
		for i, m := range list {
			times[i] = schema.Millis(m).Time()
		}
		return times
	}, func(r *R) (any, func() error) {
		v := new(time.Time)
		return v, func() error { *at(r) = schema.FromTime(*v); return nil }
	})
}

// timeColumn is ch-go's DateTime64 without the way over time.Time.
type timeColumn struct{ proto.ColInt64 }

func (timeColumn) Type() proto.ColumnType { return "DateTime64(3, 'UTC')" }

// severity adds a severity as an enum: analysts compare and sort by it.
func (t *tableOf[R]) severity(name string, at func(*R) *schema.Severity) {
	add(t, name, new(severityColumn), func(r *R) uint8 {
		if *at(r) > schema.SeverityFatal {
			return 0 // of a newer writer; an enum takes nothing else
		}
		return uint8(*at(r))
	}, func(list []uint8) any {
		names := make([]string, len(list))
		for i, v := range list {
			names[i] = schema.Severity(v).String()
		}
		return names
	}, func(r *R) (any, func() error) {
		s := new(string)
		return s, func() error { return at(r).UnmarshalText([]byte(*s)) }
	})
}

type severityColumn struct{ proto.ColUInt8 }

func (severityColumn) Type() proto.ColumnType {
	return "Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6)"
}

// name adds a value that is stored by its name. A row that is older than the
// column has none, and reads as the zero value.
func name[R, E any, P interface {
	*E
	fmt.Stringer
	encoding.TextUnmarshaler
}](t *tableOf[R], column string, at func(*R) *E) {
	add(t, column, new(proto.ColStr).LowCardinality(), func(r *R) string { return P(at(r)).String() }, nil,
		func(r *R) (any, func() error) {
			s := new(string)
			return s, func() error {
				if *s == "" {
					return nil
				}
				return P(at(r)).UnmarshalText([]byte(*s))
			}
		})
}

// num adds an integer.
func num[R any, T uint8 | uint16 | uint32 | uint64 | int8 | int32 | int64](t *tableOf[R], name string, at func(*R) *T) {
	add(t, name, numColumn[T](), func(r *R) T { return *at(r) }, nil, direct(at))
}

// numOf adds an integer that derives from the row.
func numOf[R any, T uint8 | uint16 | uint32 | uint64 | int8 | int32 | int64](t *tableOf[R], name string, get func(*R) T) {
	add(t, name, numColumn[T](), get, nil, nil)
}

func numColumn[T any]() appender[T] {
	var data any
	switch any(*new(T)).(type) {
	case uint8:
		data = new(proto.ColUInt8)
	case uint16:
		data = new(proto.ColUInt16)
	case uint32:
		data = new(proto.ColUInt32)
	case uint64:
		data = new(proto.ColUInt64)
	case int8:
		data = new(proto.ColInt8)
	case int32:
		data = new(proto.ColInt32)
	case int64:
		data = new(proto.ColInt64)
	}
	return data.(appender[T])
}

// id adds one of schema's ids as a UUID.
func id[R any, T ~[16]byte](t *tableOf[R], name string, at func(*R) *T) {
	add(t, name, new(proto.ColUUID), func(r *R) uuid.UUID { return uuid.UUID(*at(r)) }, nil, func(r *R) (any, func() error) {
		v := new(uuid.UUID)
		return v, func() error { *at(r) = T(*v); return nil }
	})
}
