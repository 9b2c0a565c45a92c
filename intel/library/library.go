package library

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
)

// Library is a folder. Any number of goroutines and processes may use it at once: a
// feed has one writer at a time, the journal too, and readers never wait.
//
//	journal                              what analysts set (journal.go)
//	holds/NAME                           from which versions somebody goes on (hold.go)
//	index/*.snapshot                     indexes, each of a version and configuration
//	feeds/NAME/feed.json                 which generations are in force (state.go)
//	feeds/NAME/NNNNNNNN.facts            what the feed says, by type, value and id
//	feeds/NAME/NNNNNNNN.current          the indicators that follow from it
//	feeds/NAME/NNNNNNNN.objects          objects, relations and sightings, by id
//	feeds/NAME/NNNNNNNN.refused.ndjson   what the last pull had and was not taken
//	feeds/NAME/NNNNNNNN.*.damaged        somebody has found that file damaged (damage.go)
type Library struct {
	dir   string
	cfg   Config
	rules []rule
	bad   error // of the configuration

	holder string             // see For
	step   func(string) error // before each step of a write; in tests it may fail
}

// Open gives the library in a folder, which need not exist. What is wrong with the
// configuration is told by whatever needs it; see Config.Validate.
func Open(dir string, cfg Config) *Library {
	rules, err := compile(cfg.Rules)
	return &Library{dir: dir, cfg: cfg, rules: rules, bad: errors.Join(cfg.Validate(), err), step: func(string) error { return nil }}
}

// ErrUnknownFeed says that nothing is known of a feed.
var ErrUnknownFeed = errors.New("no such feed in the library")

// Analyst is the feed of what analysts add themselves. No other may have its name.
const Analyst = "analyst"

// temporary begins the name of every file that is swept when a writer meets it.
const temporary = ".tmp-"

var feedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func (l *Library) feedDir(feed string) string { return filepath.Join(l.dir, "feeds", feed) }

// refusedFile ends the name of the file of what a pull had and was not taken.
const refusedFile = "refused.ndjson"

// generationFile names a file of a generation.
func generationFile(dir string, number uint64, kind string) string {
	return filepath.Join(dir, fmt.Sprintf("%08d.%s", number, kind))
}

// names lists the feeds that have a folder, in order.
func (l *Library) names() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(l.dir, "feeds"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the library: %w", err)
	}
	var list []string
	for _, e := range entries {
		if e.IsDir() && feedName.MatchString(e.Name()) {
			list = append(list, e.Name())
		}
	}
	slices.Sort(list)
	return list, nil
}

// Remove takes a feed out of the library. Its number of generations is remembered,
// and what somebody holds, so that Changes knows what to remove from an index. A feed
// whose state is damaged can be removed, too.
func (l *Library) Remove(ctx context.Context, feed string) (err error) {
	if _, err := l.removable(feed); err != nil {
		return err
	}
	lock, err := l.lock(ctx, feed, "removal of "+feed)
	if err != nil {
		return fmt.Errorf("removing: %w", err)
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	st, err := l.removable(feed)
	if err != nil {
		return err
	}
	next := &state{Feed: feed, Removed: true, Last: st.Last}
	if next.Kept, err = l.needed(feed, st.kept(), 0); err != nil {
		return err
	}
	if err := l.writeState(next); err != nil {
		return err
	}
	return l.sweep(next)
}

// removable gives the state of a feed that is there.
func (l *Library) removable(feed string) (*state, error) {
	st, err := l.state(feed)
	if _, ok := damageOf(feed, err); ok {
		return l.numbered(feed, schema.FromTime(time.Now()))
	}
	if err == nil && st.Removed {
		err = fmt.Errorf("feed %s: %w", feed, ErrUnknownFeed)
	}
	return st, err
}

// sweep removes what no generation needs: the files of others and what a writer
// that was killed left behind. The feed must be locked.
func (l *Library) sweep(st *state) error {
	dir := l.feedDir(st.Feed)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("feed %s: sweeping: %w", st.Feed, err)
	}
	for _, e := range entries {
		number, kind, whole := generationOf(strings.TrimSuffix(e.Name(), noteEnd))
		switch {
		case strings.HasPrefix(e.Name(), temporary):
		case !whole:
			continue
		case kind == "current" && (number == st.Current || slices.Contains(st.Kept, number)):
			continue
		case kind == refusedFile && number == st.Refused:
			continue
		case kind != "current" && kind != refusedFile && (number == st.Facts || number == st.Before):
			continue
		}
		if err := l.step("sweep"); err != nil {
			return fmt.Errorf("feed %s: sweeping: %w", st.Feed, err)
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("feed %s: sweeping: %w", st.Feed, err)
		}
	}
	return nil
}

// generationOf reads the name of a file of a generation.
func generationOf(name string) (number uint64, kind string, ok bool) {
	digits, kind, ok := strings.Cut(name, ".")
	if !ok || len(digits) < 8 || strings.Trim(digits, "0123456789") != "" {
		return 0, "", false
	}
	if err := json.Unmarshal([]byte(strings.TrimLeft(digits[:len(digits)-1], "0")+digits[len(digits)-1:]), &number); err != nil {
		return 0, "", false
	}
	return number, kind, slices.Contains([]string{"facts", "current", "objects", refusedFile}, kind)
}
