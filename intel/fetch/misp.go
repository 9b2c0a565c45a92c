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
func (p *pull) misp(ctx context.Context, s *session) error {
	p.result.Mode, p.result.Whole = fact.Update, true
	base := folder(s.origin)
	at := base.JoinPath("manifest.json")
	a, err := p.askChanged(ctx, s, at, "application/json")
	if err != nil || p.result.NotModified {
		return err
	}
	events, err := p.manifest(a)
	if err != nil {
		return fmt.Errorf("%s: %w", show(at), err)
	}

	p.next.ETag, p.next.Modified = "", "" // until all of it was had
	p.next.Events = maps.Clone(p.old.Events)
	if p.next.Events == nil {
		p.next.Events = map[string]int64{}
	}
	var changed []string
	for id, t := range events {
		if old, ok := p.old.Events[id]; !ok || old != t {
			changed = append(changed, id)
		}
	}
	slices.SortFunc(changed, func(x, y string) int {
		return cmp.Or(cmp.Compare(events[x], events[y]), strings.Compare(x, y))
	})
	missing, err := p.events(ctx, s, base, changed, events)
	if err != nil {
		return err
	}
	for id := range p.old.Events {
		if _, ok := events[id]; !ok {
			p.result.Gone = append(p.result.Gone, id)
			delete(p.next.Events, id)
		}
	}
	slices.Sort(p.result.Gone)
	p.result.NotModified = len(changed) == missing && len(p.result.Gone) == 0
	if missing == 0 {
		p.next.remember(a.Header)
	}
	return nil
}

// events gets events one by one, and counts those that are not there.
func (p *pull) events(ctx context.Context, s *session, base *url.URL, ids []string, times map[string]int64) (missing int, err error) {
	var lost error
	for _, id := range ids {
		err := p.event(ctx, s, base.JoinPath(id+".json"), id)
		var absent *absentError
		switch {
		case errors.As(err, &absent):
			// The folder may be written anew just now. The others are none the worse.
			missing++
			lost = err
			p.skip(id, err)
			continue
		case err != nil:
			return missing, err
		}
		p.next.Events[id], p.progress = times[id], true
	}
	if missing > 0 && missing == len(times) {
		return missing, fmt.Errorf("none of the %d events of the manifest is there: %w", missing, lost)
	}
	return missing, nil
}

// absentError says that an event is in the manifest and not in the folder.
type absentError struct{ err error }

func (e *absentError) Error() string { return e.err.Error() }
func (e *absentError) Unwrap() error { return e.err }

func (p *pull) event(ctx context.Context, s *session, u *url.URL, id string) error {
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
