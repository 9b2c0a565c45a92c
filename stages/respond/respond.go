package respond

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Statuses of a result.
const (
	StatusDone    = "done"
	StatusFailed  = "failed"
	StatusRefused = "refused"
	StatusDryRun  = "dry_run"
)

// Executor makes a target match a command. It is the port to everything outside.
type Executor interface {
	// Apply carries out the command, whatever its verb. It must be idempotent by
	// lease, verb and version, must not keep anything a aliases, and returns when
	// the outcome is known or ctx is done. It fills Status, Detail and Prior; the
	// rest is filled by the caller. An error means that the command may not have
	// been carried out: it is tried again unless it is stages.Permanent.
	Apply(ctx context.Context, a schema.Action) (schema.ActionResult, error)
}

// Responder is the stage. One goroutine at a time may call it.
type Responder struct {
	cfg   Config
	name  string
	exec  Executor
	keys  keyring
	never never
	last  *simplelru.LRU[schema.ID, command]
	sleep func(context.Context, time.Duration) error
}

// command is the newest command of a lease.
type command struct {
	version uint64
	verb    schema.Verb
	result  schema.ActionResult // zero: not carried out
}

var _ stages.Stage = (*Responder)(nil)

// New builds the executor that the configuration names.
func New(cfg Config) (*Responder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Executor == ExecutorDryRun {
		return NewWith(cfg, ExecutorDryRun, dryRun{})
	}
	w, err := newWebhook(cfg.Webhook)
	if err != nil {
		return nil, err
	}
	return NewWith(cfg, ExecutorWebhook, w)
}

// NewWith uses an executor of the caller's, called name in results. The
// configuration's Executor and Webhook are not used.
func NewWith(cfg Config, name string, e Executor) (*Responder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r := &Responder{cfg: cfg, name: name, exec: e, sleep: sleep}
	var err error
	if r.keys, err = newKeyring(&cfg); err != nil {
		return nil, err
	}
	if r.never, err = newNever(cfg.NeverContain); err != nil {
		return nil, fmt.Errorf("respond: never_contain: %w", err)
	}
	if r.last, err = simplelru.NewLRU[schema.ID, command](cfg.Remember, nil); err != nil {
		return nil, fmt.Errorf("respond: %w", err)
	}
	return r, nil
}

// Close frees what the executor holds, such as idle connections.
func (r *Responder) Close() {
	if c, ok := r.exec.(interface{ Close() }); ok {
		c.Close()
	}
}

// Process carries out b.Actions in order and appends a result and a ledger event
// for each. It takes BatchTimeout at most, since the batch is part of a
// transaction that the broker gives up on. An executor that is away makes
// commands fail. One that is slow makes the batch fail, with an error to be tried
// again: what it did is remembered, so that each time gets further.
func (r *Responder) Process(ctx context.Context, b *schema.Batch) error {
	limited, cancel := context.WithTimeout(ctx, r.cfg.BatchTimeout)
	defer cancel()
	attempts, done := r.cfg.Attempts, 0
	for i := range b.Actions {
		a := &b.Actions[i]
		res, answered := r.answer(a, b.Now)
		if !answered {
			var err error
			res, err = r.carryOut(limited, a, attempts)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == nil:
				done++
			case stages.IsPermanent(err):
			case limited.Err() != nil && done > 0 && len(b.Actions) <= r.cfg.Remember:
				return fmt.Errorf("respond: %v were enough for %d commands only, %d of the batch come again", r.cfg.BatchTimeout, done, len(b.Actions)-i)
			default:
				attempts = 1 // the executor is away: the rest of the batch must not wait for it again
			}
		}
		res.Action, res.Lease, res.Tenant, res.Target, res.Kind, res.Verb = a.ID, a.Lease, a.Tenant, a.Target, a.Kind, a.Verb
		res.Executor, res.Time = r.name, b.Now
		b.Results = append(b.Results, res)
		b.Ledger = append(b.Ledger, ledger(a, &res, b.Now))
	}
	return nil
}

// answer gives the result of a command that needs no executor: one that is
// refused, and one that was carried out before.
func (r *Responder) answer(a *schema.Action, now schema.Millis) (res schema.ActionResult, ok bool) {
	refused := func(why string) (schema.ActionResult, bool) {
		return schema.ActionResult{Status: StatusRefused, Detail: why}, true
	}
	if why := r.refusal(a, now); why != "" {
		return refused(why)
	}
	if old, ok := r.last.Get(a.Lease); ok {
		switch {
		case a.Version < old.version:
			return refused("overtaken by version " + strconv.FormatUint(old.version, 10) + " of the lease")
		case a.Version == old.version && a.Verb != old.verb:
			return refused("the lease's version is of another verb")
		case a.Version == old.version && old.result.Status != "":
			return old.result, true
		}
	}
	return res, false
}

// carryOut has the executor do it and remembers the outcome. With an error the
// result says that it failed.
func (r *Responder) carryOut(ctx context.Context, a *schema.Action, attempts int) (schema.ActionResult, error) {
	res, err := r.try(ctx, a, attempts)
	if err != nil {
		r.last.Add(a.Lease, command{version: a.Version, verb: a.Verb})
		return schema.ActionResult{Status: StatusFailed, Detail: clip(err.Error())}, err
	}
	if res.Status == "" {
		res.Status = StatusDone
	}
	res = schema.ActionResult{Status: res.Status, Detail: res.Detail, Prior: res.Prior}
	r.last.Add(a.Lease, command{a.Version, a.Verb, res})
	return res, nil
}

// try calls the executor until it succeeds, says that trying is of no use, or the
// attempts are spent.
func (r *Responder) try(ctx context.Context, a *schema.Action, attempts int) (res schema.ActionResult, err error) {
	if ctx.Err() != nil {
		return res, errors.New("not sent: the executor took the whole time of the batch")
	}
	wait := r.cfg.Backoff
	for n := 1; ; n++ {
		res, err = r.exec.Apply(ctx, *a)
		if err == nil || stages.IsPermanent(err) || n == attempts || ctx.Err() != nil {
			return res, err
		}
		if sleepErr := r.sleep(ctx, wait); sleepErr != nil {
			return res, errors.Join(err, sleepErr)
		}
		wait = min(2*wait, maxBackoff)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ledger(a *schema.Action, res *schema.ActionResult, now schema.Millis) schema.LedgerEvent {
	return schema.LedgerEvent{
		ID: schema.DeriveID("ledger", a.Tenant, a.ID.String(), res.Executor, res.Status), Tenant: a.Tenant,
		Object: "lease:" + a.Lease.String(), Incident: a.Incident, Actor: res.Executor, Origin: schema.OriginExecutor,
		Verb: a.Verb.String(), Before: res.Prior, After: res.Status, Cause: res.Detail, Time: now,
	}
}

// maxDetail bounds what an executor may say, in bytes.
const maxDetail = 512

// clip shortens an executor's text and keeps it printable.
func clip(s string) string {
	out := make([]rune, 0, min(len(s), maxDetail))
	n := 0
	for _, c := range s {
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		if n += len(string(c)); n > maxDetail {
			break
		}
		out = append(out, c)
	}
	return string(out)
}

// dryRun carries nothing out.
type dryRun struct{}

func (dryRun) Apply(context.Context, schema.Action) (schema.ActionResult, error) {
	return schema.ActionResult{Status: StatusDryRun, Detail: "nothing was changed"}, nil
}
