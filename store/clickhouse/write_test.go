package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

// stored gives the number of rows of each table, before any merging on read.
func stored(t testing.TB, s *clickhouse.Store) string {
	t.Helper()
	table, err := s.Query(t.Context(), `SELECT table, sum(rows) FROM system.parts WHERE database = currentDatabase() AND active
		AND table != 'schema_migrations' GROUP BY table ORDER BY table`, nil)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(table.Rows)
}

// range10 is a range of ten alerts.
func range10(x *topics) persist.Input {
	st := newStory("acme")
	var values [][]byte
	for i := range 10 {
		a := *st.shell
		a.ID = schema.NewAlertID("acme", "edr-1", fmt.Sprint(i))
		values = append(values, schema.AppendAlertEntry(nil, &a))
	}
	return x.input(persist.KindAlerts, values...)
}

// stopMerges keeps doubled rows from being merged away before they are counted.
func stopMerges(t *testing.T, s *clickhouse.Store) {
	t.Helper()
	for table := range clickhouse.WrittenColumns() {
		sql := "ALTER TABLE " + table + " MODIFY SETTING max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1"
		if _, err := s.Query(t.Context(), sql, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARangeIsInsertedOnce(t *testing.T) {
	s := open(t)
	stopMerges(t, s)
	x := newTopics(t, s)
	in := range10(x)
	blocks := x.insert(in)
	equal(t, "blocks: alerts, alert_entities, matches, entities, aliases, detections, completeness", blocks, 7)
	want := stored(t, s)
	for range 3 {
		equal(t, "blocks sent again", x.insert(in), blocks)
	}
	equal(t, "rows after inserting again", stored(t, s), want)
	other := in
	other.Token += "0"
	x.insert(other)
	if stored(t, s) == want {
		t.Fatal("another token was taken for the same: the test above proves nothing")
	}
	equal(t, "merged", value(t, s, "SELECT count() FROM v_alerts"), "10")
}

// TestManyPartitions inserts from as many goroutines as a topic may have
// partitions: blocks must not mix.
func TestManyPartitions(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	var wg sync.WaitGroup
	const partitions = 16
	for n := range partitions {
		in := range10(x)
		in.Partition, in.Token = int32(n), fmt.Sprintf("alerts-id/%d/0-9", n)
		for i := range in.Records {
			a := *newStory("acme").shell
			a.ID, a.Title = schema.NewAlertID("acme", "edr-1", fmt.Sprint(n, i)), fmt.Sprintf("%d of %d", i, n)
			in.Records[i].Value = schema.AppendAlertEntry(nil, &a)
		}
		wg.Go(func() {
			if _, err := x.p.Insert(t.Context(), in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "alerts", value(t, s, `SELECT countIf(title = concat(toString(offset % 10), ' of ', toString(partition))) FROM v_alerts`), fmt.Sprint(10*partitions))
	equal(t, "entities", value(t, s, `SELECT countIf(title = concat(toString(offset % 10), ' of ', toString(partition))) FROM alert_entities FINAL`), fmt.Sprint(40*partitions))
}

// patience is how long a test waits for what must come: only what never comes takes
// so long.
const patience = 2 * time.Minute

// TestOnceAcrossRestarts kills the engine while ranges are inserted, and inserts
// them again until they are whole, and once more.
func TestOnceAcrossRestarts(t *testing.T) {
	t.Parallel()
	sup, err := chdb.Start(t.Context(), engineConfig(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := sup.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	s := open(t, func(c *clickhouse.Config) { c.DSN = sup.DSN() })
	stopMerges(t, s)
	x := newTopics(t, s)
	retry := func(in persist.Input) {
		t.Helper()
		for began := time.Now(); ; {
			_, err := x.p.Insert(t.Context(), in)
			if err == nil {
				return
			}
			if stages.IsPermanent(err) || time.Since(began) > patience {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	rounds, broken := 6, 0
	if testing.Short() {
		rounds = 3
	}
	var ranges []persist.Input
	// What a kill meets is chance: rounds follow until an insert was broken.
	for round := 0; round < rounds || broken == 0 && round < 10*rounds; round++ {
		// A new engine answers before its supervisor knows of it.
		for began := time.Now(); sup.Restarts() < round; time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > patience {
				t.Fatalf("%d restarts after %d kills", sup.Restarts(), round)
			}
		}
		in := range10(x)
		ranges = append(ranges, in)
		failed := make(chan error, 1)
		go func() {
			_, err := x.p.Insert(t.Context(), in)
			failed <- err
		}()
		time.Sleep(time.Duration(round%rounds) * 12 * time.Millisecond) // into another of its inserts each time
		if err := syscall.Kill(sup.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if <-failed != nil {
			broken++
		}
		retry(in)
	}
	for _, in := range ranges {
		retry(in)
	}
	t.Logf("%d of %d inserts were broken, %d restarts", broken, len(ranges), sup.Restarts())
	if broken == 0 {
		t.Fatal("no insert was broken: the test proves nothing")
	}
	wholeOnce(t, s, len(ranges))
}

// wholeOnce checks that n ranges of range10 are there, each row once.
func wholeOnce(t *testing.T, s *clickhouse.Store, n int) {
	t.Helper()
	equal(t, "rows of alerts", value(t, s, "SELECT count() FROM alerts"), fmt.Sprint(10*n))
	equal(t, "rows of alert_entities", value(t, s, "SELECT count() FROM alert_entities"), fmt.Sprint(40*n))
	equal(t, "rows of matches", value(t, s, "SELECT count() FROM matches"), fmt.Sprint(10*n))
	equal(t, "rows of entities", value(t, s, "SELECT count() FROM entities"), fmt.Sprint(4*n))
	equal(t, "rows of detections", value(t, s, "SELECT count() FROM detections"), fmt.Sprint(n))
	equal(t, "ranges", value(t, s, "SELECT toString((ranges, overlaps, records, alerts)) FROM v_ranges"), fmt.Sprintf("(%d,0,%d,%d)", n, 10*n, 10*n))
}

// faults is a proxy before the engine that breaks chosen requests.
type faults struct {
	proxy *httputil.ReverseProxy
	count atomic.Int64
	at    int64                                                   // request to break
	how   func(f *faults, w http.ResponseWriter, r *http.Request) // what to do to it
}

func (f *faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Query().Get("query"), "INSERT") && f.count.Add(1) == f.at {
		f.how(f, w, r)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

func drop(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func throughFaults(t *testing.T, f *faults) *clickhouse.Store {
	t.Helper()
	target, err := url.Parse("http://" + shared.Addr())
	if err != nil {
		t.Fatal(err)
	}
	f.proxy = httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return open(t, func(c *clickhouse.Config) {
		c.DSN = strings.Replace(shared.DSN(), shared.Addr(), server.Listener.Addr().String(), 1)
	})
}

// TestTornInserts breaks every insert of a range in turn: before it arrives, and
// after it is done but before the answer. Inserting the range again must make it
// whole, with every row once.
func TestTornInserts(t *testing.T) {
	t.Parallel()
	f := &faults{}
	s := throughFaults(t, f)
	stopMerges(t, s)
	x := newTopics(t, s)
	for name, how := range map[string]func(*faults, http.ResponseWriter, *http.Request){
		"before": func(_ *faults, w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); drop(w) },
		"after": func(f *faults, w http.ResponseWriter, r *http.Request) {
			f.proxy.ServeHTTP(httptest.NewRecorder(), r)
			drop(w)
		},
	} {
		for at := range int64(7) {
			f.how, f.at = how, at+1
			f.count.Store(0)
			in := range10(x)
			_, err := x.p.Insert(t.Context(), in)
			if err == nil || stages.IsPermanent(err) {
				t.Fatalf("%s %d: want a retryable error, got %v", name, at, err)
			}
			x.insert(in)
		}
	}
	wholeOnce(t, s, 14)
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	exception := func(code string) func(*faults, http.ResponseWriter, *http.Request) {
		return func(_ *faults, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-ClickHouse-Exception-Code", code)
			http.Error(w, "Code: "+code+". DB::Exception", http.StatusInternalServerError)
		}
	}
	f := &faults{}
	s := throughFaults(t, f)
	x := newTopics(t, s)
	for name, tc := range map[string]struct {
		how       func(*faults, http.ResponseWriter, *http.Request)
		permanent bool
	}{
		"unknown table":  {exception("60"), true},
		"syntax":         {exception("62"), true},
		"type mismatch":  {exception("53"), true},
		"no such column": {exception("16"), true},
		"too many parts": {exception("252"), false},
		"memory":         {exception("241"), false},
		"timeout":        {exception("159"), false},
		"read only":      {exception("242"), false},
		"password":       {exception("516"), false},
		"proxy": {func(_ *faults, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "bad gateway", http.StatusBadGateway)
		}, false},
		"late error": {func(_ *faults, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "\r\n__exception__\r\n")
		}, false},
		"no answer": {func(_ *faults, w http.ResponseWriter, _ *http.Request) { drop(w) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f.count.Store(0)
			f.how, f.at = tc.how, 2
			in := range10(x)
			_, err := x.p.Insert(t.Context(), in)
			if err == nil || stages.IsPermanent(err) != tc.permanent {
				t.Fatalf("permanent should be %v: %v", tc.permanent, err)
			}
			if !strings.Contains(err.Error(), "alert_entities") || strings.Contains(err.Error(), "INSERT") {
				t.Errorf("the error should name the table and not quote the statement: %v", err)
			}
			x.insert(in)
		})
	}
	t.Run("a real one", func(t *testing.T) {
		s := openEmpty(t) // without tables
		_, err := newTopics(t, s).p.Insert(t.Context(), range10(newTopics(t, s)))
		if !stages.IsPermanent(err) {
			t.Fatal(err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		s := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := newTopics(t, s).p.Insert(ctx, range10(newTopics(t, s)))
		if !errors.Is(err, context.Canceled) || stages.IsPermanent(err) {
			t.Fatal(err)
		}
	})
}

func TestOpenErrors(t *testing.T) {
	cfg := clickhouse.DefaultConfig()
	open := func(dsn string) error {
		cfg.DSN = dsn
		s, err := clickhouse.Open(t.Context(), cfg)
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	for _, dsn := range []string{"", "://", "http://user:secret@127.0.0.1:1/x", strings.Replace(shared.DSN(), "default:", "default:secret", 1)} {
		if err := open(dsn); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
	cfg = clickhouse.DefaultConfig()
	cfg.Database, cfg.Cluster, cfg.InsertTimeout, cfg.QueryTimeout, cfg.MaxConnections, cfg.Retention.Ledger = "a-b", "x'", 0, 0, 0, -1
	err := cfg.Validate()
	for _, field := range []string{"dsn", "database", "cluster", "insert_timeout", "query_timeout", "max_connections", "retention.ledger"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not reported: %v", field, err)
		}
	}
}

// TestCompression sends compressed blocks where the DSN asks for it.
func TestCompression(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"lz4", "zstd", "gzip"} {
		f := &faults{}
		var decompress atomic.Value
		f.at, f.how = 1, func(f *faults, w http.ResponseWriter, r *http.Request) {
			decompress.Store(r.URL.Query().Get("decompress"))
			f.proxy.ServeHTTP(w, r)
		}
		s := throughFaults(t, f)
		f.at = -1
		compressed := openEmpty(t, func(c *clickhouse.Config) {
			c.DSN, c.Database = s.TestDSN()+"?compress="+method, s.Database()
		})
		f.count.Store(0)
		f.at = 1
		newTopics(t, compressed).insert(range10(newTopics(t, compressed)))
		equal(t, method, decompress.Load().(string), map[string]string{"lz4": "1", "zstd": "1"}[method])
		equal(t, "rows", value(t, s, "SELECT count() FROM v_alerts WHERE raw = '{\"a\":\"\\xff\\n\\n\"}'"), "10")
	}
}
