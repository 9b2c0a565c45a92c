package normalize

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// ecsAlert is an alert of a generic format around a message that anybody may have written.
func ecsAlert(message string) string {
	return `{"@timestamp":"2026-03-02T08:15:30Z","ecs":{"version":"8.11"},"event":{"kind":"alert","module":"acme"},"rule":{"name":"r"},"host":{"name":"ws-1"},"message":` + quoted(message) + `}`
}

// TestMessagesDoNotHideAlerts: what somebody wrote into a message, and holds no
// document of a known format, does not stand in for the alert around it.
func TestMessagesDoNotHideAlerts(t *testing.T) {
	n := newNormalizer(t, nil)
	for _, message := range []string{"hello", "[]", "[{}]", `["x"]`, `["x"] was said`, `[{"a":1},{"b":2}]`, "{}\n{}", `{"a":1} {"b":2}`, `{"records":[]}`,
		`{"records":[{"a":1}]}`, "[[]]", `[{"a"`, "CEF:0|", "<14>Oct 11 22:14:15 h a: [{}]"} {
		b := run(t, n, testSource(), 0, []byte(ecsAlert(message)))
		if got := outcome(b); got != "a" {
			t.Errorf("message %s: %s", message, Dump(b))
		}
	}
}

// TestEmptyListsHideNothing: an alert that happens to have an empty list where
// lists of documents stand is an alert.
func TestEmptyListsHideNothing(t *testing.T) {
	n := newNormalizer(t, nil)
	for record, want := range map[string]string{
		with(`"findings":[]`):                                  "a",
		with(`"value":[ ],"x":1`) + "\n" + eveB:                "a a",
		`[` + with(`"Findings":[]`) + `,` + eveB + `]`:         "a a",
		`{"message":` + quoted(with(`"findings":[]`)) + `}`:    "a",
		`{"value":[],"records":[]}`:                            "-",
		`{"message":"[]"}` + "\n" + eveA:                       "unknown_format a",
		`{"log":"{\"records\":[]}"}` + "\n" + eveA:             "unknown_format a",
		`{"detail":{"a":1,"records":[]}}` + "\n" + eveA:        "unknown_format a",
	} {
		if got := outcome(run(t, n, testSource(), 0, []byte(record))); got != want {
			t.Errorf("%s: got %q, want %q", record, got, want)
		}
	}
}

// TestTooManyDocumentsLosesNothing: whatever the limit struck in, all that was
// not read is rejected.
func TestTooManyDocumentsLosesNothing(t *testing.T) {
	n := newNormalizer(t, func(c *Config) { c.MaxDocuments = 2 })
	const last = "the last line"
	envelope := `{"message":` + quoted(eveA+"\n"+eveB+"\n"+eveA) + `}`
	graph := `{"id":"i1","createdDateTime":"2026-03-02T10:00:00Z"}`
	_ = graph
	for name, record := range map[string]string{
		"envelope": envelope + "\n" + last,
		"second":   eveA + "\n" + envelope + "\n" + last,
		"list":     `{"logEvents":[{"message":` + quoted(eveA) + `},{"message":` + quoted(eveA) + `},{"message":` + quoted(last) + `}]}`,
	} {
		b := run(t, n, testSource(), 0, []byte(record))
		if len(b.Alerts) != 2 || len(b.Rejects) != 1 || !strings.Contains(string(b.Rejects[0].Bytes), last) {
			t.Errorf("%s: %s", name, Dump(b))
		}
	}
}

// TestTablesDoNotExplode: a header's names, which each row's document repeats,
// do not make gigabytes of a small record.
func TestTablesDoNotExplode(t *testing.T) {
	name := strings.Repeat("x", 60_000)
	for form, record := range map[string]string{
		"csv":  name + "\n" + strings.Repeat("a\n", 20_000),
		"zeek": "#separator \\x09\n#fields\t" + name + "\n" + strings.Repeat("a\n", 20_000),
	} {
		n := newNormalizer(t, nil)
		src := testSource()
		if form == "csv" {
			src.Formats = []string{CSV}
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b := run(t, n, src, 0, []byte(record))
		runtime.ReadMemStats(&after)
		if made := (after.TotalAlloc - before.TotalAlloc) >> 20; made > 200 {
			t.Errorf("%s: %d MiB made of %d KiB", form, made, len(record)>>10)
		}
		if last := b.Rejects[len(b.Rejects)-1]; last.Reason != schema.ReasonTooLarge && last.Reason != schema.ReasonDecompression {
			t.Errorf("%s: the rest is %v", form, last.Reason)
		}
	}
	// What is no more than usual is read to its end.
	n := newNormalizer(t, nil)
	var w strings.Builder
	w.WriteString(strings.Repeat("a_rather_long_name_of_a_column", 1))
	for i := range 60 {
		w.WriteString(",a_rather_long_name_of_a_column" + strconv.Itoa(i))
	}
	w.WriteString("\n" + strings.Repeat(strings.Repeat(",", 60)+"\n", 9_000))
	src := testSource()
	src.Formats = []string{CSV}
	if b := run(t, n, src, 0, []byte(w.String())); len(b.Rejects) != 9000 || b.Rejects[8999].Reason != schema.ReasonUnknownFormat {
		t.Errorf("%d rejects", len(b.Rejects))
	}
}
