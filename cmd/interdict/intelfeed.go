package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/library"
)

// isURL reports a place that is got over the network.
func isURL(place string) bool {
	return strings.HasPrefix(place, "http://") || strings.HasPrefix(place, "https://")
}

var (
	notOfName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	ending    = regexp.MustCompile(`\.[A-Za-z][A-Za-z0-9]{0,7}$`)
)

// nameOf makes a feed's name of the place that it is read from: of the file without
// its ending, or of the folder or host where that leaves nothing; empty if nothing
// does.
func nameOf(place string) string {
	if place == "-" {
		return "stdin"
	}
	clean := func(text string) string {
		name := strings.Trim(notOfName.ReplaceAllString(text, "-"), "-._")
		return name[:min(len(name), 100)]
	}
	base := func(path string) string {
		path = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".zip")
		if short := ending.ReplaceAllString(path, ""); short != "" {
			return clean(short)
		}
		return clean(path) // a hidden file
	}
	if isURL(place) {
		u, err := url.Parse(place)
		if err != nil {
			return ""
		}
		return firstText(base(u.Path), clean(u.Hostname()))
	}
	path, err := filepath.Abs(place)
	if err != nil {
		path = place
	}
	return firstText(base(path), base(filepath.Dir(path)))
}

// sameName refuses an import under a name that nobody gave, where the feed of that
// name came from another place: two files of one name would take turns.
func sameName(l *library.Library, f *fact.Feed, configured bool) error {
	st, err := l.Status(f.Name)
	if errors.Is(err, library.ErrUnknownFeed) {
		return nil
	}
	if err != nil {
		return err
	}
	from := ""
	switch c := st.Config; {
	case c.File != "" && c.File != f.File:
		from = c.File
	case c.URL != "" && c.URL != bareURL(f.URL):
		from = c.URL
	case c.Transport == fact.TransportUpload && f.Transport != fact.TransportUpload:
		from = "standard input or an upload"
	case c.Transport != fact.TransportUpload && f.Transport == fact.TransportUpload && !configured:
		from = firstText(c.File, c.URL)
	}
	if from == "" {
		return nil
	}
	return usagef("feed %s holds what came from %s: --feed NAME makes another feed, --feed %s replaces it", f.Name, from, f.Name)
}

// bareURL gives a URL as the library shows it.
func bareURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// known gives the status of a feed that must be there; what else it may be called is
// told where it is not. A path is not taken for a name: what is removed is named.
func known(l *library.Library, name string) (library.Status, error) {
	st, err := l.Status(name)
	if err == nil {
		return st, nil
	}
	list, other := l.Feeds()
	if other != nil {
		return st, errors.Join(err, other)
	}
	abs, _ := filepath.Abs(name) // without one it is nobody's
	var names []string
	for _, f := range list {
		names = append(names, f.Feed)
		if f.Config.File == abs || f.Config.URL != "" && f.Config.URL == bareURL(name) || f.Feed == nameOf(name) {
			return st, fmt.Errorf("feed %q: %w; what was read from there is feed %s", name, library.ErrUnknownFeed, f.Feed)
		}
	}
	switch {
	case len(names) == 0:
		return st, fmt.Errorf("feed %q: %w, and no other: interdict intel import", name, library.ErrUnknownFeed)
	case len(names) > 12:
		return st, fmt.Errorf("feed %q: %w: interdict intel list", name, library.ErrUnknownFeed)
	}
	return st, fmt.Errorf("feed %q: %w; there are: %s", name, library.ErrUnknownFeed, strings.Join(names, ", "))
}

// knownAll reports the first of several feeds that is not there. What analysts add
// always is.
func knownAll(l *library.Library, names ...string) error {
	for _, name := range names {
		if name == library.Analyst {
			continue
		}
		if _, err := known(l, name); err != nil {
			return err
		}
	}
	return nil
}

// oneOf reports a word that is none of those that may stand in an option.
func oneOf(option, word string, words ...string) error {
	if word == "" || slices.Contains(words, word) {
		return nil
	}
	return usagef("%s %q: want %s", option, word, strings.Join(words, ", "))
}

// percent reports a confidence that is none.
func percent(n *uint8) error {
	if n != nil && *n > 100 {
		return usagef("--confidence %d: want 0 to 100", *n)
	}
	return nil
}

// doubtTenant warns of a tenant that no source, feed or override is of, as far as is known.
func doubtTenant(s *streams, l *library.Library, cfg *settings.Config, tenant string) error {
	if tenant == "" {
		return nil
	}
	names := tenants(cfg)
	for i := range cfg.Intel.Feeds {
		names = append(names, cfg.Intel.Feeds[i].Tenant)
	}
	feeds, err := l.Feeds()
	if err != nil {
		return err
	}
	for i := range feeds {
		names = append(names, feeds[i].Config.Tenant)
	}
	over, err := l.Overrides()
	if err != nil {
		return err
	}
	for i := range over {
		names = append(names, over[i].Tenant)
	}
	if slices.Contains(names, tenant) {
		return nil
	}
	where := ""
	if len(cfg.Sources) == 0 {
		where = "; what sources have, -c tells"
	}
	_, err = fmt.Fprintf(s.err, "interdict: warning: no source, feed or override is of tenant %q%s%s\n", tenant, nearNames(tenant, names), where)
	return err
}

// nearNames suggests which of several names may be meant by one that is none of them, or
// tells all where they are few.
func nearNames(name string, names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })
	slices.Sort(names)
	names = slices.Compact(names)
	plain := func(s string) string {
		return strings.NewReplacer("-", "", "_", "", ".", "", " ", "").Replace(strings.ToLower(s))
	}
	var near []string
	for _, n := range names {
		if a, b := plain(n), plain(name); a == b || len(b) > 2 && strings.Contains(a, b) || len(a) > 2 && strings.Contains(b, a) || settings.Distance(a, b) <= 2 {
			near = append(near, n)
		}
	}
	switch {
	case len(near) > 0:
		return " (near it: " + strings.Join(near[:min(len(near), 5)], ", ") + ")"
	case len(names) > 0 && len(names) <= 12:
		return " (there are: " + strings.Join(names, ", ") + ")"
	}
	return ""
}
