package main

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/pipeline/kafka"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/chdb"
	"github.com/interdict/interdict/store/clickhouse"
)

// engine starts the embedded ClickHouse and gives a migrated store in it.
func engine(t *testing.T) (dsn string, st *clickhouse.Store) {
	t.Helper()
	cfg := chdb.DefaultConfig()
	cfg.DataDir, cfg.MaxMemory = t.TempDir(), 2<<30
	cfg.Command, cfg.Env = []string{os.Args[0]}, []string{engineEnv + "=1"}
	e, err := chdb.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	ccfg := clickhouse.DefaultConfig()
	ccfg.DSN = e.DSN()
	if st, err = clickhouse.Open(t.Context(), ccfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return e.DSN(), st
}

// TestSourceStatusOfDeployment asks a store and a broker, as a timer would: hop 1
// runs, one source speaks, one has fallen silent.
func TestSourceStatusOfDeployment(t *testing.T) {
	dsn, st := engine(t)
	config, kcfg := broker(t, `  - {id: ids, tenant: acme, topic: acme.ids, formats: [suricata_eve], silence: 1h}
  - {id: mail, tenant: acme, topic: acme.mail, silence: 30m}
`)
	edit(t, config, "sources:", "data_dir: "+t.TempDir()+"\nclickhouse:\n  dsn: "+dsn+"\nsources:")
	ask := func(code int, args ...string) (x sourcesStatus) {
		t.Helper()
		r := do(t, "", append([]string{"source", "status", "-c", config, "--json"}, args...)...)
		if r.code != code {
			t.Errorf("%v: exit %d, want %d: %s%s", args, r.code, code, r.out, r.err)
		}
		if err := json.Unmarshal([]byte(r.out), &x); err != nil {
			t.Fatalf("%v: %s%s", err, r.out, r.err)
		}
		return x
	}
	if x := ask(exitFailed); len(x.Sources) != 2 || x.Sources[0].State != "never heard" || x.Sources[0].Lag != -1 || len(x.Errors) > 0 {
		t.Errorf("before anything: %+v", x)
	}

	now := schema.FromTime(time.Now())
	var in persist.Input
	in.Kind, in.Topic, in.Token = persist.KindAlerts, "interdict.alerts", "t/0/0-1"
	for i, w := range []schema.Watermark{
		{Tenant: "acme", Source: "ids", Topic: "acme.ids", Partitions: 1, Now: now - 5*schema.Minute, Stats: schema.SourceStats{Records: 10, Accepted: 8, Rejected: 2}},
		{Tenant: "acme", Source: "mail", Topic: "acme.mail", Partitions: 1, Now: now - 2*schema.Hour, Stats: schema.SourceStats{Records: 4, Ignored: 4}},
	} {
		in.Records = append(in.Records, persist.Record{Offset: int64(i), Time: now, Value: schema.AppendWatermarkEntry(nil, &w)})
		in.Hi = int64(i)
	}
	if _, err := persist.New(st, persist.DefaultConfig()).Insert(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	detect(t, config, kcfg)

	x := ask(exitFailed)
	ids, mail := x.Sources[0], x.Sources[1]
	if ids.State != "ok" || len(ids.Alarms) > 0 || ids.Hour.Documents != 10 || ids.Hour.RejectRate != 0.2 || ids.SilentSec < 300 || ids.SilentSec > 301+int64(time.Since(now.Time()).Seconds()) || ids.Lag != 0 {
		t.Errorf("ids: %+v", ids)
	}
	if mail.State != "silent" || len(mail.Alarms) != 1 || mail.Hour.Documents != 0 || mail.Day.Ignored != 4 || mail.Lag != -1 {
		t.Errorf("mail: %+v", mail)
	}
	ask(exitDone, "ids")
	ask(exitFailed, "ids", "--rejects", "10")
	if r := do(t, "", "source", "status", "-c", config, "mail"); r.code != exitFailed || !strings.Contains(r.out, "ALARM: silent for 2h") {
		t.Errorf("text: exit %d: %s%s", r.code, r.out, r.err)
	}
}

// detect runs hop 1 until it has read one record of acme.ids.
func detect(t *testing.T, config string, kcfg kafka.Config) {
	t.Helper()
	p, err := kafka.NewProducer(kcfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Send(t.Context(), "acme.ids", nil, []byte(eve), 0)
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	done := make(chan int, 1)
	var errs strings.Builder
	go func() {
		done <- run(ctx, []string{"run", "-c", config, "--hops", "detect"}, streams{strings.NewReader(""), &strings.Builder{}, &errs,
			[]string{"INTERDICT_EMBEDDED=true", `INTERDICT_ADMIN__LISTEN=""`}})
	}()
	for ctx.Err() == nil && len(done) == 0 {
		rep, err := kafka.Lag(ctx, kcfg, time.Now(), kcfg.Prefix+".detect")
		if err == nil && len(rep.Groups) == 1 && len(rep.Groups[0].Partitions) > 0 && rep.Groups[0].Lag == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Error("hop 1 has not read its topic in time")
	}
	cancel()
	if code := <-done; code != exitDone {
		t.Errorf("hop 1: exit %d: %s", code, errs.String())
	}
}
