package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel"
	"github.com/interdict/interdict/intel/distribute"
	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
)

// intelLab is a lab whose deployment has threat intelligence.
type intelLab struct {
	*lab
	data string // the manager's data folder
	sent uint32
}

// newIntelLab makes one. settings are those of the section intel; session as in labConfig.
func newIntelLab(t *testing.T, session time.Duration, settings map[string]any) *intelLab {
	t.Helper()
	set := map[string]any{"retro_after": "1s"}
	for k, v := range settings {
		set[k] = v
	}
	l := newLab(t, labConfig{feeds: []string{"ids"}, session: session, settings: map[string]any{"intel": set}})
	return &intelLab{lab: l, data: filepath.Join(l.dir, "data")}
}

// folder gives a process's configuration a data folder of its own.
func (l *intelLab) folder(name string) string {
	dir := filepath.Join(l.dir, name)
	l.set["data_dir"] = dir
	return dir
}

// contact sends an alert of a connection between two addresses so long ago, on a host of
// its own, and gives its title.
func (l *intelLab) contact(from, to string, ago time.Duration) string {
	l.t.Helper()
	l.sent++
	title := fmt.Sprintf("Contact %d", l.sent)
	at := schema.FromTime(time.Now().Add(-ago))
	s := l.source("acme", "ids")
	value := fmt.Appendf(nil, `{"class_uid":2004,"category_uid":2,"activity_id":1,"type_uid":200401,"severity_id":2,"time":%d,"metadata":{"version":"1.3.0","uid":"f-%d",`+
		`"product":{"name":"Sensor","vendor_name":"Acme"}},"finding_info":{"uid":"f-%d","title":"%s"},"device":{"hostname":"pc-%d.acme.example","type_id":2},`+
		`"evidences":[{"src_endpoint":{"ip":"%s"},"dst_endpoint":{"ip":"%s"}}]}`, at, l.sent, l.sent, title, l.sent, from, to)
	l.produce([]message{{s, int32(l.sent % 2), value, at}})
	return title
}

// found is what the store has of the matches of an alert.
type found struct {
	value, feed, wish, demoted string
	retro, counts              bool
	snapshot                   string
}

// matches gives those of the alert of a title.
func (l *intelLab) matches(title string) (list []found) {
	l.t.Helper()
	for _, r := range l.query("SELECT value, feed, wish, demoted, retro, counts, snapshot FROM matches WHERE alert_id IN (SELECT alert_id FROM alerts WHERE title = '" + title +
		"') ORDER BY value, feed, retro, demoted") {
		list = append(list, found{r[0], r[1], r[2], r[3], r[4] == "true", r[5] == "true" || r[5] == "1", r[6]})
	}
	return list
}

// stored reports whether the store has the alert of a title.
func (l *intelLab) stored(title string) bool {
	return l.number("SELECT count() FROM alerts WHERE title = '"+title+"'") > 0
}

// incidentOf gives what the store has of the incident of the alert of a title.
func (l *intelLab) incidentOf(title string) (id, disposition, severity string) {
	l.t.Helper()
	rows := l.query("SELECT incident_id, disposition, severity FROM incidents FINAL WHERE incident_id IN (SELECT incident_id FROM incident_members FINAL WHERE alert_id IN " +
		"(SELECT alert_id FROM alerts WHERE title = '" + title + "'))")
	if len(rows) != 1 {
		return "", "", ""
	}
	return rows[0][0], rows[0][1], rows[0][2]
}

// command runs the program to its end and gives what it printed; code is what it must
// end with.
func (l *intelLab) command(code int, args ...string) string {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run() // the code tells
	if got := cmd.ProcessState.ExitCode(); got != code {
		l.t.Fatalf("%v: exit %d, want %d\n%s%s", args, got, code, out.String(), errs.String())
	}
	return out.String()
}

// file writes a file into the lab's folder.
func (l *intelLab) file(name, text string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
	return path
}

// intelStatus is the part of /status that is about threat intelligence.
type intelStatus struct {
	Follower distribute.FollowerStatus `json:"follower"`
	Manager  intel.ManagerStatus       `json:"manager"`
}

// intel asks a process how its indicators are; zero while it does not answer.
func (p *process) intel() (st intelStatus) {
	var all struct {
		Intel intelStatus `json:"intel"`
	}
	if resp := p.get("/status"); resp != nil {
		defer resp.Body.Close()
		if json.NewDecoder(resp.Body).Decode(&all) != nil {
			return intelStatus{}
		}
	}
	return all.Intel
}

// get asks the admin port; nil while there is none.
func (p *process) get(path string) *http.Response {
	p.mu.Lock()
	admin := p.admin
	p.mu.Unlock()
	if admin == "" || p.ended() != "" {
		return nil
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(admin + path)
	if err != nil {
		return nil
	}
	return resp
}

// adminAddr gives the host and port of the admin port.
func (p *process) adminAddr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.TrimPrefix(p.admin, "http://")
}

// follows waits until a process follows what a manager publishes, and gives the
// content of its index.
func (l *intelLab) follows(p *process) uint64 {
	l.t.Helper()
	var st intelStatus
	eventually(l.t, p.name+" follows", func() bool {
		st = p.intel()
		if e := p.ended(); e != "" {
			l.t.Fatalf("%s ended: %s\n%s", p.name, e, p.tail(60))
		}
		return st.Follower.State == distribute.StateFollowing && st.Follower.Behind == 0
	}, func() string { return fmt.Sprintf("%+v\n%s", st, p.tail(60)) })
	return uint64(st.Follower.Content)
}

// other waits until a process has another index than one of a content.
func (l *intelLab) other(p *process, than uint64) uint64 {
	l.t.Helper()
	var st intelStatus
	eventually(l.t, p.name+" has another index", func() bool {
		st = p.intel()
		return st.Follower.State == distribute.StateFollowing && st.Follower.Content != distribute.ContentID(than)
	}, func() string { return fmt.Sprintf("%+v\n%s", st, p.tail(60)) })
	return uint64(st.Follower.Content)
}

// seen waits until what retro-match remembers is all that is on the alerts log.
func (l *intelLab) seen() {
	l.t.Helper()
	l.pass("seen", []string{pipeline.TopicAlerts.Name(l.kafka.Prefix)})
}

// awaitMatch waits for a match of an alert.
func (l *intelLab) awaitMatch(title string, retro bool) found {
	l.t.Helper()
	var m []found
	eventually(l.t, fmt.Sprintf("%s has a match, retro %t", title, retro), func() bool {
		m = l.matches(title)
		return len(m) > 0
	}, l.dump)
	if len(m) != 1 || m[0].retro != retro {
		l.t.Fatalf("%s: matches %+v, want one, retro %t", title, m, retro)
	}
	return m[0]
}

// awaitStored waits until an alert is in the store, and with it the rest of its range:
// the tables of a range are written one after another.
func (l *intelLab) awaitStored(title string) {
	l.t.Helper()
	eventually(l.t, title+" is stored", func() bool { return l.stored(title) }, l.dump)
	l.settle()
}

// wantLine fails the test unless a line of a text has all the parts.
func wantLine(t *testing.T, text string, parts ...string) {
	t.Helper()
	for line := range strings.Lines(text) {
		all := true
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			return
		}
	}
	t.Errorf("no line with %q in\n%s", parts, text)
}
