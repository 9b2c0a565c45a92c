package e2e

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

// appended are the tables that take a row per record of a topic, with the columns
// that tell their rows apart. They have no row twice though nothing was merged.
func appended() []struct{ table, row string } {
	return []struct{ table, row string }{
		{"alerts", "topic, partition, offset"},
		{"alert_entities", "topic, partition, offset, entity_type, key, role"},
		{"matches", "topic, partition, offset, value, feed, indicator, entity_type, key"},
		{"source_stats", "topic, partition, offset"},
		{"rejects", "topic, partition, offset"},
		{"decisions", "topic, partition, offset"},
		{"ledger", "topic, partition, offset"},
		{"actions", "topic, partition, offset"},
		{"completeness", "token"},
	}
}

// exec runs a statement without a result.
func (l *lab) exec(sql string) error {
	u, err := url.Parse(l.dsn)
	if err != nil {
		return err
	}
	u.Path, u.RawQuery = "/", url.Values{"database": {l.store.Database()}}.Encode()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, u.String(), strings.NewReader(sql))
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", sql, resp.Status)
	}
	return nil
}

// query gives the rows of a query as text.
func (l *lab) query(sql string) [][]string {
	l.t.Helper()
	t, err := l.store.Query(l.t.Context(), sql, nil)
	if err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
	return t.Rows
}

// number gives the one number of a query.
func (l *lab) number(sql string) int64 {
	l.t.Helper()
	rows := l.query(sql)
	if len(rows) != 1 || len(rows[0]) != 1 {
		l.t.Fatalf("%s: want one value, got %v", sql, rows)
	}
	n, err := strconv.ParseInt(rows[0][0], 10, 64)
	if err != nil {
		l.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// expected is what is to become of a source's records.
type expected struct {
	alerts                      []schema.Alert // of every document, also those that came again
	accepted, rejected, ignored uint64
}

// expect normalizes what the broker acknowledged, in this process.
func (l *lab) expect(s *source) expected {
	l.t.Helper()
	n, err := normalize.New(normalize.Default(), formats(l.t))
	if err != nil {
		l.t.Fatal(err)
	}
	var e expected
	for raws := range slices.Chunk(s.raws, 512) {
		b := &schema.Batch{Raw: raws}
		if err := n.Process(context.Background(), b); err != nil {
			l.t.Fatal(err)
		}
		for i := range b.Alerts {
			e.alerts = append(e.alerts, b.Alerts[i].Clone())
		}
		e.accepted += uint64(len(b.Alerts))
		e.rejected += uint64(len(b.Rejects))
		e.ignored += uint64(len(b.Drops))
	}
	return e
}

// checkAccounting compares the store with what was acknowledged: per source, per
// alert, per range and per table. No process may run meanwhile.
func (l *lab) checkAccounting() {
	l.t.Helper()
	want := map[schema.AlertID]bool{}
	var stats, kept []string
	for _, s := range l.sources {
		e := l.expect(s)
		total := e.accepted + e.rejected + e.ignored
		stats = append(stats, fmt.Sprint(s.Tenant, " ", s.ID, " ", total, " ", e.accepted, " ", e.rejected, " ", e.ignored))
		for _, a := range e.alerts {
			if !want[a.ID] {
				want[a.ID] = true
				kept = append(kept, fmt.Sprint(s.Tenant, " ", s.ID, " ", a.ID))
			}
		}
	}
	stats = slices.DeleteFunc(stats, func(s string) bool { return strings.HasSuffix(s, " 0 0 0 0") })
	counted := l.query("SELECT tenant, source, sum(records), sum(accepted), sum(rejected), sum(ignored) " +
		"FROM source_stats GROUP BY tenant, source HAVING sum(records) > 0")
	if l.repeats {
		l.atLeast(counted, stats)
	} else {
		l.same("records, accepted, rejected, ignored by source", counted, stats)
	}
	const id = "lower(replaceAll(toString(alert_id), '-', ''))"
	l.same("alerts", l.query("SELECT tenant, source, "+id+" FROM v_alerts"), kept)
	var rows []string
	for _, k := range kept {
		f := strings.Fields(k)
		rows = append(rows, f[0]+" "+f[2])
	}
	l.same("alerts that are in an incident", l.query("SELECT tenant, "+id+" FROM incident_members FINAL"), rows)
	for _, a := range appended() {
		if n := l.number("SELECT count() - uniqExact(" + a.row + ") FROM " + a.table); n != 0 {
			l.t.Errorf("table %s: %d rows are there twice", a.table, n)
		}
	}
	l.checkRanges()
	l.checkRedirects()
}

// atLeast wants a row for each line, whose numbers, behind tenant and source, may be
// greater.
func (l *lab) atLeast(rows [][]string, want []string) {
	l.t.Helper()
	got := map[string][]string{}
	for _, r := range rows {
		got[r[0]+" "+r[1]] = r[2:]
	}
	for _, w := range want {
		f := strings.Fields(w)
		have := got[f[0]+" "+f[1]]
		for i, text := range f[2:] {
			least, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				l.t.Fatal(err)
			}
			if len(have) <= i {
				l.t.Errorf("%q is not in the store", w)
				break
			}
			if n, err := strconv.ParseUint(have[i], 10, 64); err != nil || n < least {
				l.t.Errorf("at least %q: the store has %q", w, have)
				break
			}
		}
	}
	if len(got) != len(want) {
		l.t.Errorf("sources in the store: %v, want %v", got, want)
	}
}

// same compares rows with lines, in any order.
func (l *lab) same(what string, rows [][]string, want []string) {
	l.t.Helper()
	count := map[string]int{}
	for _, w := range want {
		count[w]--
	}
	for _, r := range rows {
		count[strings.Join(r, " ")]++
	}
	shown := 0
	for _, line := range slices.Sorted(maps.Keys(count)) {
		if n := count[line]; n != 0 {
			if shown++; shown > 12 {
				continue
			}
			l.t.Errorf("%s: %q is in the store %+d times too often", what, line, n)
		}
	}
	if shown > 12 {
		l.t.Errorf("%s: %d more differ", what, shown-12)
	}
}

// checkRanges compares the ranges that the store says it holds with the records
// that are on the topics: none may be missing or be in two ranges. Offsets
// without a record (transaction markers, aborted records) are legal holes.
func (l *lab) checkRanges() {
	l.t.Helper()
	var topics []string
	for _, t := range []pipeline.Topic{pipeline.TopicAlerts, pipeline.TopicDecisions, pipeline.TopicActions, pipeline.TopicResults,
		pipeline.TopicLedger, pipeline.TopicDeadLetter} {
		topics = append(topics, t.Name(l.kafka.Prefix))
	}
	there := l.committed(topics...)
	type span struct{ lo, hi, records int64 }
	spans := map[place][]span{}
	for _, r := range l.query("SELECT topic, partition, lo, hi, records FROM completeness ORDER BY topic, partition, lo, hi") {
		var n [4]int64
		for i := range n {
			n[i], _ = strconv.ParseInt(r[i+1], 10, 64)
		}
		at := place{r[0], int32(n[0])}
		spans[at] = append(spans[at], span{n[1], n[2], n[3]})
	}
	for at, offsets := range there {
		list := spans[at]
		last := int64(-1)
		for _, s := range list {
			if s.lo <= last {
				l.t.Errorf("%s/%d: range %d-%d overlaps the one before, which ends at %d", at.topic, at.partition, s.lo, s.hi, last)
			}
			last = s.hi
			held := int64(0)
			for len(offsets) > 0 && offsets[0] < s.lo {
				l.t.Fatalf("%s/%d: record %d is in no range", at.topic, at.partition, offsets[0])
			}
			for len(offsets) > 0 && offsets[0] <= s.hi {
				offsets = offsets[1:]
				held++
			}
			if held != s.records {
				l.t.Errorf("%s/%d: range %d-%d was inserted with %d records, the topic has %d there", at.topic, at.partition, s.lo, s.hi, s.records, held)
			}
		}
		// What is after the last range was written when persist was stopping:
		// heartbeats and what they caused, never records of sources.
	}
}

// checkRedirects: ids that were merged lead to one that was not, and never round.
func (l *lab) checkRedirects() {
	l.t.Helper()
	const none = "00000000-0000-0000-0000-000000000000"
	to, live := map[string]string{}, map[string]bool{}
	for _, r := range l.query("SELECT tenant, incident_id, redirect_to FROM incidents FINAL") {
		if from := r[0] + " " + r[1]; r[2] == none {
			live[from] = true
		} else {
			to[from] = r[0] + " " + r[2]
		}
	}
	for from := range to {
		at := from
		for steps := 0; to[at] != ""; steps++ {
			if steps > len(to) {
				l.t.Fatalf("redirects from %s go round", from)
			}
			at = to[at]
		}
		if !live[at] {
			l.t.Errorf("%s leads to %s, which is no incident", from, at)
		}
	}
}

// checkOracle compares a tenant's incidents in the store with the oracle's, with
// reasons, byte for byte, and gives them as text.
func (l *lab) checkOracle(tenant string) []byte {
	l.t.Helper()
	var docs []schema.Alert
	for _, s := range l.sources {
		if s.Tenant == tenant {
			docs = append(docs, l.expect(s).alerts...)
		}
	}
	want := oracle.Correlate(tenant, docs, oracle.DefaultParams())
	got := l.result(tenant)
	if a, b := want.Dump(), got.Dump(); !bytes.Equal(a, b) {
		diff := oracle.Diff(want, got)
		l.t.Errorf("tenant %s: the incidents differ, oracle -, store +; %d alerts are late\n%.6000s", tenant,
			l.number("SELECT countIf(late) FROM incident_members FINAL WHERE tenant = '"+tenant+"'"), diff)
	}
	return got.Dump()
}

// formats compiles the built-in formats, once for all tests.
func formats(t testing.TB) *normalize.Formats {
	t.Helper()
	f, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var compiled = sync.OnceValues(func() (*normalize.Formats, error) { return normalize.Load(normalize.Default()) })
