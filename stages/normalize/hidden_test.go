package normalize

import (
	"math/rand/v2"
	"os"
	"path/filepath"
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
		`{"records":[{"a":1}]}`, evDNS, "[" + evDNS + "]", "[[]]", `[{"a"`, "CEF:0|", "<14>Oct 11 22:14:15 h a: [{}]"} {
		b := run(t, n, testSource(), 0, []byte(ecsAlert(message)))
		if got := outcome(b); got != "a" {
			t.Errorf("message %s: %s", message, Dump(b))
		}
	}
}

// TestFormatsNotAllowedHideNothing: nor does a document of a format that the source
// does not send.
func TestFormatsNotAllowedHideNothing(t *testing.T) {
	src := testSource()
	src.Formats = []string{"generic_ecs"}
	b := run(t, newNormalizer(t, nil), src, 0, []byte(ecsAlert(eveA)))
	if len(b.Alerts) != 1 || b.Alerts[0].Format != "generic_ecs" {
		t.Error(Dump(b))
	}
	src.Formats = nil
	if b = run(t, newNormalizer(t, nil), src, 0, []byte(ecsAlert(eveA))); len(b.Alerts) != 1 || b.Alerts[0].Format != "suricata_eve" {
		t.Error(Dump(b))
	}
}

// TestEmptyListsHideNothing: an alert that happens to have an empty list where
// lists of documents stand is an alert.
func TestEmptyListsHideNothing(t *testing.T) {
	n := newNormalizer(t, nil)
	for record, want := range map[string]string{
		with(`"findings":[]`):                               "a",
		with(`"value":[ ],"x":1`) + "\n" + eveB:             "a a",
		`[` + with(`"Findings":[]`) + `,` + eveB + `]`:      "a a",
		`{"message":` + quoted(with(`"findings":[]`)) + `}`: "a",
		`{"value":[],"records":[]}`:                         "-",
		`{"message":"[]"}` + "\n" + eveA:                    "unknown_format a",
		`{"log":"{\"records\":[]}"}` + "\n" + eveA:          "unknown_format a",
		`{"detail":{"a":1,"records":[]}}` + "\n" + eveA:     "unknown_format a",
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

// TestReloadOfFaultyFiles: a folder that stays as wrong as it was costs no
// compilation each time that it is looked at, and says the same.
func TestReloadOfFaultyFiles(t *testing.T) {
	cfg := Default()
	cfg.FormatsDir = t.TempDir()
	f, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(cfg.FormatsDir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", strings.Replace(userFormat, "TITLE", "a..b", 1))
	_, first := f.Reload()
	if first == nil {
		t.Fatal("a broken path was taken")
	}
	if n := testing.AllocsPerRun(1, func() {
		if _, again := f.Reload(); again == nil || again.Error() != first.Error() {
			t.Errorf("said %v, then %v", first, again)
		}
	}); n > 200 {
		t.Errorf("%v allocations", n)
	}
	write("a.yaml", strings.Replace(userFormat, "TITLE", "b", 1))
	if changed, err := f.Reload(); !changed || err != nil {
		t.Errorf("mended: %v, %v", changed, err)
	}
	write("a.yaml", strings.Replace(strings.Replace(userFormat, "TITLE", "b", 1), "acme_sensor", CSV, 1))
	if _, err := f.Reload(); err == nil {
		t.Error("a format has the name of a container")
	}
}

// TestLinkedFolders: folders of formats may be links, as orchestrators mount them.
func TestLinkedFolders(t *testing.T) {
	cfg := Default()
	cfg.FormatsDir = t.TempDir()
	elsewhere := t.TempDir()
	if err := os.WriteFile(filepath.Join(elsewhere, FormatFile), []byte(strings.Replace(userFormat, "TITLE", "a", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.FormatsDir, "README.md"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(cfg.FormatsDir, "acme")); err != nil {
		t.Fatal(err)
	}
	f, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !f.Known("acme_sensor") {
		t.Error("the format behind the link is not known")
	}
}

// TestDocumentsAreIndependent: what comes of a document does not depend on those
// before it, nor on those that share its batch and its memory.
func TestDocumentsAreIndependent(t *testing.T) {
	files, err := filepath.Glob("formats/*/cases/*")
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for _, file := range files {
		if ext := filepath.Ext(file); ext == goldenExt || ext == ".csv" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, text)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	together := run(t, newNormalizer(t, nil), testSource(), 0, records...)
	parts := make([]schema.Batch, len(records))
	for i := range together.Alerts {
		p := &parts[together.Alerts[i].RawRef.Offset]
		p.Alerts = append(p.Alerts, together.Alerts[i])
	}
	for _, x := range together.Rejects {
		parts[x.Raw].Rejects = append(parts[x.Raw].Rejects, x)
	}
	for _, x := range together.Drops {
		parts[x.Raw].Drops = append(parts[x.Raw].Drops, x)
	}
	alone := newNormalizer(t, nil)
	for i := len(records) - 1; i >= 0; i-- {
		b := run(t, alone, testSource(), 0, records[i])
		for j := range b.Rejects {
			b.Rejects[j].Raw = int32(i)
		}
		for j := range b.Drops {
			b.Drops[j].Raw = int32(i)
		}
		if got, want := Dump(&parts[i]), Dump(b); got != want {
			t.Fatalf("%.300q\ntogether\n%s\nalone\n%s", records[i], got, want)
		}
	}
}

// TestTooManyElements: where the limit strikes among the elements of a document,
// what follows the document is rejected, too.
func TestTooManyElements(t *testing.T) {
	cfg := Default()
	cfg.FormatsDir, cfg.MaxDocuments = t.TempDir(), 2
	text := "format: acme_sensor\nvendor: Acme\ndoc: Acme events\ndetect: [acme_serial]\nsplit: events[]\nset: {id: n}\n"
	if err := os.WriteFile(filepath.Join(cfg.FormatsDir, "acme.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(cfg, f)
	if err != nil {
		t.Fatal(err)
	}
	b := run(t, n, testSource(), 0, []byte(`{"acme_serial":"s","events":[{"n":1},{"n":2},{"n":3}]}`+"\nthe last line"))
	if len(b.Alerts) != 2 || len(b.Rejects) != 1 || !strings.HasSuffix(string(b.Rejects[0].Bytes), "the last line") {
		t.Error(Dump(b))
	}
}
