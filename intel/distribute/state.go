package distribute

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/interdict/interdict/schema"
)

const stateFile = "published.json"

// state is what the publisher knows of the log, on disk. It is written before and
// after every append: before, with what is about to be appended; after, without. So
// whatever is on the log after a crash is one of the two.
type state struct {
	Version   json.RawMessage `json:"version,omitempty"` // of the library that the log has
	Content   uint64          `json:"content,string"`    // of the index that the log leads to
	Seq       uint64          `json:"seq"`               // newest on the log
	Offset    int64           `json:"offset"`            // of the newest record
	Changes   int             `json:"changes"`           // since the newest snapshot
	Snapshots []stored        `json:"snapshots"`         // oldest first
	Pending   *pending        `json:"pending,omitempty"`
}

// pending is what may or may not be on the log.
type pending struct {
	Version  json.RawMessage `json:"version,omitempty"`
	Content  uint64          `json:"content,string"`
	Seq      uint64          `json:"seq"`
	Changes  int             `json:"changes"`
	Snapshot *stored         `json:"snapshot,omitempty"` // a reference to it is what is appended
}

// stored is a snapshot that the log refers to.
type stored struct {
	Name       string        `json:"name"`
	Content    uint64        `json:"content,string"`
	Size       int64         `json:"size"`
	Indicators int           `json:"indicators"`
	Made       schema.Millis `json:"made"` // when it was last referred to
	Seq        uint64        `json:"seq"`
	Offset     int64         `json:"offset"` // of the newest reference
}

// newest gives the snapshot that was referred to last; nil if there is none.
func (s *state) newest() *stored {
	if len(s.Snapshots) == 0 {
		return nil
	}
	return &s.Snapshots[len(s.Snapshots)-1]
}

// names reports whether a snapshot is one of those that the log refers to, or may.
func (s *state) names(name string) bool {
	for i := range s.Snapshots {
		if s.Snapshots[i].Name == name {
			return true
		}
	}
	return s.Pending != nil && s.Pending.Snapshot != nil && s.Pending.Snapshot.Name == name
}

// settle makes what was pending the published state. offset is that of its last record.
func (s *state) settle(offset int64) {
	p := s.Pending
	s.Version, s.Content, s.Seq, s.Offset, s.Changes = p.Version, p.Content, p.Seq, offset, p.Changes
	if p.Snapshot != nil {
		p.Snapshot.Offset = offset
		if last := s.newest(); last != nil && last.Name == p.Snapshot.Name {
			*last = *p.Snapshot
		} else {
			s.Snapshots = append(s.Snapshots, *p.Snapshot)
		}
	}
	s.Pending = nil
}

// loadState reads the state; none is an empty one.
func loadState(dir string) (state, error) {
	var s state
	b, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("reading what was published: %w", err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("reading what was published: %s: %w", stateFile, errors.Join(errState, err))
	}
	for i := range s.Snapshots {
		if !validName(s.Snapshots[i].Name) {
			return s, fmt.Errorf("reading what was published: snapshot %q: %w", s.Snapshots[i].Name, errState)
		}
	}
	if p := s.Pending; p != nil && p.Snapshot != nil && !validName(p.Snapshot.Name) {
		return s, fmt.Errorf("reading what was published: snapshot %q: %w", p.Snapshot.Name, errState)
	}
	return s, nil
}

var errState = errors.New("the file is damaged")

// save replaces the state on disk as a whole.
func (s *state) save(dir string) (err error) {
	b, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return fmt.Errorf("noting what is published: %w", err)
	}
	path := filepath.Join(dir, stateFile)
	defer func() {
		if err != nil {
			err = fmt.Errorf("noting what is published: %w", err)
		}
	}()
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return err
	}
	return syncFolder(dir)
}
