package normalize

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/interdict/interdict/schema"
)

const (
	eveA  = `{"timestamp":"2026-03-02T08:15:30Z","flow_id":1,"event_type":"alert","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","alert":{"signature_id":1,"signature":"a","severity":1}}`
	eveB  = `{"timestamp":"2026-03-02T08:15:31Z","flow_id":2,"event_type":"alert","src_ip":"10.0.0.1","dest_ip":"10.0.0.3","alert":{"signature_id":2,"signature":"b","severity":1}}`
	evDNS = `{"timestamp":"2026-03-02T08:15:31Z","flow_id":2,"event_type":"dns","src_ip":"10.0.0.1","dest_ip":"10.0.0.3"}`
)

func gz(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func zst(s string) string {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(w.EncodeAll([]byte(s), nil))
}

// outcome renders what became of a record: "a" accepted, "-" dropped, or the
// reason of a reject, in the order of documents.
func outcome(b *schema.Batch) string {
	n := len(b.Alerts) + len(b.Rejects) + len(b.Drops)
	out := make([]string, n)
	for i := range b.Alerts {
		out[b.Alerts[i].RawRef.Doc] = "a"
	}
	for _, r := range b.Rejects {
		out[r.Doc] = r.Reason.String()
	}
	for _, d := range b.Drops {
		out[d.Doc] = "-"
	}
	return strings.Join(out, " ")
}

func TestContainers(t *testing.T) {
	n := newNormalizer(t, nil)
	f := func(name, record, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			if got := outcome(run(t, n, testSource(), 0, []byte(record))); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	f("object", eveA, "a")
	f("spaces around", " \r\n\t"+eveA+"\n\n", "a")
	f("byte order mark", "\xef\xbb\xbf"+eveA, "a")
	f("NDJSON", eveA+"\n"+evDNS+"\r\n"+eveB+"\n", "a - a")
	f("back to back", eveA+eveB+" "+eveA, "a a a")
	f("array", "["+eveA+" , "+evDNS+",\n"+eveB+"]", "a - a")
	f("arrays back to back", "["+eveA+"]\n["+eveB+"]", "a a")
	f("empty array", "[ ]", "-")
	f("records", `{"records":[`+eveA+","+eveB+`]}`, "a a")
	f("Records after other keys", `{"x":{"y":[1]},"Records":[`+eveA+`],"z":1}`, "a")
	f("value and nextLink", `{"@odata.context":"c","value":[`+eveA+`],"@odata.nextLink":"n"}`, "a")
	f("findings", `{"findings":[`+eveA+`]}`, "a")
	f("empty list", `{"value":[]}`, "-")
	f("empty list, others follow", `{"value":[]}`+"\n"+eveA, "- a")
	f("list of lists", `[{"records":[`+eveA+`]},{"records":[`+eveB+`]}]`, "a a")
	f("lists too deep", strings.Repeat(`{"records":[`, 5)+eveA+strings.Repeat(`]}`, 5), "too_deep")
	f("detail", `{"detail-type":"x","detail":`+eveA+`}`, "a")
	f("detail in records", `{"records":[{"detail":`+eveA+`}]}`, "a")
	f("detail unknown", `{"detail":{"a":1}}`, "unknown_format")
	f("records of scalars are no list", `{"records":[1,2]}`, "unknown_format")
	f("gzip", gz(eveA+"\n"+eveB), "a a")
	f("gzip members", gz(eveA+"\n")+gz(eveB), "a a")
	f("zstd", zst(eveA+"\n"+eveB), "a a")
	f("gzip in gzip", gz(gz(eveA)), "decompression")
	f("gzip cut", gz(eveA)[:60], "decompression")
	f("gzip damaged", gz(eveA)[:90]+"xx"+gz(eveA)[92:], "decompression")
	f("zstd cut", zst(eveA)[:40], "decompression")
	f("gzip bomb", gz(strings.Repeat(" ", 100<<20)), "decompression")
	f("zstd bomb", zst(strings.Repeat(" ", 100<<20)), "decompression")
	f("gzip of nothing", gz(""), "empty")

	f("broken line", eveA+"\n{\"a\":\n"+eveB, "a invalid_json a")
	f("cut line", eveA[:50]+"\n"+eveB, "invalid_json a")
	f("rule broken on a line", `{"a":1,"a":2}`+eveA, "duplicate_key a")
	f("rule broken in an array", `[`+eveA+`,{"a":1,"a":2},`+eveB+`]`, "a duplicate_key a")
	f("broken in an array", `[`+eveA+`,{"a" 1},`+eveB+`]`, "a invalid_json")
	f("array cut after an element", `[`+eveA+`,`, "a invalid_json")
	f("array cut without a comma", `[`+eveA, "a invalid_json")
	f("array cut at once", `[`, "invalid_json")
	f("list cut", `{"records":[`+eveA+`]`, "a invalid_json")
	f("list cut within", `{"records":[`+eveA+`,{"a":`, "a invalid_json")
	f("list given twice", `{"records":[`+eveA+`],"records":[`+eveB+`]}`, "a duplicate_key")
	f("comma at the end of an array", `[`+eveA+`,]`, "a invalid_json")
	f("unknown", `{"hello":"world"}`, "unknown_format")
	f("scalar", `"x"`, "unknown_format")
	f("scalars in an array", `["x",1]`, "not_an_object not_an_object")
	f("text", `hello`, "unknown_format")
	f("number", `42`, "unknown_format")
	f("lines of text", "hello\nworld\n"+eveA, "unknown_format unknown_format a")
	f("syslog", `<134>Oct 11 22:14:15 host app: hi`, "unknown_format")
	f("JSON after a syslog header", `<134>Oct 11 22:14:15 host suricata[7]: `+eveA, "a")
	f("JSON in Filebeat's message", `{"@timestamp":"2026-03-02T08:15:30Z","agent":{"type":"filebeat"},"message":`+quoted(eveA)+`}`, "a")
	f("JSON in Docker's log", `{"log":`+quoted(eveA+"\n")+`,"stream":"stdout"}`, "a")
	f("NDJSON in an envelope", `{"message":`+quoted(eveA+"\n"+eveB)+`}`, "a a")
	f("a list in an envelope", `{"message":`+quoted(`{"records":[`+eveA+","+evDNS+`]}`)+`}`, "a -")
	f("envelopes in envelopes", `{"event":{"_raw":`+quoted(`{"log":`+quoted(eveA)+`}`)+`}}`, "a")
	f("CloudWatch", `{"logGroup":"g","logEvents":[{"id":"1","message":`+quoted(eveA)+`},{"id":"2","message":`+quoted(eveB)+`}]}`, "a a")
	f("envelope around something unknown", `{"message":"{\"a\":1}","x":1}`, "unknown_format")
	f("empty", "", "empty")
	f("blank", " \n ", "empty")
	f("Confluent", "\x00\x00\x00\x00\x07"+eveA, "confluent_wire")
}

func TestConfluentJSON(t *testing.T) {
	n := newNormalizer(t, func(c *Config) { c.Confluent = ConfluentJSON })
	for record, want := range map[string]string{
		"\x00\x00\x00\x00\x07" + eveA: "a", "\x00\x00\x00\x00\x07": "bad_field", eveA: "a",
	} {
		if got := outcome(run(t, n, testSource(), 0, []byte(record))); got != want {
			t.Errorf("%q: got %q, want %q", record, got, want)
		}
	}
}

// TestTextLeavesNothingBehind: what one line holds is not seen in the next.
func TestTextLeavesNothingBehind(t *testing.T) {
	n := newNormalizer(t, nil)
	line := func(src string) string {
		return `CEF:0|Acme|Sensor|1|100|hit|9|` + src
	}
	b := run(t, n, testSource(), 0, []byte(`[{"message":`+quoted(line("src=192.0.2.1 suser=alice"))+`},{"message":`+quoted(line("dst=192.0.2.2"))+`}]`))
	if len(b.Alerts) != 2 || len(b.Alerts[0].Entities) != 2 || len(b.Alerts[1].Entities) != 1 {
		t.Errorf("got\n%s", Dump(b))
	}
}

// quoted gives text as a JSON string.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestTooManyDocuments(t *testing.T) {
	n := newNormalizer(t, func(c *Config) { c.MaxDocuments = 2 })
	for _, record := range []string{eveA + "\n" + eveA + "\n" + eveB + "\n" + eveB, "[" + eveA + "," + eveA + "," + eveB + "," + eveB + "]"} {
		b := run(t, n, testSource(), 0, []byte(record))
		if got := outcome(b); got != "a a too_many_records" {
			t.Errorf("got %q", got)
		}
		if !bytes.HasPrefix(b.Rejects[0].Bytes, []byte(eveB)) {
			t.Errorf("reject has %q", b.Rejects[0].Bytes)
		}
	}
}

// TestLinear: what a record costs does not grow with the square of its size.
// A million lines that each open what never closes are given up on early.
func TestLinear(t *testing.T) {
	n := newNormalizer(t, nil)
	for _, line := range []string{"{\"a\":[\n", "[\n", "{\"records\":[\n", "{\"a\":1,\"a\":[\n", "[[[[[[\n"} {
		b := run(t, n, testSource(), 0, []byte(strings.Repeat(line, 1<<20)))
		if len(b.Rejects) > maxLost+1 {
			t.Errorf("%q: %d rejects", line, len(b.Rejects))
		}
	}
}

func TestCSV(t *testing.T) {
	n := newNormalizer(t, nil)
	src := &schema.Source{ID: "s", Tenant: "t", Formats: []string{CSV}}
	f := func(record, want string) {
		t.Helper()
		if got := outcome(run(t, n, src, 0, []byte(record))); got != want {
			t.Errorf("%q: got %q, want %q", record, got, want)
		}
	}
	const header = "id,createdDateTime,serviceSource,severity,title\n"
	f(header+"1,2026-03-02T10:00:02Z,x,low,\"a \"\"b\"\"\nc\"\n2,2026-03-02T10:00:02Z,x,low,m\n", "a a")
	f("\xef\xbb\xbf"+header+"1,2026-03-02T10:00:02Z,x,low,m", "a")
	f(header+"1,2\n3,2026-03-02T10:00:02Z,x,low,m\n", "bad_field a")
	f(header+"\xff,2026-03-02T10:00:02Z,x,low,m\n", "invalid_utf8")
	f("kind\nother\n", "unknown_format")
	f("a,a\n1,2\n", "duplicate_key")
	f(header, "-")
}
