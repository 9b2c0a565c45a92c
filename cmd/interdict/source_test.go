package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

func TestSourceAdd(t *testing.T) {
	const entry = "{id: new, tenant: acme, topic: acme.new}"
	for name, x := range map[string]struct{ before, after string }{
		"no list":     {"# mine\nembedded: true", "# mine\nembedded: true\nsources:\n  - " + entry + "\n"},
		"empty value": {"sources: # none yet\nembedded: true # so\n", "sources: # none yet\n  - " + entry + "\nembedded: true # so\n"},
		"empty list":  {"sources: [] # none\nembedded: true\n", "sources: # none\n  - " + entry + "\nembedded: true\n"},
		"flow entries": {"sources:\n  # edr\n  - {id: edr, tenant: acme, topic: acme.edr} # first\n\n# then\nembedded: true\n",
			"sources:\n  # edr\n  - {id: edr, tenant: acme, topic: acme.edr} # first\n  - " + entry + "\n\n# then\nembedded: true\n"},
		"block entries": {"sources:\n- id: edr\n  tenant: acme\n  topic: acme.edr\n  formats: [csv]  # rows\n\nembedded:   true\n",
			"sources:\n- id: edr\n  tenant: acme\n  topic: acme.edr\n  formats: [csv]  # rows\n- id: new\n  tenant: acme\n  topic: acme.new\n\nembedded:   true\n"},
		"last in the file": {"embedded: true\nsources:\n    - {id: edr, tenant: acme,\n       topic: acme.edr}",
			"embedded: true\nsources:\n    - {id: edr, tenant: acme,\n       topic: acme.edr}\n    - " + entry + "\n"},
		"flow list": {"# top\nsources: [{id: edr, tenant: acme, topic: acme.edr}] # all\nembedded: true\n",
			"# top\nsources: [{id: edr, tenant: acme, topic: acme.edr}, " + entry + "] # all\nembedded: true\n"},
		"windows line ends": {"embedded: true\r\nsources:\r\n  - {id: edr, tenant: acme, topic: acme.edr}\r\n",
			"embedded: true\r\nsources:\r\n  - {id: edr, tenant: acme, topic: acme.edr}\r\n  - " + entry + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "interdict.yaml", x.before)
			r := do(t, "", "source", "add", "new", "--tenant", "acme", "--topic", "acme.new", "-c", path)
			if r.code != exitDone {
				t.Fatalf("exit %d: %s", r.code, r.err)
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != x.after {
				t.Errorf("got\n%s\nwant\n%s", got, x.after)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the mode has changed: %v %v", info.Mode(), err)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// TestAddSourceToNothing begins with files that say nothing yet.
func TestAddSourceToNothing(t *testing.T) {
	for before, after := range map[string]string{"": "", "# mine\n": "# mine\n", "---\n": "---\n", "{}": "", "null\n": ""} {
		got, err := addSource([]byte(before), settings.Source{ID: "new", Tenant: "acme", Topic: "acme.new"})
		if want := after + "sources:\n  - {id: new, tenant: acme, topic: acme.new}\n"; after+before != "" && after == "" {
			if err == nil && !strings.Contains(string(got), "acme.new") {
				t.Errorf("%q: %s", before, got)
			}
		} else if err != nil || string(got) != want {
			t.Errorf("%q: %v\n%s", before, err, got)
		}
	}
	for _, bad := range []string{"- a\n", "sources: edr\n", "a: [", "sources: {a: 1}\n"} {
		if got, err := addSource([]byte(bad), settings.Source{ID: "new", Tenant: "acme", Topic: "acme.new"}); err == nil {
			t.Errorf("%q: taken:\n%s", bad, got)
		}
	}
}

func TestSourceAddWritesEverySetting(t *testing.T) {
	real := write(t, "interdict.yaml", "embedded: true\n")
	path := filepath.Join(t.TempDir(), "link.yaml")
	if err := os.Symlink(real, path); err != nil {
		t.Fatal(err)
	}
	args := []string{"source", "add", "edr", "--tenant", "acme", "--topic", "acme.edr", "--format", "falco", "--format", "csv", "--attest", "host",
		"--attest", "ip:sensor", "--silence", "90m", "--zone", "Europe/Berlin", "--create", "3", "-c", path}
	if r := do(t, "", append(args, "--dry-run")...); r.code != exitDone || !strings.Contains(r.out, "silence: 1h30m") {
		t.Errorf("dry run: exit %d: %s%s", r.code, r.out, r.err)
	}
	if text, err := os.ReadFile(real); err != nil || string(text) != "embedded: true\n" {
		t.Errorf("a dry run has written: %v %s", err, text)
	}
	if r := do(t, "", args...); r.code != exitDone {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	cfg, err := settings.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := settings.Source{ID: "edr", Tenant: "acme", Topic: "acme.edr", Formats: []string{"falco", "csv"}, Attests: []string{"host", "ip:sensor"},
		Zone: "Europe/Berlin", Silence: 90 * time.Minute, Create: 3}
	if len(cfg.Sources) != 1 || fmt.Sprint(cfg.Sources[0]) != fmt.Sprint(want) {
		t.Errorf("%+v", cfg.Sources)
	}
	r := do(t, "", "source", "list", "-c", path, "--json")
	var all []listedSource
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != 1 || all[0].Silence != "1h30m" || all[0].Topic != "acme.edr" {
		t.Errorf("list: %v %s", err, r.out)
	}
	contains(t, "list", do(t, "", "source", "list", "-c", path).out, "edr", "falco,csv", "attests host,ip:sensor", "silence 1h30m, zone Europe/Berlin")
}

func TestSourceAddRefuses(t *testing.T) {
	const before = "embedded: true\nsources:\n  - {id: edr, tenant: acme, topic: acme.edr}\n"
	path := write(t, "interdict.yaml", before)
	f := func(want string, args ...string) {
		t.Helper()
		r := do(t, "", append([]string{"source", "add", "-c", path}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.err, want) {
			t.Errorf("%v: exit %d, want %q: %s%s", args, r.code, want, r.out, r.err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != before {
			t.Errorf("%v: the file has changed: %v\n%s", args, err, text)
		}
	}
	f("has a source edr already", "edr", "--tenant", "acme", "--topic", "acme.other")
	f("belongs to the source edr", "other", "--tenant", "globex", "--topic", "acme.edr")
	f(path+`:4:6: sources[1]: format "nonsense" is not known`, "new", "--tenant", "acme", "--topic", "acme.new", "--format", "nonsense")
	f("attests", "new", "--tenant", "acme", "--topic", "acme.new", "--attest", "nonsense")
	f("zone", "new", "--tenant", "acme", "--topic", "acme.new", "--zone", "Nowhere/Land")
	f("negative", "new", "--tenant", "acme", "--topic", "acme.new", "--silence=-1h")
	f("missing flags", "new", "--tenant", "acme")
	if r := do(t, "", "source", "add", "new", "--tenant", "acme", "--topic", "x"); r.code != exitUsage || !strings.Contains(r.err, "-c") {
		t.Errorf("without a file: exit %d: %s", r.code, r.err)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s", 20 * time.Minute: "20m", 0: "0s",
		time.Hour + time.Second: "1h0m1s", 100 * time.Hour: "100h", 500 * time.Millisecond: "1s"} {
		if got := span(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
		if _, err := time.ParseDuration(span(d)); err != nil {
			t.Error(err)
		}
	}
}

func flow(s string) string {
	return strings.Replace(s, `"event_type":"alert"`, `"event_type":"flow"`, 1)
}

func TestSourceTestOfFiles(t *testing.T) {
	config := write(t, "interdict.yaml", "sources:\n  - {id: ids, tenant: acme, topic: acme.ids, formats: [suricata_eve]}\n  - {id: any, tenant: acme, topic: acme.any}\n")
	trial := func(code int, stdin, name string) (x sourceTrial) {
		t.Helper()
		r := do(t, stdin, "source", "test", "-c", config, "--json", name, "-")
		if r.code != code {
			t.Errorf("exit %d, want %d: %s%s", r.code, code, r.out, r.err)
		}
		if err := json.Unmarshal([]byte(r.out), &x); err != nil {
			t.Fatalf("%v: %s%s", err, r.out, r.err)
		}
		return x
	}
	x := trial(exitDone, eve+"\n"+flow(eve)+"\n", "ids")
	if x.Verdict != "good" || x.Records != 2 || x.Accepted != 1 || x.Ignored != 1 || x.Formats["suricata_eve"].Alerts != 1 || x.Without != (trialGaps{ID: 1}) {
		t.Errorf("%+v", x)
	}
	x = trial(exitFailed, eve+"\n"+acmeSamples+"{broken\n", "ids")
	if x.Verdict != "bad" || x.Rejected != 3 || x.Reasons["unknown_format"].Documents != 2 || len(x.Reasons["invalid_json"].Examples) != 1 {
		t.Errorf("%+v", x)
	}
	x = trial(exitDone, eve+"\n", "any")
	if x.Verdict != "look" || !strings.Contains(strings.Join(x.Remarks, ""), "formats: [suricata_eve]") {
		t.Errorf("%+v", x)
	}
	if x = trial(exitDone, flow(eve), "ids"); x.Verdict != "look" {
		t.Errorf("%+v", x)
	}
	r := do(t, eve+"\n{broken\n", "source", "test", "-c", config, "ids", "-")
	contains(t, "text", r.out, "accepted          1  50.0 %", "invalid_json", "-/0/2 document 1", "verdict: bad")
	for _, args := range [][]string{{"nobody", "-"}, {"ids", "--last", "0", "-"}, {"ids"}} {
		if r := do(t, "", append([]string{"source", "test", "-c", config}, args...)...); r.code != exitUsage {
			t.Errorf("%v: exit %d: %s%s", args, r.code, r.out, r.err)
		}
	}
}

// broker starts the embedded broker with two raw topics and gives a configuration
// that points at it.
func broker(t *testing.T, sources string) (config string, cfg kafka.Config) {
	t.Helper()
	b, err := kafka.StartBroker(t.Context(), kafka.BrokerConfig{Partitions: 2, PartitionBytes: 1 << 20, Raw: []kafka.RawTopic{{Name: "acme.ids", Partitions: 2}, {Name: "acme.mail"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	cfg = b.Adapt(kafka.DefaultConfig())
	config = write(t, "interdict.yaml", fmt.Sprintf("embedded: true\nkafka:\n  brokers: [%q]\n  partitions: 2\nsources:\n%s", cfg.Brokers[0], sources))
	return config, cfg
}

func TestSourceTestOfTopic(t *testing.T) {
	config, cfg := broker(t, "  - {id: ids, tenant: acme, topic: acme.ids, formats: [suricata_eve]}\n  - {id: mail, tenant: acme, topic: acme.mail}\n  - {id: gone, tenant: acme, topic: acme.gone}\n")
	p, err := kafka.NewProducer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	start := schema.FromTime(time.Now()) - schema.Hour
	for i := range 30 {
		value := eve
		if i < 20 { // those before the last ten
			value = "{broken"
		}
		p.Send(t.Context(), "acme.ids", fmt.Append(nil, i), []byte(value), start+schema.Millis(i)*schema.Second)
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := do(t, "", "source", "test", "-c", config, "ids", "--last", "10", "--json")
	var x sourceTrial
	if err := json.Unmarshal([]byte(r.out), &x); err != nil {
		t.Fatalf("%v: %s%s", err, r.out, r.err)
	}
	if r.code != exitDone || x.Records != 10 || x.Accepted != 10 || x.Verdict != "good" || x.Newest != start+29*schema.Second {
		t.Errorf("exit %d: %+v", r.code, x)
	}
	if r = do(t, "", "source", "test", "-c", config, "ids"); r.code != exitFailed {
		t.Errorf("all of them: exit %d", r.code)
	}
	contains(t, "all of them", r.out, "records           30", "invalid_json           20", "verdict: bad")
	if r = do(t, "", "source", "test", "-c", config, "mail"); r.code != exitFailed {
		t.Errorf("an empty topic: exit %d", r.code)
	}
	contains(t, "an empty topic", r.out, "there are no records", "verdict: bad")
	if r = do(t, "", "source", "test", "-c", config, "gone"); r.code != exitFailed || !strings.Contains(r.err, "acme.gone") {
		t.Errorf("no topic: exit %d: %s", r.code, r.err)
	}
}

// memory is what a store says of sources.
type memory struct {
	health    []clickhouse.SourceHealth
	hour, day map[string]clickhouse.SourceActivity
	now       schema.Millis
}

func (m memory) SourceHealth(context.Context, string) ([]clickhouse.SourceHealth, error) {
	return m.health, nil
}

func (m memory) SourceActivity(_ context.Context, _ string, since schema.Millis) (map[string]clickhouse.SourceActivity, error) {
	if since == m.now-schema.Hour {
		return m.hour, nil
	}
	return m.day, nil
}

func TestSourceStatus(t *testing.T) {
	config, kcfg := broker(t, `  - {id: ids, tenant: acme, topic: acme.ids, silence: 1h}
  - {id: mail, tenant: acme, topic: acme.mail, silence: 30m}
  - {id: vpn, tenant: acme, topic: acme.vpn}
  - {id: dns, tenant: acme, topic: acme.dns, silence: 1h}
`)
	cfg, err := settings.Load(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Kafka.Brokers = kcfg.Brokers
	now := time.UnixMilli(1772445600000)
	at := schema.FromTime(now)
	st := memory{now: at, health: []clickhouse.SourceHealth{
		{Source: "ids", Topic: "acme.ids", LastRecord: at - 5*schema.Minute},
		{Source: "ids", Topic: "acme.former", LastRecord: at},
		{Source: "mail", Topic: "acme.mail", LastRecord: at - 2*schema.Hour},
	}, hour: map[string]clickhouse.SourceActivity{
		"ids": {SourceStats: schema.SourceStats{Records: 100, Accepted: 60, Ignored: 30, Rejected: 10}, Reasons: map[string]uint64{"unknown_format": 7, "invalid_json": 3}},
	}, day: map[string]clickhouse.SourceActivity{
		"ids": {SourceStats: schema.SourceStats{Records: 1000, Accepted: 960, Ignored: 30, Rejected: 10}},
	}}
	status := func(want error, c sourceStatusCmd) string {
		t.Helper()
		var out strings.Builder
		if err := c.run(t.Context(), &out, cfg, st, now); err != want {
			t.Errorf("%+v: %v, want %v", c, err, want)
		}
		return out.String()
	}
	got := status(quietError(exitFailed), sourceStatusCmd{})
	const want = `acme/ids  topic acme.ids
  last record  2026-03-02T09:55:00.000Z, 5m ago (silence: at most 1h)
  last hour    100 documents: 60 accepted, 30 not an alert, 10 rejected (10.0 %): unknown_format 7, invalid_json 3
  last day     1000 documents: 960 accepted, 30 not an alert, 10 rejected (1.0 %)
  lag          not known
acme/mail  topic acme.mail
  ALARM: silent for 2h, expected at most 30m
  last record  2026-03-02T08:00:00.000Z, 2h ago (silence: at most 30m)
  last hour    0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  last day     0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  lag          not known
acme/vpn  topic acme.vpn
  last record  never heard (silence: not watched)
  last hour    0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  last day     0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  lag          not known
acme/dns  topic acme.dns
  ALARM: never heard
  last record  never heard (silence: at most 1h)
  last hour    0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  last day     0 documents: 0 accepted, 0 not an alert, 0 rejected (0.0 %)
  lag          not known
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	status(nil, sourceStatusCmd{Name: "ids"})
	status(nil, sourceStatusCmd{Name: "vpn"})
	if out := status(quietError(exitFailed), sourceStatusCmd{Name: "ids", Rejects: 5}); !strings.Contains(out, "ALARM: 10.0 % of the last hour's documents rejected, more than 5 %") {
		t.Error(out)
	}
	var all sourcesStatus
	if err := json.Unmarshal([]byte(status(quietError(exitFailed), sourceStatusCmd{Name: "mail", JSON: true})), &all); err != nil || len(all.Sources) != 1 ||
		all.Sources[0].State != "silent" || all.Sources[0].SilentSec != 7200 || len(all.Sources[0].Alarms) != 1 {
		t.Errorf("%v: %+v", err, all)
	}
	if err := (&sourceStatusCmd{Name: "nobody"}).run(t.Context(), &strings.Builder{}, cfg, st, now); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a source that is not there: %v", err)
	}
}
