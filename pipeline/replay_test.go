package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/stages/correlate"
	"github.com/interdict/interdict/stages/disrupt"
	"github.com/interdict/interdict/stages/match"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/respond"
)

func testPlan(t testing.TB) *Plan {
	t.Helper()
	p, err := NewPlan(Config{Detect: DefaultDetectConfig(), Normalize: normalize.Default(), Correlate: correlate.Default(),
		Disrupt: disrupt.DefaultConfig(), Respond: respond.DefaultConfig()}, Deps{Index: &match.Holder{}, Prefix: "interdict"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func lines(t testing.TB, dir, name string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// checkSummary holds a replay to the accounting it promises.
func checkSummary(t testing.TB, dir string, s Summary) {
	t.Helper()
	if s.Records != s.Accepted+s.Rejected+s.Ignored || s.Accepted != s.Alerts+s.Revisions+s.Duplicates {
		t.Errorf("accounting does not close: %+v", s)
	}
	for name, want := range map[string]uint64{"alerts.ndjson": s.Alerts, "dead-letter.ndjson": s.Rejected, "incidents.ndjson": s.Incidents,
		"paths.ndjson": s.Paths, "decisions.ndjson": s.Decisions, "actions.ndjson": s.Actions} {
		if got := lines(t, dir, name); got != int(want) {
			t.Errorf("%s has %d lines, the summary says %d", name, got, want)
		}
	}
	if n := members(t, dir); n != int(s.Alerts) {
		t.Errorf("incidents name %d alerts, there are %d", n, s.Alerts)
	}
}

// members counts the alerts that incidents.ndjson names, each once.
func members(t testing.TB, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "incidents.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range bytes.Lines(b) {
		var i struct {
			ClassUID int `json:"class_uid"`
			List     []struct {
				Alert string `json:"uid_alt"`
			} `json:"finding_info_list"`
		}
		if err := json.Unmarshal(line, &i); err != nil || i.ClassUID != 2005 {
			t.Fatalf("incidents.ndjson: %v: %.200s", err, line)
		}
		for _, f := range i.List {
			if seen[f.Alert] {
				t.Errorf("alert %s is in two incidents", f.Alert)
			}
			seen[f.Alert] = true
		}
	}
	return len(seen)
}

// TestReplayCPTC replays the Suricata alerts of seven attacking teams.
func TestReplayCPTC(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/labelled/cptc-2017-suricata/*.ndjson.gz")
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("labelled data are missing")
		}
		t.Skip("SKIPPED: ../shared/data/labelled is not present")
	}
	dir := t.TempDir()
	r := Replay{Plan: testPlan(t), Out: dir, Tenant: "t", Files: files}
	start := time.Now()
	s, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: %+v", time.Since(start), s)
	checkSummary(t, dir, s)
	if s.Rejected != 0 || s.Alerts < 10_000 {
		t.Errorf("%+v", s)
	}
}

// TestReplayWorld replays a generated world twice: the same files, in another
// order, give the same bytes.
func TestReplayWorld(t *testing.T) {
	cfg := gen.Default()
	cfg.Hosts, cfg.Users, cfg.Campaigns = 100, 100, 3
	world, err := gen.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	if _, err := world.WriteDir(in); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, s := range gen.Sources() {
		files = append(files, filepath.Join(in, s+".ndjson"))
	}
	run := func(files []string) (string, Summary) {
		dir := t.TempDir()
		r := Replay{Plan: testPlan(t), Out: dir, Tenant: "t", Files: files, Attests: []string{"host"}}
		s, err := r.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		checkSummary(t, dir, s)
		return dir, s
	}
	a, s := run(files)
	t.Logf("%+v", s)
	if s.Rejected != 0 || int(s.Accepted) != world.Alerts() || s.Promoted == 0 || s.Paths == 0 || s.Late != 0 {
		t.Errorf("%+v, want %d alerts", s, world.Alerts())
	}
	for i, j := 0, len(files)-1; i < j; i, j = i+1, j-1 {
		files[i], files[j] = files[j], files[i]
	}
	b, _ := run(files)
	for _, name := range []string{"incidents.ndjson", "paths.ndjson", "decisions.ndjson", "summary.json"} {
		x, _ := os.ReadFile(filepath.Join(a, name))
		y, _ := os.ReadFile(filepath.Join(b, name))
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs when the files come in another order", name)
		}
	}
}

// TestReplaySparesItsInput: an output never overwrites an input, and a missing
// input is found out before anything is written.
func TestReplaySparesItsInput(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "alerts.ndjson")
	text := []byte("{\"a\":1}\n")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{in}, {filepath.Join(dir, "..", filepath.Base(dir), "alerts.ndjson")}, {filepath.Join(dir, "missing")}} {
		r := Replay{Plan: testPlan(t), Out: dir, Tenant: "t", Files: files}
		if _, err := r.Run(context.Background()); err == nil {
			t.Errorf("%v: no error", files)
		}
		if got, err := os.ReadFile(in); err != nil || !bytes.Equal(got, text) {
			t.Fatalf("the input is now %q, %v", got, err)
		}
		if names, _ := os.ReadDir(dir); len(names) != 1 {
			t.Errorf("written: %v", names)
		}
	}
}

// TestReplayKeepsWhatItRejects: standard input, every document accounted for, and
// rejected bytes as they came.
func TestReplayKeepsWhatItRejects(t *testing.T) {
	dir := t.TempDir()
	r := Replay{Plan: testPlan(t), Out: dir, Tenant: "t", Files: []string{"-"}, Stdin: bytes.NewReader([]byte("{\"a\":1}\n\xff{\n[\n"))}
	s, err := r.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	checkSummary(t, dir, s)
	b, err := os.ReadFile(filepath.Join(dir, "dead-letter.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var d DeadLetter
		if err := json.Unmarshal(line, &d); err != nil || d.Source != "stdin" || d.Topic != "-" || d.Offset != int64(len(kept)+1) {
			t.Errorf("%v: %s", err, line)
		}
		kept = append(kept, string(d.Bytes))
	}
	same(t, kept, "{\"a\":1}", "\xff{", "[")
}
