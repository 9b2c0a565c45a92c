package library

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// state is a feed's feed.json: which generations are in force, and how its pulls
// went. Replacing the file is the moment in which an import counts.
type state struct {
	Feed    string   `json:"feed"`
	Removed bool     `json:"removed,omitzero"`
	Last    uint64   `json:"last"`            // largest number given to a generation
	Facts   uint64   `json:"facts"`           // generation of .facts and .objects; zero: none
	Refused uint64   `json:"refused"`         // generation of .refused.ndjson: of the last pull
	Before  uint64   `json:"before,omitzero"` // the one before
	Current uint64   `json:"current"`         // generation of .current; it stays where an import changes nothing
	Kept    []uint64 `json:"kept,omitempty"`  // older ones of .current, oldest first
	Tenant  string   `json:"tenant,omitzero"` // whose the facts are
	Since   uint64   `json:"since,omitzero"`  // first generation of theirs: older ones are of another tenant, or of a feed that was removed

	Summary  Summary         `json:"summary"`
	Mode     fact.Mode       `json:"mode"`
	Fetch    json.RawMessage `json:"fetch,omitempty"` // what the fetcher keeps
	Report   Report          `json:"report"`          // of the last import
	First    schema.Millis   `json:"first,omitzero"`  // first pull, however it went
	Pulled   schema.Millis   `json:"pulled,omitzero"` // last pull, however it went
	Good     schema.Millis   `json:"good,omitzero"`   // last one without an error
	Changed  schema.Millis   `json:"changed,omitzero"`
	Due      schema.Millis   `json:"due,omitzero"`
	Error    string          `json:"error,omitzero"`
	Errors   int             `json:"errors,omitzero"` // in a row
	Shrunk   schema.Millis   `json:"shrunk,omitzero"` // first of the pulls since the last import that lacked too much: see shrink.go
	Standing Standing        `json:"standing"`

	Derived    schema.Millis `json:"derived,omitzero"`  // when .current was last made or found to be the same
	Settings   string        `json:"settings,omitzero"` // digest of what it was derived with
	Settled    schema.Millis `json:"settled,omitzero"`  // since when it is derived with that
	Journal    uint64        `json:"journal,omitzero"`  // overrides it was derived with
	NextExpiry schema.Millis `json:"next_expiry,omitzero"`
}

// same reports that the files in force are those of another state.
func (st *state) same(o *state) bool {
	return st.Last == o.Last && st.Facts == o.Facts && st.Current == o.Current && st.Refused == o.Refused
}

// kept gives the generations of .current that stay when the one in force does not.
func (st *state) kept() []uint64 {
	if st.Current == 0 {
		return st.Kept
	}
	return append(slices.Clip(st.Kept), st.Current)
}

// sealed is the file: the state and the xxh3 of its bytes.
type sealed struct {
	Sum   string          `json:"xxh3"`
	State json.RawMessage `json:"state"`
}

const maxState = 64 << 20

// state reads a feed's state. There is none for a feed that was never tried.
func (l *Library) state(feed string) (*state, error) {
	if !feedName.MatchString(feed) {
		return nil, fmt.Errorf("feed name %q: want letters, digits, dot, dash and underscore, at most 100", feed)
	}
	path := filepath.Join(l.feedDir(feed), "feed.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("feed %s: %w", feed, ErrUnknownFeed)
	}
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", feed, err)
	}
	st, err := decodeState(text)
	if err == nil && st.Feed != feed {
		err = fmt.Errorf("it is of feed %q", st.Feed)
	}
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", feed, &fileError{path, err.Error()})
	}
	return st, nil
}

func decodeState(text []byte) (*state, error) {
	var s sealed
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	// The file is written in the one form that its sum is about, newline included.
	if want, err := seal(s.State); err != nil || !bytes.Equal(want, text) {
		return nil, errors.New("its sum does not fit")
	}
	st := &state{}
	if err := json.Unmarshal(s.State, st); err != nil {
		return nil, err
	}
	if st.First == 0 && st.Facts > 0 { // of before states told the tenant and the first pull
		st.Tenant = st.Summary.Tenant
	}
	return st, nil
}

// numbered gives a state to go on from where that of a feed cannot be read: it has
// nothing but a number that no generation had. The files may all be gone, so it is at
// least the clock, which is ahead of any count.
func (l *Library) numbered(feed string, now schema.Millis) (*state, error) {
	st := &state{Feed: feed, Last: uint64(max(0, now/1000))}
	entries, err := os.ReadDir(l.feedDir(feed))
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", feed, err)
	}
	for _, e := range entries {
		if n, _, ok := generationOf(e.Name()); ok {
			st.Last = max(st.Last, n)
		}
	}
	return st, nil
}

func seal(raw json.RawMessage) ([]byte, error) {
	text, err := json.Marshal(sealed{fmt.Sprintf("%016x", xxh3.Hash(raw)), raw})
	return append(text, '\n'), err
}

// writeState puts a state in force. The feed must be locked.
func (l *Library) writeState(st *state) error {
	raw, err := json.Marshal(st)
	if err != nil {
		return fmt.Errorf("feed %s: writing its state: %w", st.Feed, err)
	}
	text, err := seal(raw)
	if err != nil || len(text) > maxState {
		return fmt.Errorf("feed %s: writing its state of %d bytes: %w", st.Feed, len(text), errors.Join(err, errTooLong))
	}
	if err := l.replaceFile(filepath.Join(l.feedDir(st.Feed), "feed.json"), text); err != nil {
		return fmt.Errorf("feed %s: writing its state: %w", st.Feed, err)
	}
	return nil
}

var errTooLong = errors.New("too long")

// replaceFile gives a file other content, so that a crash leaves the old or the new.
func (l *Library) replaceFile(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := l.step("state"); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, temporary+"*")
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = l.step("state written")
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = l.step("rename")
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return l.syncFolders(dir)
}

// syncFolders makes durable which names folders have.
func (l *Library) syncFolders(dirs ...string) error {
	for _, dir := range dirs {
		if err := l.step("sync " + dir); err != nil {
			return err
		}
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}
