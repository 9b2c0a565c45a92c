package disrupt

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Prepared is a configuration ready to run: policies compiled, the key read. It is
// immutable, so that the stages of all shards of a process share one.
type Prepared struct {
	cfg        Config
	hash       uint64
	maxAge     schema.Millis
	catalog    *catalog
	never      targetSet
	neverClass map[string]bool
	excluded   []exclusion
	signer     *signer
}

// Prepare checks the configuration, compiles its policies and reads the signing
// key.
func Prepare(cfg Config) (*Prepared, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := &Prepared{cfg: cfg, hash: cfg.Hash(), maxAge: schema.Millis(cfg.MaxEvidenceAge.Milliseconds()), neverClass: map[string]bool{}}
	var err error
	if p.catalog, err = newCatalog(&cfg); err != nil {
		return nil, fmt.Errorf("disrupt: %w", err)
	}
	for _, c := range cfg.NeverContain.Classes {
		p.neverClass[canonicalClass(c)] = true
	}
	if p.never, err = newTargetSet(cfg.NeverContain.Targets); err != nil {
		return nil, fmt.Errorf("disrupt: never_contain.targets: %w", err)
	}
	for _, x := range cfg.Exclude {
		e, err := newExclusion(x)
		if err != nil {
			return nil, fmt.Errorf("disrupt: exclude: %w", err)
		}
		p.excluded = append(p.excluded, e)
	}
	if p.signer, err = newSigner(&cfg); err != nil {
		return nil, err
	}
	return p, nil
}

// ConfigHash names what the configuration decides.
func (p *Prepared) ConfigHash() uint64 { return p.hash }

// New gives a stage without memory. It costs little: use it for each shard.
func (p *Prepared) New() *Disruptor {
	d := &Disruptor{Prepared: p, epoch: 1, sources: map[string]string{}}
	d.reset()
	return d
}

// New prepares a configuration for a single stage.
func New(cfg Config) (*Disruptor, error) {
	p, err := Prepare(cfg)
	if err != nil {
		return nil, err
	}
	return p.New(), nil
}

// Disruptor is the stage. One goroutine at a time may call it.
type Disruptor struct {
	*Prepared

	journal journal
	epoch   uint32 // grows with every commit and rollback
	tenants table[string, *tenant]
	kill    cell[bool] // kill switch of every tenant

	evalErrors, evicted uint64

	sources map[string]string // names of sources, kept once

	// Scratch of one alert.
	hits   []*candidate
	found  []finding
	view   View
	target Named
}

var (
	_ stages.Stateful = (*Disruptor)(nil)
	_ stages.Timed    = (*Disruptor)(nil)
)

func (d *Disruptor) reset() {
	d.tenants = newTable[string, *tenant](&d.journal)
	d.kill = cell[bool]{j: &d.journal}
}

// EvalErrors counts expressions that failed at run time since New, and so were
// not met. Not part of the state.
func (d *Disruptor) EvalErrors() uint64 { return d.evalErrors }

// Evictions counts how often evidence was dropped because a tenant had too many
// suspects. Not part of the state.
func (d *Disruptor) Evictions() uint64 { return d.evicted }

// Process takes the batch's control records, then its alerts, and appends
// decisions, leases, actions and ledger events.
func (d *Disruptor) Process(ctx context.Context, b *schema.Batch) error {
	for i := range b.Control {
		d.control(&b.Control[i], b)
	}
	var t *tenant
	for i := range b.Alerts {
		a := &b.Alerts[i]
		if a.Standing == schema.StandingDuplicate {
			continue
		}
		if t == nil || t.name != a.Tenant {
			if !utf8.ValidString(a.Tenant) {
				continue // no tenant has such a name, and a snapshot could not hold it
			}
			t = d.tenant(a.Tenant)
		}
		d.see(t, ingested(a, b.Now))
		// What shows nothing changes nothing, unless it takes back what was shown.
		if a.Verdict == schema.VerdictFalsePositive || a.Standing == schema.StandingRevision || a.Severity >= d.catalog.severity {
			if err := ctx.Err(); err != nil {
				return err
			}
			d.alert(t, a, b)
		}
	}
	return nil
}

// ingested is when the log took the alert, which is never after the log's time.
func ingested(a *schema.Alert, now schema.Millis) schema.Millis {
	at := a.Ingested
	if at == 0 {
		at = a.Created
	}
	if now != 0 {
		at = min(at, now)
	}
	return at
}

// alert considers an alert that may matter.
func (d *Disruptor) alert(t *tenant, a *schema.Alert, b *schema.Batch) {
	rev := a.RevisionOf()
	if a.Verdict == schema.VerdictFalsePositive {
		d.expire(t, b)
		d.disprove(t, a.ID, disproof{Time: t.vars.v.Clock, Rev: rev}, actor{"source", schema.OriginVendor}, b)
		return
	}
	if a.Standing == schema.StandingRevision {
		if p, ok := t.disproof.get(a.ID); ok && !p.Person && rev > p.Rev {
			t.disproof.del(a.ID) // the vendor has thought again
		}
	}
	found := d.find(a)
	if a.Standing == schema.StandingRevision {
		found = d.withdrawn(t, a, found)
	}
	if len(found) == 0 || !usable(a.Source) {
		return
	}
	d.expire(t, b)
	for _, f := range found {
		if k, counts := d.record(t, a, f); counts {
			d.decide(t, f.policy, k, a, b)
		}
	}
}

// withdrawn adds, for a revision, the suspects that an earlier revision was
// evidence against and this one is not.
func (d *Disruptor) withdrawn(t *tenant, a *schema.Alert, found []finding) []finding {
	keys, _ := t.naming.get(a.ID)
next:
	for _, k := range keys {
		for i := range found {
			if found[i].policy.name == k.Policy && found[i].target == k.Target {
				continue next
			}
		}
		found = append(found, finding{policy: d.catalog.byName[k.Policy], target: k.Target})
	}
	d.found = found
	return found
}

// Advance ends leases and forgets evidence by the tick's time.
func (d *Disruptor) Advance(_ context.Context, tick stages.Tick, b *schema.Batch) error {
	t := d.tenant(tick.Tenant)
	d.see(t, tick.Now)
	d.expire(t, b)
	d.sweep(t)
	return nil
}

// sweepEvery is how often expired evidence is taken out. It frees memory; expired
// evidence counts for nothing before, too.
const sweepEvery = schema.Minute

func (d *Disruptor) sweep(t *tenant) {
	v := t.vars.v
	if v.Clock-v.Swept < sweepEvery {
		return
	}
	v.Swept = v.Clock
	t.vars.set(v)
	for k, s := range t.suspects.m {
		if len(d.live(t, d.catalog.byName[k.Policy], s).Evidence) == 0 {
			t.setSuspect(k, nil)
		}
	}
	for id, p := range t.disproof.m {
		if p.Time < v.Clock-disproofLife {
			t.disproof.del(id)
		}
	}
}

// Commit makes the changes permanent.
func (d *Disruptor) Commit() {
	d.journal.commit()
	d.epoch++
}

// Rollback restores the state of the last Commit.
func (d *Disruptor) Rollback() {
	d.journal.rollback()
	d.epoch++
}
