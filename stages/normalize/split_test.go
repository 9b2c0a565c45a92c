package normalize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	f("empty list, others follow", `{"value":[]}`+"\n"+eveA, "a")
	f("list of lists", `[{"records":[`+eveA+`]},{"records":[`+eveB+`]}]`, "a a")
	f("lists too deep", `{"records":[{"records":[{"records":[{"records":[`+eveA+`]}]}]}]}`, "too_deep")
	f("detail", `{"detail-type":"x","detail":`+eveA+`}`, "a")
	f("detail in records", `{"records":[{"detail":`+eveA+`}]}`, "a")
	f("detail unknown", `{"detail":{"a":1}}`, "unknown_format")
	f("records of scalars are no list", `{"records":[1,2]}`, "unknown_format")
	f("gzip", gz(eveA+"\n"+eveB), "a a")
	f("gzip members", gz(eveA+"\n")+gz(eveB), "a a")
	f("zstd", zst(eveA+"\n"+eveB), "a a")
	f("gzip in gzip", gz(gz(eveA)), "invalid_json")
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
	f("scalar", `42`, "not_an_object")
	f("text", `hello`, "invalid_json")
	f("syslog", `<134>Oct 11 22:14:15 host app: hi`, "invalid_json")
	f("empty", "", "empty")
	f("blank", " \n ", "empty")
	f("Confluent", "\x00\x00\x00\x00\x07"+eveA, "confluent_wire")
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

func TestSourceFormats(t *testing.T) {
	okta := `{"uuid":"e3","published":"2026-03-02T10:00:02Z","eventType":"user.account.lock","severity":"INFO","actor":{"id":"1"}}`
	f := func(formats []string, force, record, want string) {
		t.Helper()
		n := newNormalizer(t, func(c *Config) { c.Format = force })
		src := &schema.Source{ID: "s", Tenant: "t", Formats: formats}
		if got := outcome(run(t, n, src, 0, []byte(record))); got != want {
			t.Errorf("%v %q: got %q, want %q", formats, force, got, want)
		}
	}
	f(nil, "", eveA+okta, "a a")
	f([]string{"suricata_eve"}, "", eveA+okta, "a format_not_allowed")
	f([]string{"okta_system_log", "ocsf"}, "", eveA+okta, "format_not_allowed a")
	f(nil, "okta_system_log", eveA+okta, "missing_field a")
	n := newNormalizer(t, nil)
	if got := outcome(run(t, n, nil, 0, []byte(eveA))); got != "a" {
		t.Errorf("no source: %q", got)
	}
	cfg := Default()
	cfg.Format = "nonsense"
	if _, err := New(cfg); err == nil {
		t.Error("unknown format accepted")
	}
	if _, err := New(Config{}); err == nil {
		t.Error("zero config accepted")
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
	const header = "uuid,published,eventType,severity,displayMessage,actor\n"
	f(header+"1,2026-03-02T10:00:02Z,user.account.lock,INFO,\"a \"\"b\"\"\nc\",x\n2,2026-03-02T10:00:02Z,user.session.end,INFO,m,x\n", "a -")
	f("\xef\xbb\xbf"+header+"1,2026-03-02T10:00:02Z,user.account.lock,INFO,m,x", "a")
	f(header+"1,2\n3,2026-03-02T10:00:02Z,user.account.lock,INFO,m,x\n", "bad_field a")
	f(header+"\xff,2026-03-02T10:00:02Z,user.account.lock,INFO,m,x\n", "invalid_utf8")
	f("a,a\n1,2\n", "duplicate_key")
	f(header, "-")
	var rows []string
	SplitCSV([]byte("a,b\n1,\"x,<y>\"\n"), func(doc []byte, err error) bool {
		rows = append(rows, fmt.Sprint(string(doc), err))
		return true
	})
	if got := strings.Join(rows, "|"); got != `{"a":"1","b":"x,\u003cy\u003e"}<nil>` {
		t.Errorf("SplitCSV gave %s", got)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := &schema.Batch{Raw: []schema.Raw{{Value: []byte(eveA)}}}
	if err := newNormalizer(t, nil).Process(ctx, b); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
