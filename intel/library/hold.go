package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Changes tells the way from a version only while the generations of it are there.
// Who goes on from a version says so: a hold is a file that names a few versions, and
// a generation that one of them names is not swept. So what is kept is what somebody
// needs, however often a feed changes meanwhile.

// holdFor is how long a hold counts after it was last given. Who holds gives it far
// more often; who has not for so long is no more.
const holdFor = 7 * 24 * time.Hour

// holdAgain is from which age on a hold is given anew though it is the same.
const holdAgain = time.Hour

// For gives the library as one sees it who goes on from versions: what Changes, Each
// and WriteSnapshot of it give, and what Changes begins from, is held in that name.
func (l *Library) For(holder string) *Library {
	mine := *l
	mine.holder = holder
	return &mine
}

func (l *Library) holds() string { return filepath.Join(l.dir, "holds") }

// Hold keeps the generations of some versions for the holder (see For), in place of
// those that it held before.
func (l *Library) Hold(ctx context.Context, versions ...Version) error {
	if !feedName.MatchString(l.holder) {
		return fmt.Errorf("holding versions: %q is no name of a holder", l.holder)
	}
	path := filepath.Join(l.holds(), l.holder)
	before, age, err := readHold(path)
	if err != nil {
		return err
	}
	if slices.Equal(before, versions) && age < holdAgain {
		return nil
	}
	if err := os.MkdirAll(l.holds(), 0o750); err != nil {
		return fmt.Errorf("holding versions: %w", err)
	}
	text, err := json.Marshal(versions)
	draft := filepath.Join(l.holds(), temporary+l.holder)
	if err == nil {
		err = os.WriteFile(draft, text, 0o644)
	}
	if err == nil { // it need not outlast a loss of power, only be whole for who reads it
		err = os.Rename(draft, path)
	}
	if err != nil {
		return fmt.Errorf("holding versions: %w", err)
	}
	// Of a feed that was removed nobody else will sweep what is not needed now, be it that
	// this hold let it go or that another has come to its end.
	names, err := l.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := l.letGo(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// readHold reads a hold and tells how long ago it was given. What a loss of power has
// left of one holds nothing.
func readHold(path string) (versions []Version, age time.Duration, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("reading what is held: %w", err)
	}
	if json.Unmarshal(text, &versions) != nil {
		return nil, 0, nil
	}
	return versions, time.Since(info.ModTime()), nil
}

// generationsOf lists the generations of each feed in some versions.
func generationsOf(versions []Version) map[string][]uint64 {
	all := map[string][]uint64{}
	for _, v := range versions {
		gens, _, err := v.parse()
		if err != nil {
			continue // it holds nothing
		}
		for name, n := range gens {
			all[name] = append(all[name], n)
		}
	}
	return all
}

// held lists the generations of a feed that somebody holds.
func (l *Library) held(feed string) (list []uint64, err error) {
	entries, err := os.ReadDir(l.holds())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is held: %w", err)
	}
	for _, e := range entries {
		if !feedName.MatchString(e.Name()) {
			continue
		}
		versions, age, err := readHold(filepath.Join(l.holds(), e.Name()))
		if err != nil {
			return nil, err
		}
		if age < holdFor {
			list = append(list, generationsOf(versions)[feed]...)
		}
	}
	return list, nil
}

// needed gives of the older generations of a feed those that stay: the last few, and
// those that somebody holds.
func (l *Library) needed(feed string, kept []uint64, last int) ([]uint64, error) {
	held, err := l.held(feed)
	if err != nil {
		return nil, err
	}
	var stay []uint64
	for n, g := range kept {
		if n >= len(kept)-last || slices.Contains(held, g) {
			stay = append(stay, g)
		}
	}
	return stay, nil
}

// letGo sweeps what nobody holds any more of a feed that was removed.
func (l *Library) letGo(ctx context.Context, feed string) (err error) {
	st, err := l.state(feed)
	if err != nil || !st.Removed {
		if _, ok := damageOf(feed, err); ok || errors.Is(err, ErrUnknownFeed) {
			return nil
		}
		return err
	}
	if stay, err := l.needed(feed, st.Kept, 0); err != nil || len(stay) == len(st.Kept) {
		return err
	}
	lock, err := l.lock(ctx, feed, "release of old generations of "+feed)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	if st, err = l.state(feed); err != nil || !st.Removed {
		return err
	}
	if st.Kept, err = l.needed(feed, st.Kept, 0); err != nil {
		return err
	}
	if err := l.writeState(st); err != nil {
		return err
	}
	return l.sweep(st)
}

// lock waits for the lock of a feed.
func (l *Library) lock(ctx context.Context, feed, what string) (*lock, error) {
	held, err := lockFile(ctx, filepath.Join(l.feedDir(feed), "lock"), what)
	if err != nil {
		return nil, fmt.Errorf("feed %s: %w", feed, err)
	}
	return held, nil
}
