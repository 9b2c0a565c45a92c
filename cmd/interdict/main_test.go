package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// engineEnv makes the test binary play the embedded engine's process.
const engineEnv = "INTERDICT_CMD_TEST_ENGINE"

func TestMain(m *testing.M) {
	if os.Getenv(engineEnv) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		os.Exit(run(ctx, []string{"chdb-serve"}, streams{os.Stdin, os.Stdout, os.Stderr, nil}))
	}
	goleak.VerifyTestMain(m)
}

// result is what one command line did.
type result struct {
	code     int
	out, err string
}

func do(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, streams{strings.NewReader(stdin), &out, &errs, []string{"INTERDICT_EMBEDDED=true"}})
	return result{code, out.String(), errs.String()}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const eve = `{"timestamp":"2026-03-02T10:00:00.000000+0000","flow_id":1,"event_type":"alert","src_ip":"10.0.0.5","src_port":40000,"dest_ip":"203.0.113.7","dest_port":443,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2100001,"rev":1,"signature":"Test beacon","category":"Malware Command and Control Activity Detected","severity":1}}`

func TestUsage(t *testing.T) {
	f := func(want int, args ...string) {
		t.Helper()
		r := do(t, "", args...)
		if r.code != want {
			t.Errorf("%v: exit %d, want %d; %s%s", args, r.code, want, r.out, r.err)
		}
		if want != exitDone && r.err == "" && r.out == "" {
			t.Errorf("%v: failed without a word", args)
		}
	}
	f(exitDone, "--help")
	f(exitDone, "version")
	f(exitDone, "version", "--json")
	f(exitDone, "config", "example")
	f(exitDone, "config", "check")
	f(exitDone, "normalize", "--list")
	f(exitDone, "policy", "list")
	f(exitUsage)
	f(exitUsage, "nonsense")
	f(exitUsage, "normalize")
	f(exitUsage, "normalize", "--format", "nonsense", "-")
	f(exitUsage, "replay", "x.ndjson")
	f(exitUsage, "dead-letter", "show", "nonsense")
	f(exitUsage, "dead-letter", "redrive")
	f(exitUsage, "store", "erase", "--tenant", "t")
	f(exitUsage, "config", "check", "-c", "/does/not/exist.yaml")
	f(exitFailed, "normalize", "/does/not/exist.ndjson")
}

func TestConfigExampleIsValid(t *testing.T) {
	path := write(t, "interdict.yaml", do(t, "", "config", "example").out)
	if r := do(t, "", "config", "check", "-c", path); r.code != exitDone {
		t.Errorf("the example is not valid: %s", r.err)
	}
}

func TestConfigCheckNamesTheLine(t *testing.T) {
	path := write(t, "interdict.yaml", "embedded: true\nkafka:\n  partitionz: 3\n")
	r := do(t, "", "config", "check", "-c", path)
	if r.code != exitUsage || !strings.Contains(r.err, path+":3:3") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

func TestNormalize(t *testing.T) {
	r := do(t, eve+"\n\n"+strings.Replace(eve, `"event_type":"alert"`, `"event_type":"flow"`, 1)+"\n{broken\n", "normalize", "-")
	if r.code != exitDone {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	var alert struct {
		ClassUID int `json:"class_uid"`
		Metadata struct {
			UID string `json:"uid"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(r.out), &alert); err != nil || alert.ClassUID != 2004 || len(alert.Metadata.UID) != 32 {
		t.Errorf("%v: %s", err, r.out)
	}
	lines := strings.Split(strings.TrimSpace(r.err), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "-:3: ") || !strings.Contains(lines[0], "not_an_alert") || !strings.HasPrefix(lines[1], "-:4: ") {
		t.Errorf("stderr: %q", lines)
	}
}

func TestReplay(t *testing.T) {
	in := write(t, "eve.ndjson", eve+"\n"+eve+"\nnot json\n")
	out := t.TempDir()
	r := do(t, "", "replay", "--json", "--out", out, in)
	if r.code != exitDone {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	var sum map[string]int
	if err := json.Unmarshal([]byte(r.out), &sum); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]int{"records": 3, "accepted": 2, "rejected": 1, "ignored": 0, "alerts": 1, "duplicates": 1, "incidents": 1} {
		if sum[k] != want {
			t.Errorf("%s is %d, want %d", k, sum[k], want)
		}
	}
	dead, err := os.ReadFile(filepath.Join(out, "dead-letter.ndjson"))
	if err != nil || !bytes.Contains(dead, []byte(`"bytes":"bm90IGpzb24="`)) {
		t.Errorf("dead letter: %s %v", dead, err)
	}
}

func TestIntel(t *testing.T) {
	dir := t.TempDir()
	feed := write(t, "feed.txt", "203.0.113.7\nbad[.]example\nnonsense line\n")
	r := do(t, "", "intel", "import", "--data-dir", dir, feed)
	if r.code != exitDone || !strings.Contains(r.out, "2 indicators") || !strings.Contains(r.err, ":3: refused") {
		t.Fatalf("import: exit %d: %s%s", r.code, r.out, r.err)
	}
	check := func(want int, value string) {
		t.Helper()
		if r := do(t, "", "intel", "check", "--data-dir", dir, value); r.code != want || r.out == "" && want != exitUsage {
			t.Errorf("check %s: exit %d: %s%s", value, r.code, r.out, r.err)
		}
	}
	check(exitDone, "203.0.113.7")
	check(exitDone, "www[.]bad[.]example")
	check(exitDone, "https://bad.example/x")
	check(exitFailed, "203.0.113.8")
	check(exitUsage, "nonsense")
	for _, sub := range []string{"list", "stats"} {
		if r := do(t, "", "intel", sub, "--data-dir", dir, "--json"); r.code != exitDone || !strings.Contains(r.out, "feed") {
			t.Errorf("%s: exit %d: %s%s", sub, r.code, r.out, r.err)
		}
	}
}

func TestInventory(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		_, err := readInventory(write(t, "a.ndjson", line), "t")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	f(`{"name":"WEB-1.corp.example","class":"server","criticality":"high","updated":"2026-03-02T10:00:00Z","os":"linux"}`, "")
	f(`{"name":"web-1","criticality":80,"updated":"2026-03-02T10:00:00Z"}`, "")
	f(`{"name":"web-1"}`, "asset 1: host web-1: updated is missing")
	f(`{"name":"","updated":"2026-03-02T10:00:00Z"}`, "no host name")
	f(`{"name":"web-1","criticality":"huge","updated":"2026-03-02T10:00:00Z"}`, "huge")
	f(`{"name":"web-1","criticality":101,"updated":"2026-03-02T10:00:00Z"}`, "101")
	f(`{"name":`, "asset 1")
}

func TestPrintable(t *testing.T) {
	if got := printable("a\x1b[31mb\u202ec\u2028d\x00"); got != "a [31mb c d " {
		t.Errorf("%q", got)
	}
	if got := short(strings.Repeat("x", 50), 10); got != "xxxxxxx..." {
		t.Errorf("%q", got)
	}
}
