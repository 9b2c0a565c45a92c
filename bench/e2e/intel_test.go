package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/distribute"
)

// TestIntel takes indicators through their whole life in a running deployment, by the
// commands that an operator has: a feed that is imported matches what comes and finds
// what has passed, an analyst allows, a feed is removed, a report tells whom it
// concerns, and a restart repeats nothing.
func TestIntel(t *testing.T) {
	t.Parallel()
	var pulls atomic.Int32
	feed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		pulls.Add(1)
		fmt.Fprintln(w, "192.0.2.200")
	}))
	defer feed.Close()
	l := newIntelLab(t, 0, map[string]any{"feeds": []map[string]any{{"name": "web", "url": feed.URL + "/list.txt", "every": "6h", "allow_private": true}}})
	w := l.worker("one", "")
	eventually(t, "the configured feed is pulled and in force", func() bool { return w.intel().Follower.Indicators == 1 },
		func() string { return fmt.Sprintf("%+v\n%s", w.intel(), w.tail(60)) })

	// Nobody calls these bad yet. What follows closes time, so that they are in incidents.
	early := l.contact("10.1.0.1", "203.0.113.7", 20*time.Hour)
	reported := l.contact("10.1.0.2", "198.51.100.9", 16*time.Hour)
	l.contact("10.1.0.99", "192.0.2.99", 8*time.Hour)
	l.contact("10.1.0.98", "192.0.2.98", 8*time.Hour)
	l.settle()
	l.seen()
	if m := append(l.matches(early), l.matches(reported)...); len(m) != 0 {
		t.Fatalf("matches before any indicator: %+v", m)
	}
	_, before, _ := l.incidentOf(early)

	asked := filepath.Join(l.data, "retro", "asked.json")
	eventually(t, "the past is asked about what there is", func() bool {
		text, err := os.ReadFile(asked)
		return err == nil && strings.Contains(string(text), "web:")
	}, l.dump)
	was := l.follows(w)
	list := l.file("scanners.txt", "203.0.113.7\n203.0.113.8\n")
	l.command(0, "intel", "import", "--data-dir", l.data, "--feed", "scanners", list)
	imported := time.Now()
	content := l.other(w, was)
	inForce := time.Since(imported)
	live := l.contact("10.1.0.3", "203.0.113.8", 7*time.Hour)
	m := l.awaitMatch(live, false)
	t.Logf("from import: in force after %s, a match in the store after %s", inForce.Round(time.Millisecond), time.Since(imported).Round(time.Millisecond))
	if m.value != "203.0.113.8" || m.feed != "scanners" || m.demoted != "" || m.snapshot != strconv.FormatUint(content, 10) {
		t.Errorf("live match %+v, want one by content %d", m, content)
	}
	if inForce > time.Minute {
		t.Errorf("workers had the import after %s", inForce)
	}

	m = l.awaitMatch(early, true)
	t.Logf("from import: a retro-match in the store after %s", time.Since(imported).Round(time.Millisecond))
	if m.value != "203.0.113.7" || m.feed != "scanners" || m.demoted != "" || m.snapshot != strconv.FormatUint(content, 10) {
		t.Errorf("retro-match %+v, want one by content %d", m, content)
	}
	l.checkRetro(early, live, before)

	// What an analyst allows, for all feeds or as a word of their own, does not count,
	// and the store says why.
	was = l.follows(w)
	out := l.command(0, "intel", "set", "203.0.113.8", "--wish", "allow", "--comment", "our own scanner", "--data-dir", l.data, "--json")
	was = l.other(w, was)
	allowed := l.contact("10.1.0.4", "203.0.113.8", 6*time.Hour)
	l.awaitStored(allowed)
	for _, m := range l.matches(allowed) {
		if m.counts || m.wish != "allow" && !strings.Contains(m.demoted, "analyst") {
			t.Errorf("an allowed value: %+v", m)
		}
	}
	if len(l.matches(allowed)) == 0 {
		t.Error("that an allowed value was met is not told")
	}
	var set struct{ ID string }
	if err := json.Unmarshal([]byte(out), &set); err != nil {
		t.Fatal(err)
	}
	l.command(0, "intel", "unset", set.ID, "--data-dir", l.data)
	was = l.other(w, was)
	l.command(0, "intel", "set", "203.0.113.8", "--feed", "analyst", "--wish", "allow", "--data-dir", l.data)
	was = l.other(w, was)
	allowed = l.contact("10.1.0.5", "203.0.113.8", 6*time.Hour)
	l.awaitStored(allowed)
	demoted := ""
	for _, m := range l.matches(allowed) {
		if m.counts {
			t.Errorf("an allowed value: %+v", m)
		}
		if m.feed == "scanners" {
			demoted = m.demoted
		}
	}
	if !strings.Contains(demoted, "analyst") {
		t.Errorf("a value that an analyst allows is demoted as %q: %+v", demoted, l.matches(allowed))
	}

	// A feed that is gone matches nothing any more.
	l.command(0, "intel", "rm", "scanners", "--data-dir", l.data)
	was = l.other(w, was)
	after := l.contact("10.1.0.6", "203.0.113.7", 5*time.Hour)
	l.awaitStored(after)
	if m := l.matches(after); len(m) != 0 {
		t.Errorf("matches of a removed feed: %+v", m)
	}

	l.command(0, "intel", "import", "--data-dir", l.data, "--feed", "vendor", l.file("report.json", strings.ReplaceAll(stixReport, "YESTERDAY", time.Now().Add(-24*time.Hour).UTC().Format(time.RFC3339))))
	was = l.other(w, was)
	again := l.contact("10.1.0.7", "198.51.100.9", 4*time.Hour)
	l.awaitMatch(again, false)
	l.awaitMatch(reported, true)
	l.checkReport(w)

	// A restart reads what was published, pulls nothing that is not due, and tells
	// nothing of the past twice.
	l.settle()
	l.seen()
	content = l.follows(w)
	retros, events := l.number("SELECT count() FROM matches WHERE retro"), l.number("SELECT count() FROM ledger WHERE verb = 'retro_match'")
	w.stop(t)
	w = l.worker("one", "")
	if got := l.follows(w); got != content {
		t.Errorf("after a restart content %x, before %x", got, content)
	}
	eventually(t, "it says that it opened a snapshot", func() bool { return w.logged("opened a snapshot of the indicators") > 0 }, func() string { return w.tail(40) })
	if w.logged("matching with the local library") != 0 {
		t.Errorf("the index is not of a published snapshot\n%s", w.tail(40))
	}
	last := l.contact("10.1.0.8", "198.51.100.9", 3*time.Hour)
	l.awaitMatch(last, false)
	time.Sleep(8 * time.Second) // the past would be asked after one, the feed be pulled at once
	l.settle()
	if n := l.number("SELECT count() FROM matches WHERE retro"); n != retros {
		t.Errorf("%d retro-matches before the restart, %d after", retros, n)
	}
	if n := l.number("SELECT count() FROM ledger WHERE verb = 'retro_match'"); n != events {
		t.Errorf("%d events of retro-matches before the restart, %d after", events, n)
	}
	if n := pulls.Load(); n != 1 {
		t.Errorf("the feed was pulled %d times, want once", n)
	}
	l.secondWorker(w)
}

// checkRetro: the incident of an alert that was matched afterwards is what that of one
// matched live is, and says why; nothing was disrupted because of it.
func (l *intelLab) checkRetro(early, live, before string) {
	l.t.Helper()
	if before == "promoted" {
		l.t.Errorf("the incident was promoted before the indicator came")
	}
	var id, disposition, severity, wantDisposition, wantSeverity string
	same := func() bool {
		id, disposition, severity = l.incidentOf(early)
		_, wantDisposition, wantSeverity = l.incidentOf(live)
		return id != "" && disposition == wantDisposition && severity == wantSeverity && disposition == "promoted"
	}
	eventually(l.t, "both incidents are promoted", same, func() string {
		return fmt.Sprintf("retro: %s %s %s, live: %s %s\n%s", id, disposition, severity, wantDisposition, wantSeverity, l.dump())
	})
	var events [][]string
	eventually(l.t, "the incident tells of the retro-match", func() bool {
		events = l.query("SELECT actor, after, cause FROM ledger WHERE verb = 'retro_match' AND incident_id = '" + id + "'")
		return len(events) == 1 && events[0][0] == "scanners" && events[0][1] == "ip:203.0.113.7"
	}, func() string {
		return fmt.Sprint(id, events, l.query("SELECT * FROM ledger WHERE verb = 'retro_match'"))
	})
	if n := l.number("SELECT count() FROM decisions WHERE incident_id = '" + id + "'"); n != 0 {
		l.t.Errorf("%d decisions on the incident of a retro-match", n)
	}
}

// stixReport is a report with the indicator it is about. One of an address that is old
// does not match.
const stixReport = `{"type":"bundle","id":"bundle--5d0092c5-5f74-4287-9642-33f4c354e56d","objects":[
{"type":"indicator","spec_version":"2.1","id":"indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"YESTERDAY","modified":"YESTERDAY",
 "name":"c2","pattern":"[ipv4-addr:value = '198.51.100.9']","pattern_type":"stix","valid_from":"YESTERDAY","indicator_types":["malicious-activity"],"confidence":90},
{"type":"report","spec_version":"2.1","id":"report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3","created":"YESTERDAY","modified":"YESTERDAY",
 "name":"Bad Example","published":"YESTERDAY","report_types":["campaign"],"object_refs":["indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"]}]}`

// checkReport asks for a report by the store and by the commands.
func (l *intelLab) checkReport(w *process) {
	l.t.Helper()
	const id = "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3"
	l.settle()
	r, err := l.store.ThreatReport(l.t.Context(), "acme", id)
	if err != nil {
		l.t.Fatal(err)
	}
	if r.Name != "Bad Example" || r.Alerts != 2 || r.RetroAlerts != 1 || r.Incidents != 2 || len(r.Incident) != 2 || r.Indicators != 1 || len(r.Matched) != 1 || r.Hosts != 2 || len(r.Impacted) != 2 {
		l.t.Errorf("report %+v", r)
	}
	config := l.config("one")
	text := l.command(0, "intel", "report", id, "-c", config)
	wantLine(l.t, text, "report Bad Example")
	wantLine(l.t, text, "found: 2 alerts (1 of them afterwards), 2 incidents")
	wantLine(l.t, text, "matched", "ip:198.51.100.9", "feed vendor")
	for _, i := range r.Impacted {
		wantLine(l.t, text, "impacted", i.String())
	}
	text = l.command(0, "intel", "list", "-c", config)
	wantLine(l.t, text, "vendor ", " 2 ")
	wantLine(l.t, text, "web ", "ok")
	// A follower may have read what the publisher has not yet heard is in the log.
	eventually(l.t, "the publisher tells of all indicators", func() bool { return w.intel().Manager.Publisher.Indicators == 3 }, l.dump)
	text = l.command(0, "status", "-c", config, "--admin", w.adminAddr())
	wantLine(l.t, text, "indicators following", "3 in force")
	wantLine(l.t, text, "intel", "managing", "3 indicators published")
	wantLine(l.t, text, "feeds", "0 silent, 0 failing")
}

// secondWorker: a worker with a data folder of its own comes to the same index.
func (l *intelLab) secondWorker(first *process) {
	l.t.Helper()
	l.folder("other")
	l.set["intel"].(map[string]any)["snapshots"] = map[string]any{"dir": filepath.Join(l.data, "snapshots")}
	second := l.worker("two", "", "detect")
	want, got := l.follows(first), l.follows(second)
	if want != got {
		l.t.Errorf("two workers have contents %x and %x", want, got)
	}
	l.command(0, "intel", "import", "--data-dir", l.data, "--feed", "more", l.file("more.txt", "192.0.2.66\n192.0.2.67\n"))
	if want, got = l.other(first, want), l.other(second, got); want != got {
		l.t.Errorf("after an import two workers have contents %x and %x", want, got)
	}
	var st intelStatus
	eventually(l.t, "a worker follows and manages nothing", func() bool {
		st = second.intel()
		return st.Follower.State == distribute.StateFollowing && st.Manager.State == ""
	}, func() string { return fmt.Sprintf("%+v", st) })
	second.stop(l.t)
	first.stop(l.t)
}
