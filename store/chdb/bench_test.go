package chdb_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

const benchRows = 10000

// BenchmarkInsert measures one batch of 10,000 rows of 7 columns: posted as a
// Native block made by ch-go, and through the client's columnar batch.
func BenchmarkInsert(b *testing.B) {
	report := func(b *testing.B) {
		b.ReportMetric(benchRows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		b.ReportAllocs()
	}
	b.Run("post", func(b *testing.B) {
		o := options(b)
		run(b, open(b, o), nativeTable)
		block := nativeBlock(b, 0, benchRows)
		b.SetBytes(int64(len(block)))
		for n := 0; b.Loop(); n++ {
			token := url.Values{"insert_deduplication_token": {fmt.Sprint(n)}}
			do(b, post(b, o, "INSERT INTO n FORMAT Native", token, bytes.NewReader(block)), http.StatusOK)
		}
		report(b)
	})
	b.Run("columnar", func(b *testing.B) {
		c := connect(b)
		run(b, c, nativeTable)
		var (
			ids   = make([]uint64, benchRows)
			names = make([]string, benchRows)
			tags  = make([][]string, benchRows)
			at    = make([]time.Time, benchRows)
			attrs = make([]map[string]string, benchRows)
			score = make([]*float64, benchRows)
		)
		for i := range benchRows {
			ids[i], names[i], tags[i], at[i] = uint64(i), fmt.Sprintf("name %d\n\n", i), []string{"x", fmt.Sprint(i)}, time.Unix(1_700_000_000, int64(i))
			attrs[i], score[i] = map[string]string{"k": fmt.Sprint(i)}, new(float64)
		}
		for n := 0; b.Loop(); n++ {
			ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(dedup(fmt.Sprint(n))))
			batch, err := c.PrepareBatch(ctx, "INSERT INTO n")
			if err != nil {
				b.Fatal(err)
			}
			for i, v := range []any{ids, names, names, tags, at, attrs, score} {
				if err := batch.Column(i).Append(v); err != nil {
					b.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				b.Fatal(err)
			}
		}
		report(b)
	})
}

// BenchmarkQuery measures the smallest query: with a pooled connection, and with
// settings, which cost a connection.
func BenchmarkQuery(b *testing.B) {
	o := options(b)
	for name, extra := range map[string]url.Values{"plain": nil, "settings": {"max_threads": {"1"}}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				do(b, post(b, o, "", extra, strings.NewReader("SELECT 1")), http.StatusOK)
			}
		})
	}
}
