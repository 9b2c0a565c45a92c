package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestIntelWithdrawn imports a wrong indicator into a running deployment, which promotes
// the incident of an alert that comes and that of one that has passed, and takes it back:
// the store, the incidents and the commands say that nothing speaks against them any more,
// and again that something does when the analyst changes their mind.
func TestIntelWithdrawn(t *testing.T) {
	t.Parallel()
	l := newIntelLab(t, 0, nil)
	w := l.worker("one", "")
	early := l.contact("10.1.0.1", "203.0.113.7", 20*time.Hour)
	l.contact("10.1.0.99", "192.0.2.99", 8*time.Hour)
	l.contact("10.1.0.98", "192.0.2.98", 8*time.Hour)
	l.settle()
	l.seen()
	was := l.follows(w)
	l.command(0, "intel", "import", "--data-dir", l.data, "--feed", "event", l.file("event.txt", "203.0.113.7\n203.0.113.8\n"))
	was = l.other(w, was)
	live := l.contact("10.1.0.2", "203.0.113.7", 7*time.Hour)
	right := l.contact("10.1.0.3", "203.0.113.8", 7*time.Hour)
	for title, retro := range map[string]bool{early: true, live: false, right: false} {
		if m := l.awaitMatch(title, retro); !m.counts || m.feed != "event" {
			t.Fatalf("%s: %+v", title, m)
		}
		eventually(t, "the incident of "+title+" is promoted", func() bool { _, d, _ := l.incidentOf(title); return d == "promoted" }, l.dump)
	}

	config := l.config("one")
	l.command(0, "intel", "set", "203.0.113.7", "--wish", "allow", "--comment", "our own proxy", "--data-dir", l.data)
	was = l.other(w, was)
	for _, title := range []string{early, live} {
		l.awaitWorth(title, "false,malicious,allowed by feed analyst,true")
		id := l.awaitEvents(title, map[string]int{"match_withdrawn": 1, "match_reinstated": 0})
		rows := l.query("SELECT actor, after, cause FROM ledger FINAL WHERE verb = 'match_withdrawn' AND incident_id = '" + id + "'")
		if got := strings.Join(rows[0], "|"); got != "analyst|ip:203.0.113.7|allowed by feed analyst; feed event called it malicious by ip 203.0.113.7" {
			t.Errorf("event %q", got)
		}
		if _, d, _ := l.incidentOf(title); d != "promoted" {
			t.Errorf("the incident of %s is %s", title, d)
		}
		text := l.command(0, "incident", "explain", "-c", config, "--tenant", "acme", id)
		wantLine(t, text, "indicator 203.0.113.7 of feed event: malicious, withdrawn ", ": allowed by feed analyst")
		wantLine(t, text, "every indicator that counted was taken back; it stays promoted")
	}
	l.awaitWorth(right, "true,malicious,,false")
	withdrawn := func() (titles []string) {
		text := l.command(0, "incident", "list", "-c", config, "--tenant", "acme", "--withdrawn")
		for _, title := range []string{early, live, right} {
			id, _, _ := l.incidentOf(title)
			parsed, err := schema.ParseIncidentID(id)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, parsed.Number()) {
				titles = append(titles, title)
			}
		}
		return titles
	}
	if got := withdrawn(); len(got) != 2 || got[0] != early || got[1] != live {
		t.Errorf("incidents without an indicator that counts: %q", got)
	}
	sql, err := os.ReadFile("../../docs/queries/12_feed_value.sql")
	if err != nil {
		t.Fatal(err)
	}
	table, err := l.store.Query(t.Context(), string(sql), map[string]string{"tenant": "acme", "since": "2000-01-01 00:00:00.000"})
	if err != nil {
		t.Fatal(err)
	}
	if got := columns(table, 0, "feed", "counting", "withdrawn", "in_promoted", "proved_false"); got != "event 1 2 0 2" {
		t.Errorf("the feed is worth %q", got)
	}
	wantLine(t, l.command(0, "status", "-c", config, "--admin", w.adminAddr()), "  retro ", "asked about all changes until", " withdrawn, ", " 0 given up")

	l.command(0, "intel", "unset", "203.0.113.7", "--data-dir", l.data)
	l.other(w, was)
	for _, title := range []string{early, live} {
		l.awaitWorth(title, "true,malicious,,false")
		l.awaitEvents(title, map[string]int{"match_withdrawn": 1, "match_reinstated": 1})
	}
	if got := withdrawn(); len(got) != 0 {
		t.Errorf("incidents without an indicator that counts: %q", got)
	}
	w.stop(t)
}

// awaitWorth waits until the match of an alert with the wrong feed is worth so much:
// whether it counts, its verdict, why not, and whether it was taken back.
func (l *intelLab) awaitWorth(title, want string) {
	l.t.Helper()
	got := ""
	eventually(l.t, title+" has a match that is "+want, func() bool {
		rows := l.query("SELECT toString(counts), verdict, demoted, toString(withdrawn != toDateTime64(0, 3, 'UTC')) FROM matches FINAL WHERE feed = 'event' AND alert_id IN " +
			"(SELECT alert_id FROM alerts WHERE title = '" + title + "')")
		if len(rows) != 1 {
			return false
		}
		rows[0][0], rows[0][3] = truth(rows[0][0]), truth(rows[0][3])
		got = strings.Join(rows[0], ",")
		return got == want
	}, func() string { return got + "\n" + l.dump() })
}

// truth reads a Bool or UInt8.
func truth(s string) string { return fmt.Sprint(s == "1" || s == "true") }

// awaitEvents waits until the ledger of an alert's incident has so many of each verb, and
// gives the incident's id.
func (l *intelLab) awaitEvents(title string, want map[string]int) (id string) {
	l.t.Helper()
	var got map[string]int
	eventually(l.t, fmt.Sprintf("the incident of %s has events %v", title, want), func() bool {
		if id, _, _ = l.incidentOf(title); id == "" {
			return false
		}
		same := true
		got = map[string]int{}
		for verb, n := range want {
			got[verb] = int(l.number("SELECT count() FROM ledger FINAL WHERE verb = '" + verb + "' AND incident_id = '" + id + "'"))
			same = same && got[verb] == n
		}
		return same
	}, func() string { return fmt.Sprint(id, got, l.query("SELECT * FROM ledger FINAL")) })
	return id
}

// columns gives some columns of a row.
func columns(t *clickhouse.Table, row int, names ...string) string {
	if row >= len(t.Rows) {
		return ""
	}
	var list []string
	for _, n := range names {
		for i, c := range t.Columns {
			if c == n {
				list = append(list, t.Rows[row][i])
			}
		}
	}
	return strings.Join(list, " ")
}
