package oracle_test

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/correlate"
)

// kind says what a step does to the stage.
type kind uint8

const (
	deliver  kind = iota // an alert, into the batch being filled
	cut                  // process the batch
	tick                 // process the batch, then advance the watermark
	commit               // process the batch, then commit
	rollback             // process the batch, then roll back: what came since the last commit is undone
	restart              // commit, then go on in a new stage from a snapshot
)

// step is one thing that happens to the stage. A list of steps can lose any of
// them and still mean something, which is how a failure is made small.
type step struct {
	kind   kind
	doc    schema.Alert
	tenant string        // of a tick
	wm     schema.Millis // of a tick
}

// stageConfig gives the parameters as the stage takes them.
func stageConfig(p oracle.Params) correlate.Config {
	d := func(m schema.Millis) time.Duration { return time.Duration(m) * time.Millisecond }
	c := correlate.Default()
	b := p.Base
	c.Base = correlate.BaseWindows{
		Host: d(b.Host), User: d(b.User), InternalIP: d(b.InternalIP), ExternalIP: d(b.ExternalIP), Mailbox: d(b.Mailbox),
		CloudResource: d(b.CloudResource), CloudAccount: d(b.CloudAccount), Application: d(b.Application),
		FileHash: d(b.FileHash), Domain: d(b.Domain), URL: d(b.URL),
	}
	c.PairWindows, c.Caps, c.Allowlist = nil, nil, nil
	for _, w := range p.Pair {
		c.PairWindows = append(c.PairWindows, d(w))
	}
	for _, n := range p.Caps[:3] {
		c.Caps = append(c.Caps, uint32(n))
	}
	for _, r := range p.Allowlist {
		c.Allowlist = append(c.Allowlist, r.String())
	}
	c.SliceWeight, c.Slice, c.Lateness = uint32(p.Caps[3]), d(p.Slice), d(p.Lateness)
	c.HubDegree, c.RareDegree, c.MaxEntities = p.HubDegree, p.RareDegree, p.MaxEntities
	return c
}

// runner drives one stage and keeps what it committed.
type runner struct {
	cfg   correlate.Config
	stage *correlate.Correlator
	batch *schema.Batch

	position  uint64
	ahead     []step // the steps after this one
	before    []byte // snapshot at the last commit, if a rollback comes next
	marks     []mark // what this transaction changed in seen
	seen      map[seenKey]bool
	incidents []schema.Incident // of all tenants, committed
	members   []schema.Member
	newI      []schema.Incident // since the last commit
	newM      []schema.Member
}

type seenKey struct {
	tenant   string
	id       schema.AlertID
	content  uint64
	anything bool
}

type mark struct {
	seenKey
	was bool
}

func newRunner(p oracle.Params) (*runner, error) {
	r := &runner{cfg: stageConfig(p), batch: &schema.Batch{}, seen: map[seenKey]bool{}}
	var err error
	r.stage, err = correlate.New(r.cfg)
	return r, err
}

func (r *runner) snapshot() ([]byte, error) {
	var b bytes.Buffer
	err := r.stage.Snapshot(&b)
	return b.Bytes(), err
}

// run takes the steps. The error says what the stage did that no stage may do.
func (r *runner) run(ctx context.Context, steps []step) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	if r.ahead = steps; r.undoes() {
		if r.before, err = r.snapshot(); err != nil {
			return err
		}
	}
	for i, s := range steps {
		r.position++
		r.ahead = steps[i+1:]
		if err := r.step(ctx, s); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
	}
	return r.step(ctx, step{kind: commit})
}

func (r *runner) step(ctx context.Context, s step) error {
	if s.kind == deliver {
		*r.batch.NextAlert() = s.doc.Clone()
		return nil
	}
	if err := r.process(ctx); err != nil {
		return err
	}
	switch s.kind {
	case tick:
		r.stamp()
		if err := r.stage.Advance(ctx, stages.Tick{Tenant: s.tenant, Watermark: s.wm, Now: s.wm}, r.batch); err != nil {
			return err
		}
		r.collect()
	case commit:
		return r.commit()
	case rollback:
		r.stage.Rollback()
		r.newI, r.newM = nil, nil
		for i := len(r.marks) - 1; i >= 0; i-- {
			r.seen[r.marks[i].seenKey] = r.marks[i].was
		}
		r.marks = nil
		after, err := r.snapshot()
		if err == nil && !bytes.Equal(after, r.before) {
			err = fmt.Errorf("the state after Rollback is not the committed one (%d and %d bytes)", len(after), len(r.before))
		}
		return err
	case restart:
		if err := r.commit(); err != nil {
			return err
		}
		var err error
		if r.before, err = r.snapshot(); err != nil {
			return err
		}
		fresh, err := correlate.New(r.cfg)
		if err != nil {
			return err
		}
		if err := fresh.Restore(bytes.NewReader(r.before)); err != nil {
			return err
		}
		r.stage = fresh
		again, err := r.snapshot()
		if err == nil && !bytes.Equal(again, r.before) {
			err = fmt.Errorf("a restored stage writes another snapshot (%d and %d bytes)", len(again), len(r.before))
		}
		return err
	}
	return nil
}

func (r *runner) commit() (err error) {
	r.stage.Commit()
	r.incidents, r.members = append(r.incidents, r.newI...), append(r.members, r.newM...)
	r.newI, r.newM, r.marks = nil, nil, nil
	if r.undoes() { // a snapshot each time would be most of the test
		r.before, err = r.snapshot()
	}
	return err
}

// undoes reports whether the transaction that begins ends with a rollback.
func (r *runner) undoes() bool {
	for _, s := range r.ahead {
		switch s.kind {
		case rollback:
			return true
		case commit, restart:
			return false
		}
	}
	return false
}

func (r *runner) stamp() {
	r.batch.Position, r.batch.Now = r.position, day0+schema.Millis(r.position)
}

func (r *runner) process(ctx context.Context) error {
	if len(r.batch.Alerts) == 0 {
		return nil
	}
	r.stamp()
	if err := r.stage.Process(ctx, r.batch); err != nil {
		return err
	}
	for _, a := range r.batch.Alerts {
		whole := seenKey{a.Tenant, a.ID, a.Content, false}
		some := seenKey{a.Tenant, a.ID, 0, true}
		want := schema.StandingNew
		switch {
		case r.seen[whole]:
			want = schema.StandingDuplicate
		case r.seen[some]:
			want = schema.StandingRevision
		}
		if a.Standing != want {
			return fmt.Errorf("alert %v: standing is %d, want %d", a.ID, a.Standing, want)
		}
		for _, k := range []seenKey{whole, some} {
			r.marks = append(r.marks, mark{k, r.seen[k]})
			r.seen[k] = true
		}
	}
	r.collect()
	return nil
}

// collect takes the stage's output and empties the batch.
func (r *runner) collect() {
	r.newI, r.newM = append(r.newI, r.batch.Incidents...), append(r.newM, r.batch.Members...)
	r.batch = &schema.Batch{}
}

// result is the last versions of a tenant.
func (r *runner) result(tenant string) (oracle.Result, error) {
	var incidents []schema.Incident
	var members []schema.Member
	newest := map[schema.ID]uint64{}
	grows := func(id schema.ID, v uint64) error {
		if v < newest[id] {
			return fmt.Errorf("object %v: version %d after %d", id, v, newest[id])
		}
		newest[id] = v
		return nil
	}
	for _, h := range r.incidents {
		if h.Tenant != tenant {
			continue
		}
		if err := grows(schema.ID(h.ID), h.Version); err != nil {
			return oracle.Result{}, err
		}
		incidents = append(incidents, h)
	}
	for _, m := range r.members {
		if m.Tenant != tenant {
			continue
		}
		if err := grows(schema.ID(m.Alert), m.Version); err != nil {
			return oracle.Result{}, err
		}
		if m.Late {
			return oracle.Result{}, fmt.Errorf("alert %v is late", m.Alert)
		}
		members = append(members, m)
	}
	return oracle.FromStage(incidents, members), nil
}

// closed checks that nothing is left open or in memory: the watermarks are far
// beyond every alert.
func (r *runner) closed() error {
	last := map[schema.IncidentID]schema.Incident{}
	for _, h := range r.incidents {
		last[h.ID] = h
	}
	for _, h := range last {
		if h.RedirectTo.IsZero() && !h.Final {
			return fmt.Errorf("incident %v is not final at the end", h.ID)
		}
	}
	if s := r.stage.Stats(); s.Alerts != 0 || s.Observations != 0 || s.Keys != 0 || s.Held != 0 {
		return fmt.Errorf("left in memory at the end: %+v", s)
	}
	return nil
}

// committed gives the documents that were not rolled back.
func committed(steps []step) (docs []schema.Alert) {
	kept := 0
	for _, s := range steps {
		switch s.kind {
		case deliver:
			docs = append(docs, s.doc)
		case rollback:
			docs = docs[:kept]
		case commit, restart:
			kept = len(docs)
		}
	}
	return docs
}

// compare runs the steps through the stage and says how the end differs from the
// oracle's result; empty if it does not. Campaigns are left out where they are
// outside the order guarantee.
func compare(ctx context.Context, p oracle.Params, steps []step) string {
	r, err := newRunner(p)
	if err != nil {
		return err.Error()
	}
	if err := r.run(ctx, steps); err != nil {
		return err.Error()
	}
	if ended(steps) {
		if err := r.closed(); err != nil {
			return err.Error()
		}
	}
	docs := committed(steps)
	for _, name := range []string{tenant, other} {
		want := oracle.Correlate(name, docs, p)
		got, err := r.result(name)
		if err != nil {
			return err.Error()
		}
		maskCampaigns(p, &want, &got)
		if !bytes.Equal(want.Dump(), got.Dump()) {
			return fmt.Sprintf("tenant %s, by the oracle:\n%sby the stage:\n%soracle -, stage +\n%s",
				name, render(name, want), render(name, got), oracle.Diff(want, got))
		}
	}
	return ""
}

// maskCampaigns blanks the campaign of incidents that may have closed before
// their campaign's end.
func maskCampaigns(p oracle.Params, want, got *oracle.Result) {
	outlived := map[schema.IncidentID]bool{}
	for i := range want.Incidents {
		in := &want.Incidents[i]
		if in.CampaignNewest >= p.Close(in.Newest) {
			outlived[in.ID] = true
			in.Campaign = schema.IncidentID{}
		}
	}
	for i := range got.Incidents {
		if in := &got.Incidents[i]; outlived[in.ID] {
			in.Campaign = schema.IncidentID{}
		}
	}
}
