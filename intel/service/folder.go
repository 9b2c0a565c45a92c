package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
)

// Folder is a library on disk as a service needs it.
type Folder struct{ *library.Library }

var _ Library = Folder{}

// Feeds lists what is stored.
func (f Folder) Feeds() ([]Stored, error) {
	list, err := f.Library.Feeds()
	if err != nil {
		return nil, err
	}
	out := make([]Stored, 0, len(list))
	for i := range list {
		s := &list[i]
		if s.Feed == library.Analyst { // nobody's feed
			continue
		}
		c := &s.Config
		var damaged []string
		for _, d := range s.Damaged {
			damaged = append(damaged, d.File+": "+d.Reason)
		}
		m := remember(s.Fetch)
		where := place(&fact.Feed{Transport: c.Transport, URL: c.URL, File: c.File, Collection: c.Collection, Format: c.Format})
		out = append(out, Stored{Name: s.Feed, Tenant: c.Tenant, Transport: c.Transport, Place: where, Last: reported(&s.LastReport), Origin: s.LastReport.Origin,
			Indicators: s.Standing.Indicators, Expired: s.Standing.Aside["expired"],
			First: s.FirstPull, Pulled: s.LastPull, Good: s.LastGood, Changed: s.LastChange, Due: s.NextDue, Failures: s.Errors, Error: s.LastError,
			Broken: m.Broken, Waiting: m.Waiting, Damaged: damaged})
	}
	return out, nil
}

// State gives what the last pull of a feed left, and whether facts of it are stored. Of
// one that is damaged that is that all of it is owed.
func (f Folder) State(feed string) (state []byte, known bool, err error) {
	s, err := f.Status(feed)
	if errors.Is(err, library.ErrUnknownFeed) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading what is known of feed %s: %w", feed, err)
	}
	if len(s.Damaged) > 0 {
		state, err := json.Marshal(memory{Lost: true})
		return state, true, err
	}
	return s.Fetch, s.Generation > 0, nil
}

// Begin starts an import.
func (f Folder) Begin(ctx context.Context, feed *fact.Feed, origin string, mode fact.Mode, now time.Time) (Import, error) {
	im, err := f.Library.Begin(ctx, feed, origin, mode, now)
	if err != nil {
		return nil, err // not a nil *library.Import in an Import
	}
	return folderImport{im}, nil
}

type folderImport struct{ *library.Import }

// Commit commits, and reports also where it fails.
func (i folderImport) Commit(state []byte) (Report, error) {
	r, err := i.Import.Commit(state)
	return reported(&r), err
}

func reported(r *library.Report) Report {
	return Report{Indicators: r.Indicators, Added: r.Added, Changed: r.Changed, Removed: r.Removed, Expired: r.Expired, Refused: r.Refused,
		Read: r.Read}
}
