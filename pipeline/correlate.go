package pipeline

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// stateVersion is the version of the snapshot form of a correlate lane. A
// snapshot of another version is not read: the state is rebuilt from the log.
const stateVersion = 1

// correlateLane is one partition of the alerts log: alerts, watermarks and
// control records in order, through a chain per virtual shard.
type correlateLane struct {
	lateness schema.Millis
	expected func(tenant string) []string // see clock
	build    func(schema.Shard) ([]Step, error)
	hash     uint64
	count    *Counts
	progress *Progress

	shards  map[schema.Shard]*shard
	dirty   []*shard         // touched since the last commit
	globals []schema.Control // what holds for every tenant until it is revoked: a shard that opens later must know it
	saved   []schema.Control // globals at the last commit
	buf     []byte
	replay  bool
}

// shard is the state of one virtual shard.
type shard struct {
	id    schema.Shard
	chain chain
	b     schema.Batch
	clock *clock
	saved *clock // the clock at the last commit; nil: not changed since
	fresh bool   // opened since the last commit: a rollback takes it away again
}

// shard finds or opens a shard for the record at position. One that opens begins
// with what holds for every tenant.
func (l *correlateLane) shard(id schema.Shard, position uint64) (*shard, error) {
	s := l.shards[id]
	if s == nil {
		steps, err := l.build(id)
		if err != nil {
			return nil, fmt.Errorf("building the stages of shard %d: %w", id, err)
		}
		s = &shard{id: id, chain: chain{steps: steps, count: l.count}, clock: newClock(l.lateness, l.expected), fresh: true}
		s.b.Control, s.b.Position = append(s.b.Control, l.globals...), position
		l.shards[id] = s
	}
	if s.saved == nil {
		s.saved = s.clock.clone()
		l.dirty = append(l.dirty, s)
	}
	return s, nil
}

func (l *correlateLane) Process(ctx context.Context, recs []Record, out *Outbox) error {
	var touched []*shard
	for _, r := range recs {
		id, ok := shardOfKey(r.Key)
		if !ok {
			return stages.Permanent(fmt.Errorf("alerts log offset %d: key is not a virtual shard", r.Offset))
		}
		s, err := l.shard(id, uint64(r.Offset)+1)
		if err != nil {
			return err
		}
		if len(touched) == 0 || touched[len(touched)-1] != s {
			touched = append(touched, s)
		}
		if err := l.entry(ctx, s, r, out); err != nil {
			return err
		}
	}
	for _, s := range touched {
		if err := l.flush(ctx, s, out); err != nil {
			return err
		}
	}
	return nil
}

// entry takes one record of the log into its shard's batch. A tick or a control
// record ends the batch before it, and alerts and retro-matches do not share one:
// their place in the log matters.
func (l *correlateLane) entry(ctx context.Context, s *shard, r Record, out *Outbox) error {
	kind, body, err := schema.DecodeEntry(r.Value)
	if err != nil {
		// Only hop 1 and retro-match write here, so this is damage or a newer writer.
		return stages.Permanent(fmt.Errorf("alerts log offset %d: %w", r.Offset, err))
	}
	position := uint64(r.Offset) + 1
	switch kind {
	case schema.EntryUnknown:
		return nil // of a newer writer: not for this version
	case schema.EntryAlert:
		if len(s.b.Retro) > 0 { // they speak of what came before
			if err := l.flush(ctx, s, out); err != nil {
				return err
			}
		}
		a := s.b.NextAlert()
		if err := a.DecodeWire(body); err != nil {
			return stages.Permanent(fmt.Errorf("alerts log offset %d: %w", r.Offset, err))
		}
		s.clock.see(a.Tenant, a.Ingested)
	case schema.EntryWatermark:
		var w schema.Watermark
		if err := w.DecodeWire(body); err != nil {
			return stages.Permanent(fmt.Errorf("alerts log offset %d: %w", r.Offset, err))
		}
		tick, due := s.clock.observe(&w)
		if !due {
			break
		}
		if err := l.flush(ctx, s, out); err != nil {
			return err
		}
		s.b.Now, s.b.Position = s.clock.now, position
		if err := s.chain.advance(ctx, tick, &s.b); err != nil {
			return err
		}
		l.emit(s, out)
		return nil
	case schema.EntryRetro:
		if len(s.b.Alerts) > 0 {
			if err := l.flush(ctx, s, out); err != nil {
				return err
			}
		}
		var m schema.RetroMatch
		if err := m.DecodeWire(body); err != nil {
			return stages.Permanent(fmt.Errorf("alerts log offset %d: %w", r.Offset, err))
		}
		s.b.Retro = append(s.b.Retro, m)
	case schema.EntryControl:
		var c schema.Control
		if err := c.DecodeWire(body); err != nil {
			return stages.Permanent(fmt.Errorf("alerts log offset %d: %w", r.Offset, err))
		}
		if c.Tenant != "" {
			return l.control(ctx, s, c, position, out)
		}
		l.remember(c)
		for _, id := range l.order() {
			if s, err = l.shard(id, position); err != nil {
				return err
			}
			if err := l.control(ctx, s, c, position, out); err != nil {
				return err
			}
		}
		return nil
	}
	s.b.Now, s.b.Position = s.clock.now, position
	return nil
}

// control gives a shard one control record, after what came before it.
func (l *correlateLane) control(ctx context.Context, s *shard, c schema.Control, position uint64, out *Outbox) error {
	if err := l.flush(ctx, s, out); err != nil {
		return err
	}
	s.b.Control = append(s.b.Control, c)
	s.b.Now, s.b.Position = s.clock.now, position
	return l.flush(ctx, s, out)
}

// remember keeps a control record of all tenants for shards that open later. Of
// the kinds there are only the kill switch holds until it is revoked; the others
// change what is there when they come.
func (l *correlateLane) remember(c schema.Control) {
	if c.Kind != schema.ControlKillSwitch {
		return
	}
	for _, s := range []*string{&c.Object, &c.Value, &c.Actor} {
		*s = strings.Clone(*s) // outlives the record
	}
	l.globals = []schema.Control{c} // a new slice: saved may be the old one
}

// order lists the shards by number.
func (l *correlateLane) order() []schema.Shard {
	ids := make([]schema.Shard, 0, len(l.shards))
	for id := range l.shards {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// flush runs the chain over what the shard's batch holds.
func (l *correlateLane) flush(ctx context.Context, s *shard, out *Outbox) error {
	if len(s.b.Alerts) == 0 && len(s.b.Control) == 0 && len(s.b.Retro) == 0 {
		return nil
	}
	if err := s.chain.process(ctx, &s.b); err != nil {
		return err
	}
	used := usedIncidents(&s.b)
	now, position := s.b.Now, s.b.Position
	l.emit(s, out)
	if len(used) == 0 {
		return nil
	}
	// An action makes its incident a case: correlate hears of it at once.
	s.b.Control = append(s.b.Control, used...)
	s.b.Now, s.b.Position = now, position
	if err := s.chain.process(ctx, &s.b); err != nil {
		return err
	}
	l.emit(s, out)
	return nil
}

// usedIncidents gives a case record for each incident that an action came of.
func usedIncidents(b *schema.Batch) []schema.Control {
	var used []schema.Control
	for i := range b.Leases {
		x := &b.Leases[i]
		if x.State == schema.LeaseActive && !x.Incident.IsZero() {
			used = append(used, schema.Control{Tenant: strings.Clone(x.Tenant), Kind: schema.ControlCase, Object: x.Incident.String(),
				Value: "action", Actor: "disruption", Time: b.Now})
		}
	}
	return used
}

// emit encodes what the batch caused and empties it.
func (l *correlateLane) emit(s *shard, out *Outbox) {
	if !l.replay {
		sent := len(out.Msgs)
		e := emitter{buf: &l.buf, shard: s.id, out: out}
		e.batch(&s.b)
		l.count.produced(out.Msgs[sent:])
	}
	s.b.Reset()
}

func (l *correlateLane) Idle(context.Context, schema.Millis, schema.Millis, *Outbox) error {
	return nil
}

func (l *correlateLane) Commit() {
	for _, s := range l.dirty {
		s.chain.commit()
		s.saved, s.fresh = nil, false
		l.progress.report(s)
	}
	l.saved = l.globals
	l.end()
}

func (l *correlateLane) Rollback() {
	for _, s := range l.dirty {
		if s.fresh {
			delete(l.shards, s.id)
			continue
		}
		s.chain.rollback()
		s.clock, s.saved = s.saved, nil
		s.b.Reset()
	}
	l.globals = l.saved
	l.end()
}

func (l *correlateLane) end() {
	clear(l.dirty)
	l.dirty = l.dirty[:0]
	l.buf = recycle(l.buf)
}

func (l *correlateLane) Close() {
	for _, s := range l.shards {
		l.progress.forget(s)
	}
	l.shards = nil
}

// SetReplaying suppresses outputs; see StatefulLane.
func (l *correlateLane) SetReplaying(on bool) { l.replay = on }

// StateVersion and ConfigHash tell whether a snapshot fits.
func (l *correlateLane) StateVersion() uint32 { return stateVersion }
func (l *correlateLane) ConfigHash() uint64   { return l.hash }

// laneState begins a snapshot. The number of shards tells a whole one from one
// that was cut between two shards.
type laneState struct {
	Globals []schema.Control `json:"globals"`
	Shards  int              `json:"shards"`
}

// Snapshot writes a laneState; then for each shard in order: its number, its
// clock, and the state of each stateful step, each as a run of blocks
// (framing.go).
func (l *correlateLane) Snapshot(w io.Writer) error {
	head, err := json.Marshal(laneState{l.globals, len(l.shards)})
	if err != nil {
		return fmt.Errorf("encoding control records: %w", err)
	}
	if err := writeSection(w, func(w io.Writer) error { _, err := w.Write(head); return err }); err != nil {
		return err
	}
	for _, id := range l.order() {
		s := l.shards[id]
		clock, err := json.Marshal(s.clock.state())
		if err != nil {
			return fmt.Errorf("encoding the clock of shard %d: %w", id, err)
		}
		head := binary.BigEndian.AppendUint16(nil, uint16(id))
		if err := writeSection(w, func(w io.Writer) error { _, err := w.Write(append(head, clock...)); return err }); err != nil {
			return err
		}
		for _, step := range s.chain.steps {
			if st, ok := step.Stage.(stages.Stateful); ok {
				if err := writeSection(w, st.Snapshot); err != nil {
					return fmt.Errorf("writing the state of %s, shard %d: %w", step.Name, id, err)
				}
			}
		}
	}
	return nil
}

// Restore reads what Snapshot wrote.
func (l *correlateLane) Restore(r io.Reader) error {
	l.shards = map[schema.Shard]*shard{}
	var state laneState
	head, err := io.ReadAll(&section{r: r})
	if err == nil {
		err = json.Unmarshal(head, &state)
	}
	if err != nil {
		return fmt.Errorf("reading control records: %w", err)
	}
	l.globals, l.saved = state.Globals, state.Globals
	for range state.Shards {
		if err := l.restoreShard(r); err != nil {
			return err
		}
	}
	if len(l.shards) != state.Shards {
		return fmt.Errorf("reading the shards: %d of %d are there twice", state.Shards-len(l.shards), state.Shards)
	}
	if n, err := io.Copy(io.Discard, r); err != nil || n > 0 {
		return fmt.Errorf("reading the shards: %d bytes behind the last one: %w", n, cmp.Or(err, errDamaged))
	}
	return nil
}

var errDamaged = errors.New("the snapshot is damaged")

func (l *correlateLane) restoreShard(r io.Reader) error {
	head, err := io.ReadAll(&section{r: r})
	if err != nil {
		return fmt.Errorf("reading a shard's clock: %w", err)
	}
	id, ok := shardOfKey(head[:min(2, len(head))])
	if !ok {
		return fmt.Errorf("reading a shard's number: %w", errDamaged)
	}
	var state clockState
	if err := json.Unmarshal(head[2:], &state); err != nil {
		return fmt.Errorf("reading the clock of shard %d: %w", id, err)
	}
	steps, err := l.build(id)
	if err != nil {
		return fmt.Errorf("building the stages of shard %d: %w", id, err)
	}
	s := &shard{id: id, chain: chain{steps: steps, count: l.count}, clock: newClock(l.lateness, l.expected)}
	state.restore(s.clock)
	for _, step := range steps {
		st, ok := step.Stage.(stages.Stateful)
		if !ok {
			continue
		}
		sec := &section{r: r}
		if err := st.Restore(sec); err != nil {
			return fmt.Errorf("restoring %s, shard %d: %w", step.Name, id, err)
		}
		if n, err := io.Copy(io.Discard, sec); err != nil || n > 0 {
			return fmt.Errorf("restoring %s, shard %d: %d bytes too many: %w", step.Name, id, n, cmp.Or(err, errDamaged))
		}
		if !sec.done {
			return fmt.Errorf("restoring %s, shard %d: %w", step.Name, id, errDamaged)
		}
	}
	l.shards[id] = s
	return nil
}

func shardOfKey(key []byte) (schema.Shard, bool) {
	if len(key) != 2 {
		return 0, false
	}
	s := schema.Shard(binary.BigEndian.Uint16(key))
	return s, s < schema.Shards
}

var _ StatefulLane = (*correlateLane)(nil)
