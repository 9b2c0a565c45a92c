package intel

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"github.com/interdict/interdict/intel/service"
)

// reread gets a feed whole where its settings are not those under which it was read
// last: text that has not changed since may say something else now, and to whom it
// is shown may be another question.
type reread struct{ service.Fetcher }

// readAs is the state of a feed: what the fetcher keeps, and the settings under which
// it was read.
type readAs struct {
	Settings string          `json:"settings"`
	Fetch    json.RawMessage `json:"fetch,omitempty"`
}

// lastRead gives what is kept of a feed that was read under the same settings.
func lastRead(settings string, state []byte) (last readAs) {
	if json.Unmarshal(state, &last) != nil || last.Settings != settings {
		return readAs{}
	}
	return last
}

func (r reread) Pull(ctx context.Context, f *fact.Feed, state []byte, yield fetch.Yield) (fetch.Result, error) {
	settings, err := readingOf(f)
	if err != nil {
		return fetch.Result{}, err
	}
	last := lastRead(settings, state)
	res, err := r.Fetcher.Pull(ctx, f, last.Fetch, yield)
	if err != nil {
		return res, err
	}
	if len(res.State) == 0 { // as before
		res.State = last.Fetch
	}
	if res.State, err = json.Marshal(readAs{settings, res.State}); err != nil {
		return res, fmt.Errorf("feed %s: keeping the fetcher's state: %w", f.Name, err)
	}
	return res, nil
}

// Look looks beside what the fetcher keeps of a feed; beside nothing under other
// settings.
func (r reread) Look(f *fact.Feed, state []byte) fetch.Seen {
	settings, err := readingOf(f)
	if err != nil { // the pull says so
		state = nil
	}
	return r.Fetcher.Look(f, lastRead(settings, state).Fetch)
}

// readingOf gives a digest of the settings that decide what a feed's text is taken
// for. How often and from whom it is got does not matter to that; where, the fetcher
// looks after.
func readingOf(f *fact.Feed) (string, error) {
	c := *f
	c.Every, c.Silence, c.MaxBytes, c.MaxShrink, c.MaxRefused, c.AllowPrivate, c.Auth = 0, 0, 0, 0, 0, false, fact.Auth{}
	c.Transport, c.URL, c.File, c.Collection = "", "", "", ""
	text, err := json.Marshal(&c)
	if err != nil {
		return "", fmt.Errorf("feed %s: its settings: %w", f.Name, err)
	}
	return fmt.Sprintf("%016x", xxh3.Hash(text)), nil
}
