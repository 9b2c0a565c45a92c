package chdb_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// post sends a body under a query in the URL, as the store's hot path does.
func post(t testing.TB, o *clickhouse.Options, sql string, extra url.Values, body io.Reader) *http.Request {
	t.Helper()
	q := url.Values{"query": {sql}, "database": {o.Auth.Database}}
	for k, v := range extra {
		q[k] = v
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+shared.Addr()+"/?"+q.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-ClickHouse-User", "default")
	r.Header.Set("X-ClickHouse-Key", o.Auth.Password)
	return r
}

// nativeBlock encodes rows with ch-go at revision 0, which is what FORMAT Native
// means without a client_protocol_version.
func nativeBlock(t testing.TB, from, rows int) []byte {
	t.Helper()
	var id proto.ColUInt64
	var name proto.ColStr
	kind := new(proto.ColStr).LowCardinality()
	tags := new(proto.ColStr).Array()
	at := new(proto.ColDateTime64).WithPrecision(proto.PrecisionNano)
	at.Location = time.UTC
	attrs := proto.NewMap[string, string](new(proto.ColStr), new(proto.ColStr))
	score := new(proto.ColFloat64).Nullable()
	for i := from; i < from+rows; i++ {
		id.Append(uint64(i))
		name.Append(fmt.Sprintf("name %d\n\n", i))
		kind.Append([]string{"a", "b", "c"}[i%3])
		tags.Append([]string{"x", fmt.Sprint(i)})
		at.Append(time.Unix(1_700_000_000, int64(i)))
		attrs.Append(map[string]string{"k": fmt.Sprint(i)})
		score.Append(proto.Nullable[float64]{Set: i%2 == 0, Value: float64(i)})
	}
	var buf proto.Buffer
	err := proto.Block{Columns: 7, Rows: rows}.EncodeRawBlock(&buf, 0, []proto.InputColumn{
		{Name: "id", Data: &id}, {Name: "name", Data: &name}, {Name: "kind", Data: kind}, {Name: "tags", Data: tags},
		{Name: "at", Data: at}, {Name: "attrs", Data: attrs}, {Name: "score", Data: score},
	})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Buf
}

const nativeTable = `CREATE TABLE n (id UInt64, name String, kind LowCardinality(String), tags Array(String), at DateTime64(9, 'UTC'),
	attrs Map(String, String), score Nullable(Float64)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`

const nativeCheck = `SELECT count() FROM n WHERE name = concat('name ', toString(id), '\n\n') AND kind = ['a','b','c'][id % 3 + 1]
	AND tags = ['x', toString(id)] AND toUnixTimestamp64Nano(at) = 1700000000000000000 + id AND attrs['k'] = toString(id)
	AND ifNull(score, -1) = if(id % 2 = 0, id, -1)`

func TestRawNativeInsert(t *testing.T) {
	o := options(t)
	c := open(t, o)
	run(t, c, nativeTable)
	const insert = "INSERT INTO n FORMAT Native"
	one := nativeBlock(t, 0, 1000)
	do(t, post(t, o, insert, nil, bytes.NewReader(one)), http.StatusOK)
	equal(t, "one block", scalar[uint64](t, c, nativeCheck), 1000)

	many := append(nativeBlock(t, 1000, 1000), nativeBlock(t, 2000, 20000)...)
	do(t, post(t, o, insert, nil, io.MultiReader(bytes.NewReader(many))), http.StatusOK) // no length: chunked
	equal(t, "several blocks, chunked", scalar[uint64](t, c, nativeCheck), 22000)

	w := compress.NewWriter(compress.LevelZero, compress.LZ4)
	if err := w.Compress(nativeBlock(t, 22000, 1000)); err != nil {
		t.Fatal(err)
	}
	do(t, post(t, o, insert, url.Values{"decompress": {"1"}}, bytes.NewReader(w.Data)), http.StatusOK)
	equal(t, "compressed", scalar[uint64](t, c, nativeCheck), 23000)

	token := url.Values{"insert_deduplication_token": {"tok"}}
	for range 2 {
		do(t, post(t, o, insert, token, bytes.NewReader(nativeBlock(t, 23000, 1000))), http.StatusOK)
	}
	equal(t, "with a token, twice", scalar[uint64](t, c, nativeCheck), 24000)
	equal(t, "nothing else", scalar[uint64](t, c, "SELECT count() FROM n"), 24000)
}

// TestBrokenInsertStoresNothing cuts the body in different ways: the engine must
// answer with an error, and no row of the batch may be stored.
func TestBrokenInsertStoresNothing(t *testing.T) {
	o := options(t)
	c := open(t, o)
	run(t, c, nativeTable)
	const insert = "INSERT INTO n FORMAT Native"
	block := nativeBlock(t, 0, 1000)
	fails := func(name string, r *http.Request) {
		t.Helper()
		resp, err := plainHTTP.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				t.Errorf("%s: accepted", name)
			}
		}
		await(t, "the insert has ended", func() bool {
			return scalar[uint64](t, c, "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO n%'") == 0
		})
		equal(t, name+": rows", scalar[uint64](t, c, "SELECT count() FROM n"), 0)
	}
	fails("cut in a block", post(t, o, insert, nil, bytes.NewReader(block[:len(block)/2])))
	fails("garbage", post(t, o, insert, nil, bytes.NewReader(bytes.Repeat([]byte("\n"), 100))))
	run(t, c, "CREATE TABLE m (name UInt64) ENGINE = MergeTree ORDER BY name")
	fails("wrong type", post(t, o, "INSERT INTO m FORMAT Native", nil, bytes.NewReader(block)))
	equal(t, "wrong type: rows", scalar[uint64](t, c, "SELECT count() FROM m"), 0)
	fails("broken body", post(t, o, insert, nil, io.MultiReader(bytes.NewReader(block), brokenReader{})))

	w := compress.NewWriter(compress.LevelZero, compress.LZ4)
	if err := w.Compress(block); err != nil {
		t.Fatal(err)
	}
	const frameHeader = 25
	decompress := url.Values{"decompress": {"1"}}
	damaged := bytes.Clone(w.Data)
	damaged[len(damaged)/2] ^= 1
	fails("damaged frame", post(t, o, insert, decompress, bytes.NewReader(damaged)))
	fails("cut frame", post(t, o, insert, decompress, bytes.NewReader(w.Data[:len(w.Data)-1])))
	fails("cut after a frame's header", post(t, o, insert, decompress, bytes.NewReader(append(bytes.Clone(w.Data), w.Data[:frameHeader]...))))
	r := post(t, o, insert, nil, bytes.NewReader(block))
	r.Header.Set("Content-Encoding", "br")
	fails("unknown encoding", r)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestRawFormats(t *testing.T) {
	o := options(t)
	c := open(t, o)
	run(t, c, "CREATE TABLE r (n UInt8, s String) ENGINE = MergeTree ORDER BY n")
	do(t, post(t, o, "INSERT INTO r (n, s) FORMAT JSONEachRow", nil, bytes.NewBufferString("{\"n\":1,\"s\":\"a\"}\n\n{\"n\":2,\"s\":\"b\"}")), http.StatusOK)
	do(t, post(t, o, "INSERT INTO r VALUES", nil, bytes.NewBufferString("(3, 'c')")), http.StatusOK)
	do(t, post(t, o, "INSERT INTO r FORMAT CSV\n4,d\n", nil, bytes.NewBufferString("5,e\n")), http.StatusOK)
	equal(t, "CSV", do(t, post(t, o, "SELECT * FROM r ORDER BY n FORMAT CSV", nil, nil), http.StatusOK), "1,\"a\"\n2,\"b\"\n3,\"c\"\n4,\"d\"\n5,\"e\"\n")
	equal(t, "default format", do(t, post(t, o, "SELECT count() FROM r", nil, nil), http.StatusOK), "5\n")
	equal(t, "empty", do(t, post(t, o, "SELECT * FROM r WHERE n > 9", nil, nil), http.StatusOK), "")
	equal(t, "text in the body", do(t, post(t, o, "", nil, bytes.NewBufferString("SELECT 7")), http.StatusOK), "7\n")
	do(t, post(t, o, "", nil, nil), http.StatusBadRequest)
	do(t, post(t, o, "SELECT * FROM missing", nil, nil), http.StatusNotFound)
}
