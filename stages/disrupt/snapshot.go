package disrupt

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/interdict/interdict/schema"
)

// stateVersion is the version of the snapshot form and of what the state means.
const stateVersion = 1

// maxRecord bounds a line of a snapshot, in bytes. The largest is a lease with
// all its causes.
const maxRecord = 8 << 20

// A snapshot is a line of JSON per record: a head, then each tenant with what
// belongs to it, then the number of lines before, as the end. Everything is
// sorted, so that the same state gives the same bytes.
type snapshotLine struct {
	Head    *snapshotHead    `json:"head,omitempty"`
	Tenant  *snapshotTenant  `json:"tenant,omitempty"`
	Asset   *snapshotAsset   `json:"asset,omitempty"`
	Suspect *snapshotSuspect `json:"suspect,omitempty"`
	Lease   *lease           `json:"lease,omitempty"`
	Verdict *snapshotVerdict `json:"verdict,omitempty"`
	End     *int             `json:"end,omitempty"`
}

type snapshotHead struct {
	Version  int               `json:"version"`
	Kill     bool              `json:"kill"`
	Policies map[string]string `json:"policies"` // name to hash
}

type snapshotTenant struct {
	Name    string           `json:"name"`
	Vars    vars             `json:"vars"`
	Buckets []snapshotBucket `json:"buckets,omitempty"`
}

type snapshotBucket struct {
	Type schema.EntityType `json:"type"`
	bucket
}

type snapshotAsset struct {
	Ref schema.EntityRef `json:"ref"`
	asset
}

type snapshotSuspect struct {
	suspectKey
	suspect
}

type snapshotVerdict struct {
	Alert schema.AlertID `json:"alert"`
	disproof
}

// Snapshot writes the committed state.
func (d *Disruptor) Snapshot(w io.Writer) error {
	bw := bufio.NewWriterSize(w, 64<<10)
	enc := json.NewEncoder(bw)
	enc.SetEscapeHTML(false)
	lines := 0
	var failed error
	line := func(l snapshotLine) {
		if failed == nil {
			failed = enc.Encode(l)
			lines++
		}
	}
	head := snapshotHead{Version: stateVersion, Kill: d.kill.v, Policies: map[string]string{}}
	for _, p := range d.catalog.policies {
		head.Policies[p.name] = p.hash
	}
	line(snapshotLine{Head: &head})
	for _, name := range d.names() {
		d.tenant(name).snapshot(line)
	}
	if failed == nil {
		failed = enc.Encode(snapshotLine{End: &lines})
	}
	if failed == nil {
		failed = bw.Flush()
	}
	if failed != nil {
		return fmt.Errorf("disrupt: writing a snapshot: %w", failed)
	}
	return nil
}

func (t *tenant) snapshot(line func(snapshotLine)) {
	st := snapshotTenant{Name: t.name, Vars: t.vars.v}
	for _, typ := range slices.Sorted(maps.Keys(t.buckets.m)) {
		st.Buckets = append(st.Buckets, snapshotBucket{typ, t.buckets.m[typ]})
	}
	line(snapshotLine{Tenant: &st})
	refs := slices.SortedFunc(maps.Keys(t.assets.m), func(a, b schema.EntityRef) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Key, b.Key))
	})
	for _, ref := range refs {
		line(snapshotLine{Asset: &snapshotAsset{ref, t.assets.m[ref]}})
	}
	for _, k := range slices.SortedFunc(maps.Keys(t.suspects.m), suspectKey.compare) {
		line(snapshotLine{Suspect: &snapshotSuspect{k, *t.suspects.m[k]}})
	}
	for _, id := range t.leaseIDs() {
		line(snapshotLine{Lease: t.leases.m[id]})
	}
	for _, id := range slices.SortedFunc(maps.Keys(t.disproof.m), schema.AlertID.Compare) {
		line(snapshotLine{Verdict: &snapshotVerdict{id, t.disproof.m[id]}})
	}
}

// Restore reads what Snapshot wrote. Evidence gathered under a policy that has
// changed since is dropped; leases stay in force.
func (d *Disruptor) Restore(r io.Reader) error {
	d.reset()
	err := d.restore(r)
	d.journal.commit()
	d.epoch++
	if err != nil {
		return fmt.Errorf("disrupt: restoring: %w", err)
	}
	return nil
}

func (d *Disruptor) restore(r io.Reader) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxRecord)
	var (
		lines int
		head  *snapshotHead
		t     *tenant
		ended bool
	)
	for in.Scan() {
		if ended {
			return errors.New("something follows the end")
		}
		var l snapshotLine
		dec := json.NewDecoder(bytes.NewReader(in.Bytes()))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			return fmt.Errorf("line %d: %w", lines+1, err)
		}
		if l.Head != nil {
			if head != nil || lines != 0 {
				return fmt.Errorf("line %d: a second head", lines+1)
			}
			head = l.Head
			if head.Version != stateVersion {
				return fmt.Errorf("state version %d: want %d", head.Version, stateVersion)
			}
			d.kill.v = head.Kill
		} else if head == nil {
			return errors.New("no head")
		}
		var err error
		switch {
		case l.Tenant != nil:
			t, err = d.restoreTenant(l.Tenant)
		case l.End != nil:
			ended = true
			if *l.End != lines {
				err = fmt.Errorf("%d lines were written", *l.End)
			}
		case l.Head != nil:
		case t == nil:
			err = errors.New("no tenant before it")
		default:
			err = d.restoreRecord(t, head, &l)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", lines+1, err)
		}
		lines++
		d.journal.commit() // nothing here is ever rolled back
	}
	if err := in.Err(); err != nil {
		return err
	}
	if !ended {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// maxMillis keeps sums of times far from overflow.
const maxMillis = schema.Millis(1) << 48

func sane(times ...schema.Millis) error {
	for _, m := range times {
		if m < -maxMillis || m > maxMillis {
			return fmt.Errorf("time %d is out of range", int64(m))
		}
	}
	return nil
}

func (d *Disruptor) restoreTenant(s *snapshotTenant) (*tenant, error) {
	if _, twice := d.tenants.get(s.Name); twice {
		return nil, fmt.Errorf("tenant %q is there twice", s.Name)
	}
	t := d.tenant(s.Name)
	t.vars.v = s.Vars
	if err := sane(s.Vars.Clock, s.Vars.Swept, s.Vars.Due); err != nil {
		return nil, err
	}
	for _, b := range s.Buckets {
		if err := sane(b.Since); err != nil {
			return nil, err
		}
		if b.Level < 0 || b.Level > token<<20 {
			return nil, fmt.Errorf("bucket level %d is out of range", b.Level)
		}
		t.buckets.put(b.Type, b.bucket)
	}
	return t, nil
}

func (d *Disruptor) restoreRecord(t *tenant, head *snapshotHead, l *snapshotLine) error {
	switch {
	case l.Asset != nil:
		a := l.Asset
		if _, twice := t.assets.get(a.Ref); twice || !usable(a.Ref.Key) {
			return fmt.Errorf("asset %q is there twice or has no usable key", a.Ref.Key)
		}
		t.setAsset(&schema.Asset{Entity: a.Ref, Class: a.Class, Fresh: a.Fresh, Version: a.Version})
		return sane(a.Fresh)
	case l.Suspect != nil:
		return d.restoreSuspect(t, head, l.Suspect)
	case l.Lease != nil:
		return t.restoreLease(l.Lease)
	case l.Verdict != nil:
		if len(t.disproof.m) >= maxDisproofs {
			return errors.New("too many verdicts")
		}
		t.disproof.put(l.Verdict.Alert, l.Verdict.disproof)
		return sane(l.Verdict.Time)
	}
	return errors.New("an empty record")
}

func (d *Disruptor) restoreSuspect(t *tenant, head *snapshotHead, s *snapshotSuspect) error {
	p := d.catalog.byName[s.Policy]
	if p == nil || p.hash != head.Policies[s.Policy] {
		return nil
	}
	if _, ok := p.arms[s.Target.Type]; !ok || !usable(s.Target.Key) {
		return fmt.Errorf("policy %q has no target %q", s.Policy, s.Target.Type)
	}
	if _, twice := t.suspects.get(s.suspectKey); twice {
		return fmt.Errorf("suspect %q is there twice", s.Target.Key)
	}
	if len(t.suspects.m) >= d.cfg.MaxSuspects {
		return errors.New("too many suspects")
	}
	if err := checkEvidence(s.Evidence); err != nil {
		return err
	}
	for i := 1; i < len(s.Evidence); i++ {
		if s.Evidence[i-1].compare(&s.Evidence[i]) >= 0 {
			return errors.New("evidence is not in order")
		}
	}
	t.setSuspect(s.suspectKey, &s.suspect)
	return nil
}

func checkEvidence(list []evidence) error {
	if len(list) == 0 || len(list) > maxEvidence {
		return fmt.Errorf("%d pieces of evidence: want 1 to %d", len(list), maxEvidence)
	}
	for i := range list {
		if !usable(list[i].Source) {
			return errors.New("evidence without a source")
		}
		if err := sane(list[i].Created, list[i].Ingested); err != nil {
			return err
		}
		for k := range i {
			if list[k].Alert == list[i].Alert {
				return errors.New("an alert is evidence twice")
			}
		}
	}
	return nil
}

func (t *tenant) restoreLease(l *lease) error {
	if l.Tenant != t.name || l.ID != schema.NewLeaseID(t.name, l.Target, l.Action) || l.State != schema.LeaseActive {
		return fmt.Errorf("lease %s is not an active one of tenant %q", l.ID, t.name)
	}
	if _, twice := t.leases.get(l.ID); twice {
		return fmt.Errorf("lease %s is there twice", l.ID)
	}
	if n := len(l.Causes); n == 0 || n > maxCauses {
		return fmt.Errorf("lease %s has %d causes", l.ID, n)
	}
	for i := range l.Causes {
		if err := checkEvidence(l.Causes[i].Evidence); err != nil {
			return fmt.Errorf("lease %s: %w", l.ID, err)
		}
		if err := sane(l.Causes[i].Until); err != nil {
			return err
		}
	}
	if err := sane(l.From, l.Until); err != nil {
		return err
	}
	t.putLease(l)
	return nil
}
