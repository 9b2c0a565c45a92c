package distribute

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// building is the file that a snapshot is written to before it has a name.
const building = "building"

// due says why a snapshot should be published now; nothing if it should not.
func (p *Publisher) due() string {
	last := p.st.newest()
	switch age := p.now().Sub(last.Made.Time()); {
	case p.st.Changes >= p.cfg.SnapshotChanges:
		return fmt.Sprintf("%d changes since the last", p.st.Changes)
	case age >= p.cfg.SnapshotEvery:
		return fmt.Sprintf("the last is %s old", age.Round(time.Second))
	}
	return ""
}

// rebuild makes the index anew from the library and publishes it as a snapshot.
func (p *Publisher) rebuild(ctx context.Context, rep *Published) error {
	p.slog.Warn("building the published indicators anew", "reason", rep.Reason)
	p.statusMu.Lock()
	p.status.Rebuilds++
	p.statusMu.Unlock()
	path := filepath.Join(p.dir, building)
	if err := removeAll(path, path+".tmp", path+".previous"); err != nil {
		return err
	}
	version, err := p.lib.Build(ctx, path)
	if err != nil {
		return fmt.Errorf("building a snapshot: %w", err)
	}
	return p.refer(ctx, version, path, rep)
}

// snapshot publishes the index as it is: as a new file or, where nothing has changed
// since the last one, by another reference to that.
func (p *Publisher) snapshot(ctx context.Context, version json.RawMessage, rep *Published) error {
	if last := p.st.newest(); last != nil && last.Content == p.x.ID() {
		if hash, size, err := hashFile(ctx, filepath.Join(p.dir, last.Name)); err == nil && size == last.Size && nameOf(hash) == last.Name {
			return p.announce(ctx, version, *last, rep)
		}
	}
	path := filepath.Join(p.dir, building)
	if err := removeAll(path, path+".previous"); err != nil {
		return err
	}
	if err := p.x.WriteSnapshot(path); err != nil {
		return err
	}
	return p.refer(ctx, version, path, rep)
}

// refer gives a snapshot its name, and publishes a reference to it. The index is that
// of the file from now on.
func (p *Publisher) refer(ctx context.Context, version json.RawMessage, path string, rep *Published) error {
	hash, size, err := hashFile(ctx, path)
	if err != nil {
		return err
	}
	x, err := match.OpenSnapshot(path)
	if err != nil {
		return err
	}
	s := stored{Name: nameOf(hash), Content: x.ID(), Size: size, Indicators: x.Len()}
	if err := os.Rename(path, filepath.Join(p.dir, s.Name)); err != nil {
		return fmt.Errorf("naming a snapshot: %w", err)
	}
	if err := syncFolder(p.dir); err != nil {
		return fmt.Errorf("naming a snapshot: %w", err)
	}
	p.x = x
	return p.announce(ctx, version, s, rep)
}

// announce publishes a reference to a snapshot of the index, which has its name.
func (p *Publisher) announce(ctx context.Context, version json.RawMessage, s stored, rep *Published) error {
	s.Made, s.Seq = schema.FromTime(p.now()), p.nextSeq(p.st.Seq)
	p.st.Pending = &pending{Version: version, Content: s.Content, Seq: s.Seq, Snapshot: &s}
	if err := p.st.save(p.dir); err != nil { // before the store has it: what is not noted would stay there for ever
		return err
	}
	locations, err := p.store.Put(ctx, s.Name, filepath.Join(p.dir, s.Name))
	if err != nil {
		return err
	}
	p.fail(FailStored)
	ref := schema.IndicatorSnapshot{Seq: s.Seq, Content: s.Content, Hash: hashOf(s.Name), Size: s.Size, Indicators: int64(s.Indicators), Made: s.Made, Locations: locations}
	if err := p.append(ctx, [][]byte{schema.AppendSnapshotEntry(nil, &ref)}); err != nil {
		return err
	}
	rep.Snapshot = s.Name
	return nil
}

// hashOf gives the hash in a valid name.
func hashOf(name string) (h [sha256.Size]byte) {
	b, _ := hex.DecodeString(strings.TrimSuffix(name, suffix)) // the name is valid
	copy(h[:], b)
	return h
}

// expire deletes snapshots that no worker will ask for any more.
func (p *Publisher) expire(ctx context.Context) error {
	for len(p.st.Snapshots) > 2 && p.now().Sub(p.st.Snapshots[1].Made.Time()) > p.cfg.KeepFor {
		name := p.st.Snapshots[0].Name
		rest := p.st
		rest.Snapshots = append([]stored(nil), p.st.Snapshots[1:]...)
		if !rest.names(name) { // the same file may have come back
			if err := p.store.Delete(ctx, name); err != nil {
				return err
			}
			if err := removeAll(filepath.Join(p.dir, name)); err != nil {
				return err
			}
			p.fail(FailExpired)
		}
		p.st = rest
		if err := p.st.save(p.dir); err != nil {
			return err
		}
	}
	return nil
}

func removeAll(files ...string) error {
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidying up: %w", err)
		}
	}
	return nil
}
