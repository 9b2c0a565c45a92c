package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
)

// poison is a hostile record and why it is rejected.
type poison struct {
	name   string
	value  []byte
	reason schema.Reason
}

func poisons(t *testing.T) []poison {
	t.Helper()
	good := string(eve(at(1), 1, "198.18.200.1", "198.18.200.2", "Good"))
	with := func(member string) []byte { return []byte(good[:len(good)-1] + "," + member + "}") }
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write([]byte(`{"event_type":"alert","pad":"` + strings.Repeat("A", 300<<20) + `"}`)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return []poison{
		{"invalid UTF-8", with("\"x\":\"\xff\xfe\""), schema.ReasonInvalidUTF8},
		{"3 MiB, compressible", with(`"x":"` + strings.Repeat("A", 3<<20) + `"`), schema.ReasonTooLarge},
		{"depth 10,000", with(`"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), schema.ReasonTooDeep},
		{"duplicate keys", with(`"src_ip":"203.0.113.66"`), schema.ReasonDuplicateKey},
		{"truncated", []byte(good[:len(good)/2]), schema.ReasonInvalidJSON},
		{"NaN", with(`"x":NaN`), schema.ReasonInvalidJSON},
		{"empty", []byte{}, schema.ReasonEmpty},
		{"no text", []byte("\x7fELF hello"), schema.ReasonBadField},
		{"Confluent's framing", []byte("\x00\x00\x00\x00\x01" + good), schema.ReasonConfluentWire},
		{"a bomb", bomb.Bytes(), schema.ReasonDecompression},
		{"another format", []byte(oktaEvent), schema.ReasonFormatNotAllowed},
	}
}

// oktaEvent is an alert of a format that the source does not allow at first.
const oktaEvent = `{"uuid":"0d5e0d5e-0000-4000-8000-000000000001","published":"2026-03-02T01:00:01.000Z","eventType":"user.account.lock","version":"0",` +
	`"severity":"WARN","displayMessage":"Max sign in attempts exceeded","actor":{"id":"00u1","type":"User","alternateId":"bob@acme.example","displayName":"Bob"},` +
	`"client":{"ipAddress":"198.18.201.1"},"outcome":{"result":"FAILURE","reason":"LOCKED_OUT"},"target":[]}`

// TestPoison puts hostile records among good ones. Each is kept as it was
// received, the alerts around it go on, and once the cause is mended a redrive
// gives the alert its right id and time.
func TestPoison(t *testing.T) {
	t.Parallel()
	l := newLab(t, labConfig{feeds: []string{"ids"}, partitions: 1})
	s := l.source("acme", "ids")
	s.Formats = []string{"suricata_eve"}
	list := poisons(t)
	var msgs []message
	for i, p := range list {
		minute := at(1) + schema.Millis(i)*schema.Minute
		msgs = append(msgs, message{s, 0, eve(minute, uint32(1000+i), fmt.Sprintf("198.18.210.%d", i), "203.0.113.9", "Between"), minute},
			message{s, 0, p.value, minute + 1})
	}
	// One record of several documents: only the broken one is lost.
	last := at(1) + schema.Hour
	mixed := bytes.Join([][]byte{eve(last, 1, "198.18.211.1", "203.0.113.9", "First"), []byte("{broken"), eve(last, 2, "198.18.211.2", "203.0.113.9", "Last")}, []byte("\n"))
	l.produce(append(msgs, message{s, 0, mixed, last}))
	l.produce(l.closing(last+schema.Minute, nil))
	w := l.worker("one", "")
	l.settle()
	w.stop(t)
	l.checkAccounting()
	l.checkOracle("acme")

	var got []kafka.DeadLetterEntry
	err := kafka.ListDeadLetter(t.Context(), l.kafka, kafka.DeadLetterFilter{}, func(e kafka.DeadLetterEntry) error {
		got = append(got, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(list)+1 {
		t.Errorf("%d documents are in the dead letter, want %d", len(got), len(list)+1)
	}
	for i, e := range got {
		want := poison{"within a record", []byte("{broken"), schema.ReasonInvalidJSON}
		if i < len(list) {
			want = list[i]
		}
		if !bytes.Equal(e.Bytes, want.value) {
			t.Errorf("%s: %d bytes were kept, not the %d received", want.name, len(e.Bytes), len(want.value))
		}
		if e.Reason != want.reason || e.Problem != "" || e.Tenant != "acme" || e.Source != "ids" {
			t.Errorf("%s: rejected for %s of %s/%s (%s), want %s; %s", want.name, e.Reason, e.Tenant, e.Source, e.Detail, want.reason, e.Problem)
		}
	}
	if size := l.number("SELECT max(total) FROM (SELECT sum(size) AS total FROM rejects GROUP BY raw_offset)"); size < 3<<20 {
		t.Errorf("the largest reject has %d bytes in the store", size)
	}
	l.redrive(s, []byte(oktaEvent))
}

// redrive allows the format that was refused and sends the documents again.
func (l *lab) redrive(s *source, refused []byte) {
	l.t.Helper()
	var first schema.Raw
	for _, r := range s.raws {
		if bytes.Equal(r.Value, refused) {
			first = r
		}
	}
	s.Formats = nil
	report := l.run("dead-letter", "redrive", "-c", l.config("tool"), "--reason", schema.ReasonFormatNotAllowed.String(), "--all")
	if !strings.HasPrefix(report, "1 selected, 1 sent") {
		l.t.Errorf("redrive says %q", report)
	}
	w := l.worker("one", "")
	l.settle()
	w.stop(l.t)
	id := schema.NewAlertID(s.Tenant, s.ID, "0d5e0d5e-0000-4000-8000-000000000001")
	rows := l.query("SELECT toUnixTimestamp64Milli(ingested), raw FROM v_alerts WHERE lower(replaceAll(toString(alert_id), '-', '')) = '" + id.String() + "'")
	if len(rows) != 1 || rows[0][0] != fmt.Sprint(int64(first.Time)) || rows[0][1] != string(refused) {
		l.t.Errorf("the redriven alert %s is %v in the store, want it once, ingested at %d", id, rows, first.Time)
	}
	if a, n := l.number("SELECT sum(accepted) FROM source_stats"), l.number("SELECT count() FROM v_alerts"); a != n {
		l.t.Errorf("%d alerts were accepted, %d are in the store", a, n)
	}
}
