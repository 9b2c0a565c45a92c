package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
)

// misp pulls the events of a MISP feed whose timestamps differ from those of the
// last pull, the oldest change first, one after the other. Each part is named by
// the event's UUID and is all of the event. Every event that was yielded counts,
// also if a later one fails.
//
// Who removes an attribute from an event in MISP makes the event a changed one, but a
// feed leaves the attribute out rather than to say that it was deleted; and an event
// that is being edited is out of the manifest until it is published again, with the
// same attributes. So attributes are remembered by their UUIDs (see members), and those
// that no event has any more are taken back by a part of their own, at the end. One
// that has no UUID, and the report that an event is, go with the next whole pull.
func (p *pull) misp(ctx context.Context, s *session) error {
	p.result.Mode, p.result.Whole = fact.Update, true
	base := folder(s.origin)
	at := base.JoinPath("manifest.json")
	a, err := p.askChanged(ctx, s, at, "application/json")
	if err != nil || p.result.NotModified {
		return err
	}
	times, err := p.manifest(a)
	if err != nil {
		return fmt.Errorf("%s: %w", show(at), err)
	}

	p.next.ETag, p.next.Modified = "", "" // until all of it was had
	p.next.Events = maps.Clone(p.old.Events)
	if p.next.Events == nil {
		p.next.Events = map[string]int64{}
	}
	order := slices.SortedFunc(maps.Keys(times), func(x, y string) int {
		return cmp.Or(cmp.Compare(times[x], times[y]), strings.Compare(x, y))
	})
	var changed []string
	for _, id := range order {
		if old, ok := p.old.Events[id]; !ok || old != times[id] {
			changed = append(changed, id)
		}
	}
	e := &events{p: p, s: s, base: base, times: times, has: newMembership(p.old.Members, order)}
	err = e.pull(ctx, changed)
	if err == nil {
		err = e.vanished(ctx)
	}
	p.next.Members = e.has.of
	if err != nil {
		return err
	}
	p.result.NotModified = len(changed) == e.missing && len(p.result.Gone) == 0
	if e.missing == 0 {
		p.next.remember(a.Header, p.c.cfg.Now())
	}
	return nil
}

// events is the state of one pull of a feed's events.
type events struct {
	p       *pull
	s       *session
	base    *url.URL
	times   map[string]int64 // by the manifest
	missing int              // are in the manifest only

	has  *membership
	less []string          // events that have lost attributes
	gone [][uuidBytes]byte // these attributes
}

// pull gets events one by one, and counts those that are not there. Where it fails,
// events that have lost attributes are to be had again.
func (e *events) pull(ctx context.Context, ids []string) (err error) {
	p := e.p
	defer func() {
		if err != nil {
			e.forgetLess()
		}
	}()
	var lost error
	for _, id := range ids {
		var in members
		err := p.event(ctx, e.s, e.base.JoinPath(id+".json"), id, &in)
		var absent *absentError
		switch {
		case errors.As(err, &absent):
			// The folder may be written anew just now. The others are none the worse.
			e.missing++
			lost = err
			p.skip(id, err)
			continue
		case err != nil:
			return err
		}
		var gone [][uuidBytes]byte
		if len(in.uuids) > maxMembers*uuidBytes { // not all of them are known
			in.uuids = nil
		} else {
			gone = without(p.old.Members[id], in.uuids)
		}
		e.has.set(id, in.uuids)
		p.next.Events[id] = e.times[id]
		if len(gone) > 0 {
			e.less, e.gone = append(e.less, id), append(e.gone, gone...)
		} else {
			p.progress = true
		}
	}
	if e.missing > 0 && e.missing == len(e.times) {
		return fmt.Errorf("none of the %d events of the manifest is there: %w", e.missing, lost)
	}
	return nil
}

// forgetLess makes events that have lost attributes what they were before.
func (e *events) forgetLess() {
	for _, id := range e.less {
		e.p.next.Events[id] = e.p.old.Events[id]
		e.has.set(id, e.p.old.Members[id])
	}
}

// vanished finds the events that are no longer in the manifest, and takes back what
// they and the others no longer say.
func (e *events) vanished(ctx context.Context) error {
	p := e.p
	for id := range p.old.Events {
		if _, ok := e.times[id]; !ok {
			p.result.Gone = append(p.result.Gone, id)
			e.gone = append(e.gone, without(p.old.Members[id], nil)...)
			e.has.set(id, nil)
		}
	}
	slices.Sort(p.result.Gone)
	if err := e.takeBack(ctx); err != nil {
		e.forgetLess()
		for _, id := range p.result.Gone {
			e.has.set(id, p.old.Members[id])
		}
		return err
	}
	for _, id := range p.result.Gone {
		delete(p.next.Events, id)
	}
	return nil
}

// absentError says that an event is in the manifest and not in the folder.
type absentError struct{ err error }

func (e *absentError) Error() string { return e.err.Error() }
func (e *absentError) Unwrap() error { return e.err }

// event yields one event, and shows its text to watch.
func (p *pull) event(ctx context.Context, s *session, u *url.URL, id string, watch io.Writer) error {
	header := http.Header{}
	header.Set("Accept", "application/json")
	a, err := s.ask(ctx, u, header)
	if err != nil {
		return err
	}
	switch a.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return &absentError{a.refuse(s, u, why(a.StatusCode))}
	default:
		return a.refuse(s, u, why(a.StatusCode))
	}
	b, end, err := a.text(p.c.cfg.Idle, p.room)
	defer end()
	if err != nil {
		return fmt.Errorf("%s: %w", show(u), err)
	}
	b.r = io.TeeReader(b.r, watch)
	return p.part(fact.Part{Name: id, Format: fact.FormatMISP}, b)
}

// manifest reads the body of an answer as a manifest, and ends the answer.
func (p *pull) manifest(a *answer) (map[string]int64, error) {
	b, end, err := a.text(p.c.cfg.Idle, newBudget(p.c.cfg.MaxIndex, "the largest manifest"))
	defer end()
	if err != nil {
		return nil, err
	}
	events, err := decodeManifest(b)
	if b.failed != nil {
		return nil, b.failed
	}
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, b)
	return events, err
}

// folder gives the URL of the folder that has the manifest, also from the
// manifest's own.
func folder(u *url.URL) *url.URL {
	v := *u
	v.Path, v.RawPath = strings.TrimSuffix(v.Path, "manifest.json"), strings.TrimSuffix(v.RawPath, "manifest.json")
	return &v
}
