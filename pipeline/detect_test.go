package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/prometheus/client_golang/prometheus"
)

// splitter is a hop 1 stage for tests: a value "alert ID" becomes an alert, "drop"
// is dropped, "fail" is an error, anything else is rejected. Like normalize it
// aliases the records. An alert's size can be given: "alert ID 1000".
type splitter struct{}

func (splitter) Process(_ context.Context, b *schema.Batch) error {
	for i, r := range b.Raw {
		verb, rest, _ := strings.Cut(string(r.Value), " ")
		switch verb {
		case "alert":
			var size int
			id, more, _ := strings.Cut(rest, " ")
			_, _ = fmt.Sscan(more, &size)
			a := b.NextAlert()
			a.ID, a.Tenant, a.Source, a.Title, a.Raw = schema.NewAlertID(r.Source.Tenant, r.Source.ID, id), r.Source.Tenant, r.Source.ID, id, r.Value
			a.Created, a.Ingested = r.Time-schema.Second, r.Time
			a.RawRef = schema.RawRef{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset}
			if size > 0 {
				a.Desc = strings.Repeat("x", size)
			}
		case "drop":
			b.Drops = append(b.Drops, schema.Drop{Raw: int32(i), Reason: schema.ReasonNotAnAlert})
		case "fail":
			return fmt.Errorf("told to")
		default:
			b.Rejects = append(b.Rejects, schema.Reject{Raw: int32(i), Reason: schema.ReasonInvalidJSON, Bytes: r.Value})
		}
	}
	return nil
}

var _ stages.Stage = splitter{}

// rawRecords makes records at offsets from first, one second apart.
func rawRecords(first int64, values ...string) []Record {
	var recs []Record
	for i, v := range values {
		recs = append(recs, Record{Offset: first + int64(i), Time: schema.Hour + schema.Millis(first+int64(i))*schema.Second, Value: []byte(v)})
	}
	return recs
}

// testDetectLane is partition 1 of 3 of topic "raw"; its clock stands at *now.
func testDetectLane(now *schema.Millis, c *Counts) *detectLane {
	src := &schema.Source{ID: "s", Tenant: "t", Topic: "raw"}
	return newDetectLane(DefaultDetectConfig(), LaneID{"raw", 1, 3}, src, chain{[]Step{{"split", splitter{}}}, c}, func() schema.Millis { return *now })
}

// decoded is what an outbox holds, by kind.
type decoded struct {
	alerts []schema.Alert
	marks  []schema.Watermark
	dead   []DeadLetter
}

func decodeOut(t testing.TB, out *Outbox) (d decoded) {
	t.Helper()
	for _, m := range out.Msgs {
		if m.Topic == TopicDeadLetter {
			x, err := ParseDeadLetter(m.Value, m.Headers)
			if err != nil {
				t.Fatal(err)
			}
			d.dead = append(d.dead, x)
			continue
		}
		if m.Topic != TopicAlerts || !m.Sharded || m.Broadcast || m.Shard != schema.ShardOf("t") {
			t.Fatalf("message %+v", m)
		}
		if id, ok := shardOfKey(m.Key); !ok || id != m.Shard {
			t.Fatalf("key %x", m.Key)
		}
		kind, body, err := schema.DecodeEntry(bytes.Clone(m.Value))
		if err != nil {
			t.Fatal(err)
		}
		switch kind {
		case schema.EntryAlert:
			var a schema.Alert
			err = a.DecodeWire(body)
			d.alerts = append(d.alerts, a)
		case schema.EntryWatermark:
			var w schema.Watermark
			err = w.DecodeWire(body)
			d.marks = append(d.marks, w)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// counted reads a counter of the registry by name and labels, in their order.
func counted(t testing.TB, r *prometheus.Registry, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "interdict_"+name {
			continue
		}
	next:
		for _, m := range f.GetMetric() {
			for i := 0; i < len(labels); i += 2 {
				for _, l := range m.GetLabel() {
					if l.GetName() == labels[i] && l.GetValue() != labels[i+1] {
						continue next
					}
				}
			}
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

// TestDetect: alerts, then dead letters, then one watermark record with what came
// of the records; every document is in exactly one count.
func TestDetect(t *testing.T) {
	registry := prometheus.NewRegistry()
	counts := NewCounts(registry)
	now := 5 * schema.Hour
	l := testDetectLane(&now, counts)
	recs := rawRecords(7, "alert a", "drop", "junk", "alert b 1000", "alert c 900000", "alert huge 1000000")
	recs[4].Value = append(recs[4].Value, bytes.Repeat([]byte{' '}, 100_000)...) // c fits without its raw bytes
	var out Outbox
	if err := l.Process(context.Background(), recs, &out); err != nil {
		t.Fatal(err)
	}
	d := decodeOut(t, &out)
	if out.Urgent || len(d.alerts) != 3 || len(d.alerts[1].Raw) == 0 || len(d.alerts[2].Raw) != 0 {
		t.Fatalf("%d alerts", len(d.alerts))
	}
	for _, m := range out.Msgs {
		if len(m.Value) > maxEntry {
			t.Errorf("a message of %d bytes", len(m.Value))
		}
	}
	size := uint64(0)
	for _, r := range recs {
		size += uint64(len(r.Value))
	}
	want := schema.Watermark{Tenant: "t", Source: "s", Topic: "raw", Partition: 1, Partitions: 3, Offset: 13, MaxCreated: d.alerts[2].Created, Now: now,
		Stats: schema.SourceStats{Records: 6, Accepted: 3, Rejected: 2, Ignored: 1, Bytes: size}}
	if len(d.marks) != 1 || d.marks[0] != want {
		t.Errorf("watermark records\n%+v, want\n%+v", d.marks, want)
	}
	whole := map[int64]int{} // bytes of each dead letter, chunks together
	for _, x := range d.dead {
		whole[x.Offset] += len(x.Bytes)
		if x.Tenant != "t" || x.Source != "s" || x.Topic != "raw" || x.Partition != 1 || x.Time != recs[x.Offset-7].Time {
			t.Errorf("dead letter %+v", x)
		}
	}
	if len(whole) != 2 {
		t.Errorf("dead letters of offsets %v", whole)
	}
	for at, n := range whole {
		if n != len(recs[at-7].Value) {
			t.Errorf("offset %d: %d bytes of %d are kept", at, n, len(recs[at-7].Value))
		}
	}
	for _, step := range []string{"split", "encode"} {
		in, sum := counted(t, registry, "stage_in_total", "stage", step), 0.0
		for _, k := range []string{"stage_out_total", "stage_dropped_total", "stage_rejected_total"} {
			sum += counted(t, registry, k, "stage", step)
		}
		if in != sum || in == 0 {
			t.Errorf("%s: %v in, %v accounted for", step, in, sum)
		}
	}
	if got := counted(t, registry, "stage_out_total", "stage", "encode"); got != 3 {
		t.Errorf("%v alerts are counted", got)
	}
	if got := counted(t, registry, "outputs_total", "topic", "alerts"); got != 4 {
		t.Errorf("%v records of the alerts log are counted", got)
	}
	if got := counted(t, registry, "outputs_total", "topic", "dead-letter"); got != float64(len(d.dead)) {
		t.Errorf("%v records of the dead letter are counted", got)
	}
}

// TestSourceCounts: a source's documents are booked when they are committed, and
// once; a heartbeat is no sign of life.
func TestSourceCounts(t *testing.T) {
	registry := prometheus.NewRegistry()
	now := 5 * schema.Hour
	l := testDetectLane(&now, NewCounts(registry))
	process := func(recs []Record) {
		t.Helper()
		if err := l.Process(context.Background(), recs, &Outbox{}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(accepted, rejected, ignored, last float64) {
		t.Helper()
		for result, want := range map[string]float64{"accepted": accepted, "rejected": rejected, "ignored": ignored} {
			if got := counted(t, registry, "source_documents_total", "result", result); got != want {
				t.Errorf("%s: %v, want %v", result, got, want)
			}
		}
		if got := counted(t, registry, "source_last_record_timestamp_seconds", "source", "s"); got != last {
			t.Errorf("last record at %v, want %v", got, last)
		}
	}
	process(rawRecords(7, "alert a", "drop", "junk"))
	process(rawRecords(10, "alert b"))
	l.Commit()
	check(2, 1, 1, 5*3600)
	process(rawRecords(11, "alert c"))
	l.Rollback()
	now += schema.Hour
	if err := l.Idle(context.Background(), now, schema.Hour, &Outbox{}); err != nil {
		t.Fatal(err)
	}
	l.Commit()
	check(2, 1, 1, 5*3600)
}

// TestOverLargeAlerts: at the limit the raw bytes are left out, and beyond it
// the document goes to the dead letter.
func TestOverLargeAlerts(t *testing.T) {
	for _, c := range []struct {
		desc, padding int
		raw, accepted bool
	}{
		{maxEntry - 2000, 0, true, true}, {maxEntry - 2000, 5000, false, true}, {maxEntry + 1, 0, false, false}, {0, maxEntry, false, true},
	} {
		now := schema.Hour
		l := testDetectLane(&now, nil)
		recs := rawRecords(0, fmt.Sprintf("alert a %d ", c.desc)+strings.Repeat(" ", c.padding), "alert b")
		var out Outbox
		if err := l.Process(context.Background(), recs, &out); err != nil {
			t.Fatal(err)
		}
		d := decodeOut(t, &out)
		if c.accepted != (len(d.alerts) == 2) || c.accepted && c.raw != (len(d.alerts[0].Raw) > 0) || c.accepted == (len(d.dead) > 0) {
			t.Errorf("%+v: %d alerts, %d dead letters", c, len(d.alerts), len(d.dead))
		}
		if !c.accepted && (d.dead[0].Reason != schema.ReasonTooLarge || !bytes.Equal(d.dead[0].Bytes, recs[0].Value)) {
			t.Errorf("dead letter %+v", d.dead[0])
		}
		if s := d.marks[0].Stats; s.Records != 2 || s.Accepted+s.Rejected != 2 || d.alerts[len(d.alerts)-1].Title != "b" {
			t.Errorf("stats %+v", s)
		}
	}
}

// TestOutboxLivesUntilCommit: messages of earlier calls of a transaction are not
// overwritten by later ones, whatever becomes of the records.
func TestOutboxLivesUntilCommit(t *testing.T) {
	now := schema.Hour
	l := testDetectLane(&now, nil)
	var out Outbox
	for range 3 { // transactions: the second and third use the first one's memory
		out.Reset()
		var want []string
		for i := range 20 {
			recs := rawRecords(int64(2*i), fmt.Sprintf("alert %d %d", i, 37*i), fmt.Sprintf("junk %d", i))
			if err := l.Process(context.Background(), recs, &out); err != nil {
				t.Fatal(err)
			}
			scribble(recs)
			want = append(want, fmt.Sprint(i))
		}
		d := decodeOut(t, &out)
		if len(d.alerts) != len(want) || len(d.dead) != len(want) || len(d.marks) != len(want) {
			t.Fatalf("%d alerts, %d dead letters, %d watermarks", len(d.alerts), len(d.dead), len(d.marks))
		}
		for i := range want {
			if d.alerts[i].Title != want[i] || string(d.dead[i].Bytes) != "junk "+want[i] || d.marks[i].Offset != int64(2*i+2) {
				t.Fatalf("message %d: %q %q %d", i, d.alerts[i].Title, d.dead[i].Bytes, d.marks[i].Offset)
			}
		}
		l.Commit()
	}
}

// TestDetectIdle: a partition says once that it is silent, then tells the time;
// a record ends that; an aborted word is said again.
func TestDetectIdle(t *testing.T) {
	now := schema.Hour
	l := testDetectLane(&now, nil)
	process := func(values ...string) []schema.Watermark {
		var out Outbox
		if err := l.Process(context.Background(), rawRecords(3, values...), &out); err != nil {
			t.Fatal(err)
		}
		return decodeOut(t, &out).marks
	}
	idle := func(at, since schema.Millis) []schema.Watermark {
		t.Helper()
		var out Outbox
		if err := l.Idle(context.Background(), at, since, &out); err != nil {
			t.Fatal(err)
		}
		marks := decodeOut(t, &out).marks
		if len(marks) > 0 && (marks[0].Now != at || marks[0].Stats != schema.SourceStats{} || marks[0].Offset != l.done.Offset) {
			t.Errorf("idle record %+v", marks[0])
		}
		return marks
	}
	first := process("alert a")
	l.Commit()
	if len(idle(now+9_999, 9_999)) != 0 {
		t.Error("a record before the heartbeat is due")
	}
	if got := idle(now+10_000, 10_000); len(got) != 1 || got[0].Idle || got[0].MaxCreated != first[0].MaxCreated {
		t.Errorf("heartbeat %+v", got)
	}
	if got := idle(now+12_000, 30_000); len(got) != 1 || !got[0].Idle {
		t.Errorf("turning idle %+v", got)
	}
	l.Rollback()
	if got := idle(now+13_000, 31_000); len(got) != 1 || !got[0].Idle {
		t.Errorf("turning idle again %+v", got)
	}
	l.Commit()
	if len(idle(now+14_000, 32_000)) != 0 {
		t.Error("said twice")
	}
	if got := idle(now+23_000, 41_000); len(got) != 1 || !got[0].Idle {
		t.Errorf("heartbeat of an idle partition %+v", got)
	}
	if got := process("drop"); len(got) != 1 || got[0].Idle || got[0].MaxCreated != first[0].MaxCreated {
		t.Errorf("after a record: %+v", got)
	}
}

// TestDetectRollback: what an aborted transaction counted and saw does not stay.
func TestDetectRollback(t *testing.T) {
	now := schema.Hour
	l := testDetectLane(&now, nil)
	run := func(recs []Record) schema.Watermark {
		var out Outbox
		if err := l.Process(context.Background(), recs, &out); err != nil {
			t.Fatal(err)
		}
		return decodeOut(t, &out).marks[0]
	}
	run(rawRecords(0, "alert a"))
	l.Commit()
	done := l.done
	first := run(rawRecords(1, "alert b", "junk"))
	if err := l.Process(context.Background(), rawRecords(3, "alert c", "fail"), &Outbox{}); err == nil || stages.IsPermanent(err) {
		t.Fatalf("the stage's error came back as %v", err)
	}
	l.Rollback()
	if l.next != done {
		t.Errorf("after the rollback %+v, before %+v", l.next, done)
	}
	if again := run(rawRecords(1, "alert b", "junk")); again != first {
		t.Errorf("again %+v, first %+v", again, first)
	}
	var out Outbox
	if err := l.Process(context.Background(), nil, &out); err != nil || len(out.Msgs) > 0 {
		t.Errorf("no records gave %v and %d messages", err, len(out.Msgs))
	}
}

func TestDetectConfig(t *testing.T) {
	if err := DefaultDetectConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range []DetectConfig{{IdleAfter: 1}, {Heartbeat: 1}} {
		if c.Validate() == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}
