package respond

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

func TestDryRunIsTheDefault(t *testing.T) {
	r, err := New(DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := action(schema.VerbApply, 1, "ws-1")
	res := process(t, r, now, a)[0]
	if res.Status != StatusDryRun || res.Action != a.ID || res.Lease != a.Lease || res.Target != a.Target || res.Executor != "dry_run" || res.Time != now {
		t.Errorf("result %+v", res)
	}
}

// TestRefusals spoils one thing of a command that would be carried out.
func TestRefusals(t *testing.T) {
	trusted, stranger := newSigner(1), newSigner(2)
	cfg := DefaultConfig()
	cfg.TrustedKeys = [][]byte{newSigner(3).pem, trusted.pem}
	cfg.NeverContain = []string{"host:dc-1.corp.example", "10.0.0.0/8"}
	good := action(schema.VerbApply, 1, "ws-1")
	release := action(schema.VerbRelease, 1, "dc-1")
	changed := func(f func(*schema.Action)) schema.Action {
		a := good
		f(&a)
		a.Lease = schema.NewLeaseID(a.Tenant, a.Target, a.Kind)
		return trusted.sign(a)
	}
	tampered := trusted.sign(good)
	tampered.Target.Key = "ws-2"
	relabeled := stranger.sign(good)
	relabeled.KeyID = trusted.id
	foreign := good
	foreign.Lease = action(schema.VerbApply, 1, "ws-2").Lease
	old := release
	old.Until, old.Issued = now-schema.Day, now-2*schema.Day
	for _, c := range []struct {
		name   string
		action schema.Action
		want   string // part of the reason; "" for carried out
	}{
		{"good", trusted.sign(good), ""},
		{"unsigned", good, "not signed"},
		{"unknown key", stranger.sign(good), "not trusted"},
		{"another's key id", relabeled, "signature"},
		{"tampered", tampered, "signature"},
		{"no kind", changed(func(a *schema.Action) { a.Kind = schema.ActionUnknown }), "no action"},
		{"no target", changed(func(a *schema.Action) { a.Target = schema.EntityRef{} }), "no target"},
		{"unknown verb", changed(func(a *schema.Action) { a.Verb = 7 }), "verb"},
		{"another target's lease", trusted.sign(foreign), "lease"},
		{"over", changed(func(a *schema.Action) { a.Until = now }), "ended"},
		{"old", changed(func(a *schema.Action) { a.Issued = now - 11*schema.Minute }), "older"},
		{"never contain", changed(func(a *schema.Action) { a.Target.Key = "DC-1" }), "never_contain"},
		{"never contain range", changed(func(a *schema.Action) {
			a.Kind, a.Target = schema.ActionContainIP, schema.EntityRef{Type: schema.EntityIP, Key: "::ffff:10.1.2.3"}
		}), "never_contain"},
		{"a release of what is listed", trusted.sign(release), ""},
		{"a release long over", trusted.sign(old), ""},
		{"an unsigned release", release, "not signed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &recorder{}
			r, _ := with(t, cfg, e)
			res := process(t, r, now, c.action)[0]
			if c.want == "" {
				if res.Status != StatusDone || res.Prior != "free" || len(e.got) != 1 {
					t.Errorf("result %+v after %d calls", res, len(e.got))
				}
			} else if res.Status != StatusRefused || !strings.Contains(res.Detail, c.want) || len(e.got) != 0 {
				t.Errorf("result %+v after %d calls, want a refusal with %q", res, len(e.got), c.want)
			}
		})
	}
}

func TestRetries(t *testing.T) {
	fails := func(n int, err error) func(int) (schema.ActionResult, error) {
		return func(call int) (schema.ActionResult, error) {
			if call <= n {
				return schema.ActionResult{}, err
			}
			return schema.ActionResult{}, nil
		}
	}
	for _, c := range []struct {
		name   string
		answer func(int) (schema.ActionResult, error)
		status string
		calls  int
		waits  string
	}{
		{"at once", fails(0, nil), StatusDone, 1, "[]"},
		{"the third time", fails(2, errAway), StatusDone, 3, "[200ms 400ms]"},
		{"never", fails(99, errAway), StatusFailed, 4, "[200ms 400ms 800ms]"},
		{"permanent", fails(99, stages.Permanent(errAway)), StatusFailed, 1, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &recorder{answer: c.answer}
			r, waits := with(t, DefaultConfig(), e)
			res := process(t, r, now, action(schema.VerbApply, 1, "ws-1"))[0]
			if res.Status != c.status || len(e.got) != c.calls || fmt.Sprint(*waits) != c.waits {
				t.Errorf("status %s after %d calls, waits %v", res.Status, len(e.got), *waits)
			}
		})
	}
}

// An executor that is away costs one command its attempts; the others of the
// batch are tried once, and the lane goes on.
func TestLaneGoesOn(t *testing.T) {
	e := &recorder{answer: func(int) (schema.ActionResult, error) { return schema.ActionResult{}, errAway }}
	r, _ := with(t, DefaultConfig(), e)
	res := process(t, r, now, action(schema.VerbApply, 1, "a"), action(schema.VerbApply, 1, "b"), action(schema.VerbApply, 1, "c"))
	for _, x := range res {
		if x.Status != StatusFailed || x.Detail != "away" {
			t.Errorf("result %+v", x)
		}
	}
	if len(e.got) != 4+1+1 {
		t.Errorf("%d calls", len(e.got))
	}
	// What failed is carried out when it comes again.
	e.answer = nil
	if x := process(t, r, now, action(schema.VerbApply, 1, "a"))[0]; x.Status != StatusDone {
		t.Errorf("the second time: %+v", x)
	}
}

func TestCanceledContextIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e := &recorder{answer: func(int) (schema.ActionResult, error) { cancel(); return schema.ActionResult{}, errAway }}
	r, _ := with(t, DefaultConfig(), e)
	b := &schema.Batch{Now: now, Actions: []schema.Action{action(schema.VerbApply, 1, "a")}}
	if err := r.Process(ctx, b); !errors.Is(err, context.Canceled) || stages.IsPermanent(err) {
		t.Errorf("error %v", err)
	}
}

func TestSleepEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := sleep(context.Background(), time.Microsecond); err != nil {
		t.Error(err)
	}
}

// Commands that are repeated and reordered leave each target as its newest one
// wants it, and no command is carried out twice.
func TestNewestCommandWins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := &recorder{}
		r, err := NewWith(DefaultConfig(), "test", e)
		if err != nil {
			t.Fatal(err)
		}
		newest := map[string]schema.Action{}
		for range rapid.IntRange(1, 30).Draw(t, "commands") {
			version := uint64(rapid.IntRange(1, 8).Draw(t, "version"))
			verb := schema.VerbApply
			if version%3 == 0 {
				verb = schema.VerbRelease
			}
			host := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "host")
			a := action(verb, version, host)
			b := &schema.Batch{Now: now, Actions: []schema.Action{a}}
			if err := r.Process(context.Background(), b); err != nil {
				t.Fatal(err)
			}
			if version >= newest[host].Version {
				newest[host] = a
				if b.Results[0].Status != StatusDone {
					t.Fatalf("the newest command: %+v", b.Results[0])
				}
			} else if b.Results[0].Status != StatusRefused {
				t.Fatalf("an overtaken command: %+v", b.Results[0])
			}
		}
		last, seen := map[string]schema.Action{}, map[string]bool{}
		for _, a := range e.got {
			key := fmt.Sprint(a.Target.Key, a.Version)
			if seen[key] {
				t.Fatalf("carried out twice: %+v", a)
			}
			seen[key] = true
			last[a.Target.Key] = a
		}
		for host, want := range newest {
			if last[host].ID != want.ID {
				t.Fatalf("%s was left by version %d, want %d", host, last[host].Version, want.Version)
			}
		}
	})
}

func TestExecutorsTextIsClipped(t *testing.T) {
	if got := clip("a\x1b[31m\nb\x00" + strings.Repeat("\u00e9", 1000)); strings.ContainsAny(got, "\x1b\n\x00") || len(got) > maxDetail || !strings.HasPrefix(got, "a [31m b ") {
		t.Errorf("clipped to %q", got)
	}
}

func TestConformance(t *testing.T) {
	s := newSigner(1)
	cfg := DefaultConfig()
	cfg.TrustedKeys = [][]byte{s.pem}
	of := func(actions ...schema.Action) stagetest.Sample {
		return func() *schema.Batch {
			return &schema.Batch{Now: now, Position: 1, Actions: append([]schema.Action(nil), actions...)}
		}
	}
	stagetest.Run(t, func() stages.Stage {
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}, of(s.sign(action(schema.VerbApply, 1, "a")), action(schema.VerbApply, 1, "b")),
		of(s.sign(action(schema.VerbApply, 1, "c")), s.sign(action(schema.VerbRelease, 2, "c")), s.sign(action(schema.VerbApply, 1, "c"))))
}

func TestConfigValidate(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"executor":    func(c *Config) { c.Executor = "shell" },
		"max_age":     func(c *Config) { c.MaxAge = 0 },
		"attempts":    func(c *Config) { c.Attempts = 0 },
		"backoff":     func(c *Config) { c.Backoff = time.Minute },
		"remember":    func(c *Config) { c.Remember = 0 },
		"batch":       func(c *Config) { c.BatchTimeout = time.Minute },
		"slow try":    func(c *Config) { *c = webhookConfig(t, "https://example.com/"); c.Webhook.Timeout = 11 * time.Second },
		"never":       func(c *Config) { c.NeverContain = []string{"10.0.0.0/99"} },
		"no keys":     func(c *Config) { *c = webhookConfig(t, "https://example.com/"); c.TrustedKeys = nil },
		"http":        func(c *Config) { *c = webhookConfig(t, "http://example.com/"); c.Webhook.AllowHTTP = false },
		"password":    func(c *Config) { *c = webhookConfig(t, "https://a:b@example.com/") },
		"relative":    func(c *Config) { *c = webhookConfig(t, "/hook") },
		"file scheme": func(c *Config) { *c = webhookConfig(t, "file://host/etc/passwd") },
		"no secret":   func(c *Config) { *c = webhookConfig(t, "https://example.com/"); c.Webhook.SecretFile = "" },
		"timeout":     func(c *Config) { *c = webhookConfig(t, "https://example.com/"); c.Webhook.Timeout = 0 },
		"bad key":     func(c *Config) { c.TrustedKeys = [][]byte{[]byte("no key")} },
		"lost key":    func(c *Config) { c.TrustedKeyFiles = []string{"/nonexistent/key.pem"} },
		"lost secret": func(c *Config) {
			*c = webhookConfig(t, "https://example.com/")
			c.Webhook.SecretFile = "/nonexistent/secret"
		},
		"lost roots": func(c *Config) {
			*c = webhookConfig(t, "https://example.com/")
			c.Webhook.CAFile = "/nonexistent/ca.pem"
		},
	} {
		cfg := DefaultConfig()
		spoil(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// One version of a lease has one verb: the other is not a repetition.
func TestVersionHasOneVerb(t *testing.T) {
	e := &recorder{}
	r, _ := with(t, DefaultConfig(), e)
	res := process(t, r, now, action(schema.VerbApply, 1, "a"), action(schema.VerbRelease, 1, "a"))
	if res[1].Status != StatusRefused || len(e.got) != 1 {
		t.Errorf("result %+v after %d calls", res[1], len(e.got))
	}
}
