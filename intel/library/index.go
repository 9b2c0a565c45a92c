package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Index gives the index of everything that counts, and the version it is of. It is
// loaded from a snapshot file if one of that version and configuration is there, else
// built on disk and kept as one. What a file of the name of a snapshot has is never
// changed, so indexes that show it stay good. With a *Partial there is an index of what
// could be read, and the version is of that.
func (l *Library) Index(ctx context.Context, cfg match.Config) (*match.Index, Version, error) {
	v, lacks, err := l.now()
	if err != nil {
		return nil, "", err
	}
	if v == "" { // who only asks leaves no folder behind
		x, err := match.Build(cfg, nil)
		return x, v, errors.Join(err, lacks.Err())
	}
	path, err := l.snapshot(v, cfg)
	if err != nil {
		return nil, "", err
	}
	x, err := match.OpenSnapshot(path)
	if err == nil {
		return x, v, lacks.Err()
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, match.ErrSnapshot) {
		return nil, "", fmt.Errorf("loading the index: %w", err)
	}
	v, path, built := l.WriteSnapshot(ctx, cfg, func(v Version) (string, error) { return l.snapshot(v, cfg) })
	lacks = new(Partial)
	if err := lacks.Add(built); err != nil {
		return nil, "", fmt.Errorf("building the index: %w", err)
	}
	if x, err = match.OpenSnapshot(path); err != nil {
		return nil, "", fmt.Errorf("loading the index: %w", err)
	}
	if err := l.sweepSnapshots(path); err != nil {
		return nil, "", err
	}
	return x, v, lacks.Err()
}

// IndexIn is Index for who may not write to the library: the index is built in a folder,
// where its file must stay as long as it is used.
func (l *Library) IndexIn(ctx context.Context, dir string, cfg match.Config) (*match.Index, Version, error) {
	v, path, err := l.writeSnapshot(ctx, cfg, dir, func(Version) (string, error) { return filepath.Join(dir, "index"+snapshotEnd), nil })
	var lacks Partial
	if err := lacks.Add(err); err != nil {
		return nil, "", fmt.Errorf("building the index: %w", err)
	}
	x, err := match.OpenSnapshot(path)
	if err != nil {
		return nil, "", fmt.Errorf("loading the index: %w", err)
	}
	return x, v, lacks.Err()
}

// Version tells what counts now. A feed whose state is damaged has no part in it.
func (l *Library) Version() (Version, error) {
	v, _, err := l.now()
	return v, err
}

// now tells the version of now, and which feeds have no part in it.
func (l *Library) now() (Version, *Partial, error) {
	over, err := l.overlay()
	if err != nil {
		return "", nil, err
	}
	names, err := l.names()
	if err != nil {
		return "", nil, err
	}
	gens, lacks := map[string]uint64{}, &Partial{}
	for _, name := range names {
		st, err := l.state(name)
		if err == nil && st.Current > 0 {
			gens[name] = st.Current
		}
		if err := lacks.take(name, err); err != nil && !errors.Is(err, ErrUnknownFeed) {
			return "", nil, err
		}
	}
	return makeVersion(gens, over.seq), lacks, nil
}

// snapshot names the file of the index of a version and a configuration.
func (l *Library) snapshot(v Version, cfg match.Config) (string, error) {
	text, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("naming the index: %w", err)
	}
	return filepath.Join(l.dir, "index", schema.DeriveID("snapshot", string(v), string(text)).String()+snapshotEnd), nil
}

const snapshotEnd = ".snapshot"

// WriteSnapshot writes the index of everything that counts into a file, and gives the
// version it is of; place names the file. What no index takes is left out: it was
// admitted under other rules, such as an older list of public suffixes, and must not
// keep the rest from those who match. With a *Partial there is a snapshot of what could
// be read, and the version is of that.
func (l *Library) WriteSnapshot(ctx context.Context, cfg match.Config, place func(Version) (path string, err error)) (Version, string, error) {
	dir := filepath.Join(l.dir, "index")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", "", err
	}
	return l.writeSnapshot(ctx, cfg, dir, place)
}

// writeSnapshot is WriteSnapshot with records waiting in a folder until they are written.
func (l *Library) writeSnapshot(ctx context.Context, cfg match.Config, dir string, place func(Version) (path string, err error)) (v Version, path string, err error) {
	spill, err := os.CreateTemp(dir, temporary+"spill-*")
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, spill.Close()) }()
	if err := os.Remove(spill.Name()); err != nil { // it lives as long as it is open
		return "", "", err
	}
	b, err := match.NewBuilder(cfg, spill)
	if err != nil {
		return "", "", err
	}
	v, err = l.Each(ctx, func(i schema.Indicator) error {
		if err := b.Add(i); err != nil && match.Check(i) == nil {
			return err
		}
		return nil
	})
	var lacks Partial
	if err = lacks.Add(err); err != nil {
		return "", "", err
	}
	if path, err = place(v); err == nil {
		err = b.WriteSnapshot(path)
	}
	if err != nil {
		return "", "", err
	}
	return v, path, lacks.Err()
}

// sweepSnapshots removes the snapshots before the last two.
func (l *Library) sweepSnapshots(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sweeping snapshots: %w", err)
	}
	var last fs.FileInfo
	var others []fs.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("sweeping snapshots: %w", err)
		}
		if name := e.Name(); !strings.Contains(name, snapshotEnd) || name == filepath.Base(path) || strings.HasSuffix(name, ".tmp") {
			continue
		}
		others = append(others, info)
		if last == nil || info.ModTime().After(last.ModTime()) {
			last = info
		}
	}
	for _, info := range others {
		if info == last {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), info.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweeping snapshots: %w", err)
		}
	}
	return nil
}
