package chdb_test

import (
	"fmt"
	"math"
	"math/big"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// typeCases are column types with the values that must come back unchanged.
var typeCases = []struct {
	column string
	values []any
}{
	{column: "UInt8", values: []any{uint8(0), uint8(255)}},
	{column: "UInt16", values: []any{uint16(0), uint16(math.MaxUint16)}},
	{column: "UInt32", values: []any{uint32(0), uint32(math.MaxUint32)}},
	{column: "UInt64", values: []any{uint64(0), uint64(math.MaxUint64)}},
	{column: "UInt128", values: []any{*big.NewInt(0), *new(big.Int).Lsh(big.NewInt(1), 127)}},
	{column: "Int8", values: []any{int8(-128), int8(127)}},
	{column: "Int16", values: []any{int16(math.MinInt16), int16(5)}},
	{column: "Int32", values: []any{int32(math.MinInt32), int32(5)}},
	{column: "Int64", values: []any{int64(math.MinInt64), int64(math.MaxInt64)}},
	{column: "Float32", values: []any{float32(0.1), float32(math.Inf(1))}},
	{column: "Float64", values: []any{math.Pi, -math.MaxFloat64}},
	{column: "Decimal(18, 4)", values: []any{decimal.RequireFromString("-12345.6789"), decimal.RequireFromString("1")}},
	{column: "Bool", values: []any{true, false}},
	{column: "String", values: []any{"", "a\n\nb\x00\xff\"'\\"}},
	{column: "FixedString(4)", values: []any{"abcd", "\x00\n\n\xff"}},
	{column: "Date", values: []any{day(2026, 1, 2), day(1970, 1, 1)}},
	{column: "Date32", values: []any{day(1925, 1, 2), day(2200, 1, 1)}},
	{column: "DateTime('UTC')", values: []any{time.Unix(0, 0).UTC(), time.Unix(4294967295, 0).UTC()}},
	{column: "DateTime64(3, 'UTC')", values: []any{time.UnixMilli(1).UTC(), time.UnixMilli(-1).UTC()}},
	{column: "DateTime64(9, 'UTC')", values: []any{time.Unix(1_700_000_000, 123456789).UTC(), time.Unix(0, 1).UTC()}},
	{column: "UUID", values: []any{uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff"), uuid.Nil}},
	{column: "IPv4", values: []any{net.IPv4(1, 2, 3, 4).To4(), net.IPv4(255, 255, 255, 255).To4()}},
	{column: "IPv6", values: []any{net.ParseIP("2001:db8::1"), net.ParseIP("::ffff:1.2.3.4")}},
	{column: "Enum8('a' = 1, 'b' = -2)", values: []any{"a", "b"}},
	{column: "Enum16('x' = 1000, 'y' = -2)", values: []any{"x", "y"}},
	{column: "LowCardinality(String)", values: []any{"a", ""}},
	{column: "LowCardinality(Nullable(String))", values: []any{ptr("a"), (*string)(nil)}},
	{column: "Array(String)", values: []any{[]string{"a", ""}, []string{}}},
	{column: "Array(Array(UInt32))", values: []any{[][]uint32{{1}, {}}, [][]uint32{}}},
	{column: "Array(LowCardinality(String))", values: []any{[]string{"a", "a", "b"}, []string{}}},
	{column: "Map(String, String)", values: []any{map[string]string{"k": "v", "": ""}, map[string]string{}}},
	{column: "Map(LowCardinality(String), Array(UInt64))", values: []any{map[string][]uint64{"k": {1, 2}}, map[string][]uint64{}}},
	{column: "Nullable(Int64)", values: []any{ptr(int64(5)), (*int64)(nil)}},
	{column: "Nullable(IPv6)", values: []any{ptr(net.ParseIP("2001:db8::1")), (*net.IP)(nil)}},
	{column: "Tuple(String, UInt8)", values: []any{[]any{"a", uint8(1)}, []any{"", uint8(0)}}},
	{column: "Tuple(name String, n Nullable(Int32))", values: []any{map[string]any{"name": "a", "n": ptr(int32(1))}, map[string]any{"name": "", "n": (*int32)(nil)}}},
	{column: "Array(Tuple(name String, n UInt8))",
		values: []any{[]map[string]any{{"name": "a", "n": uint8(1)}}, []map[string]any{}}},
	{column: "SimpleAggregateFunction(max, UInt64)", values: []any{uint64(1), uint64(2)}},
}

func ptr[T any](v T) *T { return &v }

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

// TestTypes sends every type there and back: alone, all in one table, and
// through a query without rows.
func TestTypes(t *testing.T) {
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4} {
		o := options(t)
		o.Compression = &clickhouse.Compression{Method: method}
		c := open(t, o)
		for i, tc := range typeCases {
			t.Run(method.String()+"/"+tc.column, func(t *testing.T) {
				table := fmt.Sprintf("t%d", i)
				run(t, c, "CREATE TABLE "+table+" (i UInt8, v "+tc.column+") ENGINE = MergeTree ORDER BY i")
				empty := query(t, c, "SELECT v FROM "+table)
				equal(t, "type of an empty result", empty.ColumnTypes()[0].DatabaseTypeName(), typeName(t, c, table))
				_ = empty.Close()
				b, err := c.PrepareBatch(t.Context(), "INSERT INTO "+table)
				if err != nil {
					t.Fatal(err)
				}
				for j, v := range tc.values {
					if err := b.Append(uint8(j), v); err != nil {
						t.Fatal(err)
					}
				}
				if err := b.Send(); err != nil {
					t.Fatal(err)
				}
				rows := query(t, c, "SELECT v FROM "+table+" ORDER BY i")
				defer rows.Close()
				for j := 0; rows.Next(); j++ {
					got := reflect.New(reflect.TypeOf(tc.values[j]))
					if err := rows.Scan(got.Interface()); err != nil {
						t.Fatal(err)
					}
					if !same(got.Elem().Interface(), tc.values[j]) {
						t.Errorf("row %d: got %#v, want %#v", j, got.Elem().Interface(), tc.values[j])
					}
				}
				if err := rows.Err(); err != nil {
					t.Fatal(err)
				}
				equal(t, "rows", scalar[uint64](t, c, "SELECT count() FROM "+table), uint64(len(tc.values)))
			})
		}
	}
}

// typeName is the column's type as the engine spells it.
func typeName(t *testing.T, c clickhouse.Conn, table string) string {
	t.Helper()
	return scalar[string](t, c, "SELECT type FROM system.columns WHERE database = currentDatabase() AND table = ? AND name = 'v'", table)
}

func query(t *testing.T, c clickhouse.Conn, sql string) driver.Rows {
	t.Helper()
	rows, err := c.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

func same(got, want any) bool {
	switch w := want.(type) {
	case time.Time:
		return got.(time.Time).Equal(w)
	case net.IP:
		return got.(net.IP).Equal(w)
	case *net.IP:
		g := got.(*net.IP)
		return g == nil && w == nil || g != nil && w != nil && g.Equal(*w)
	case decimal.Decimal:
		return got.(decimal.Decimal).Equal(w)
	case big.Int:
		g := got.(big.Int)
		return g.Cmp(&w) == 0
	}
	return reflect.DeepEqual(got, want)
}
