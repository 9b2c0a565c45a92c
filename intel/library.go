package intel

import (
	"bufio"
	"cmp"
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
	"github.com/interdict/interdict/stages/match"
)

// Library is a folder of feeds: one file per feed with a header line and one
// indicator a line. A file is replaced as a whole, so a crash leaves the old or
// the new one.
type Library struct{ dir string }

// Open opens the library in a data folder; it need not exist.
func Open(dataDir string) *Library { return &Library{filepath.Join(dataDir, "intel")} }

// Feed is what is known of a stored feed.
type Feed struct {
	Name       string        `json:"feed"`
	Imported   schema.Millis `json:"imported"`
	Origin     string        `json:"origin"`
	Indicators int           `json:"indicators"`
	Refused    int           `json:"refused"`
}

// Report is the outcome of an import.
type Report struct {
	Feed
	Added    int            `json:"added"`
	Removed  int            `json:"removed"`
	Kept     int            `json:"kept"`
	Types    map[string]int `json:"types"`
	Refusals []Refusal      `json:"refusals"`
}

// Names of feeds become file names.
var feedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Import replaces a feed with what was read. origin says where it came from. It
// keeps the stored feed and fails if nothing could be used of what was read: that
// is rather an error page than an empty feed.
func (l *Library) Import(feed, origin string, now time.Time, taken []schema.Indicator, refused []Refusal) (Report, error) {
	rep := Report{Feed: Feed{Name: feed, Imported: schema.FromTime(now), Origin: origin, Refused: len(refused)}, Types: map[string]int{}, Refusals: refused}
	if !feedName.MatchString(feed) {
		return rep, fmt.Errorf("feed name %q: want letters, digits, dot, dash and underscore", feed)
	}
	if len(taken) == 0 && len(refused) > 0 {
		return rep, fmt.Errorf("feed %s: none of %d lines or objects could be used, the first: %s; what is stored stays as it is", feed, len(refused), refused[0].Reason)
	}
	_, old, err := l.read(feed)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return rep, err
	}
	slices.SortFunc(taken, order)
	taken = slices.CompactFunc(taken, func(a, b schema.Indicator) bool { return order(a, b) == 0 })
	had := make(map[string]bool, len(old))
	for _, i := range old {
		had[place(i)] = true
	}
	for _, i := range taken {
		rep.Types[i.Type.String()]++
		if had[place(i)] {
			rep.Kept++
		} else {
			rep.Added++
		}
	}
	rep.Removed = len(old) - rep.Kept
	rep.Indicators = len(taken)
	return rep, l.write(rep.Feed, taken)
}

func order(a, b schema.Indicator) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value), strings.Compare(a.ID, b.ID))
}

func place(i schema.Indicator) string { return i.Type.String() + "\x00" + i.Value + "\x00" + i.ID }

func (l *Library) path(feed string) string { return filepath.Join(l.dir, feed+".ndjson") }

func (l *Library) write(f Feed, list []schema.Indicator) (err error) {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return fmt.Errorf("making the library: %w", err)
	}
	tmp, err := os.CreateTemp(l.dir, ".import-*")
	if err != nil {
		return fmt.Errorf("storing feed %s: %w", f.Name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("storing feed %s: %w", f.Name, err), tmp.Close(), os.Remove(tmp.Name()))
		}
	}()
	w := bufio.NewWriterSize(tmp, 1<<18)
	enc := json.NewEncoder(w)
	if err := enc.Encode(f); err != nil {
		return err
	}
	for _, i := range list {
		if err := enc.Encode(i); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), l.path(f.Name)); err != nil {
		return err
	}
	return tmp.Close()
}

func (l *Library) read(feed string) (f Feed, list []schema.Indicator, err error) {
	in, err := os.Open(l.path(feed))
	if err != nil {
		return f, nil, fmt.Errorf("reading feed %s: %w", feed, err)
	}
	defer in.Close()
	d := json.NewDecoder(bufio.NewReaderSize(in, 1<<18))
	if err := d.Decode(&f); err != nil {
		return f, nil, fmt.Errorf("reading feed %s: %w", feed, err)
	}
	for d.More() {
		var i schema.Indicator
		if err := d.Decode(&i); err != nil {
			return f, nil, fmt.Errorf("reading feed %s, indicator %d: %w", feed, len(list)+1, err)
		}
		list = append(list, i)
	}
	if len(list) != f.Indicators {
		return f, nil, fmt.Errorf("reading feed %s: %d indicators, its header says %d", feed, len(list), f.Indicators)
	}
	return f, list, nil
}

// Load reads every feed.
func (l *Library) Load() ([]Feed, []schema.Indicator, error) {
	names, err := filepath.Glob(filepath.Join(l.dir, "*.ndjson"))
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(names)
	var feeds []Feed
	var all []schema.Indicator
	for _, n := range names {
		f, list, err := l.read(strings.TrimSuffix(filepath.Base(n), ".ndjson"))
		if err != nil {
			return nil, nil, err
		}
		feeds = append(feeds, f)
		all = append(all, list...)
	}
	return feeds, all, nil
}

// Index builds the index of every feed in the library.
func (l *Library) Index(cfg match.Config) (*match.Index, error) {
	_, all, err := l.Load()
	if err != nil {
		return nil, err
	}
	x, err := match.Build(cfg, all)
	if err != nil {
		return nil, fmt.Errorf("building the index: %w", err)
	}
	return x, nil
}

// Explain lists every indicator that names the observable, and why it counts or
// does not count at the given time.
func Explain(x *match.Index, o schema.Observable, at schema.Millis) []Explanation {
	var out []Explanation
	x.Find(o, func(i *schema.Indicator) {
		e := Explanation{Indicator: *i, Counts: true, Why: "names the value itself"}
		switch {
		case i.Type == schema.ObservableCIDR:
			e.Why = "network holds the address"
		case i.Value != o.Value && o.Type == schema.ObservableURL:
			e.Why = "names the URL's host"
		case i.Value != o.Value:
			e.Why = "names a parent domain"
		}
		if i.ValidUntil != 0 && at > i.ValidUntil {
			e.Counts, e.Why = false, "ended "+i.ValidUntil.String()
		}
		out = append(out, e)
	})
	return out
}

// Explanation is one line of Explain.
type Explanation struct {
	Indicator schema.Indicator `json:"indicator"`
	Counts    bool             `json:"counts"`
	Why       string           `json:"why"`
}
