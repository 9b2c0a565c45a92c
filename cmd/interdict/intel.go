package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/schema"
)

type intelCmd struct {
	Import    intelImportCmd    `cmd:"" help:"Import a feed: a file, folder or URL of a list, CSV, STIX, MISP event or warninglist. It replaces the feed of that name."`
	Pull      intelPullCmd      `cmd:"" help:"Pull configured feeds once, now."`
	List      intelListCmd      `cmd:"" help:"List the feeds and how they are: last pull, changes, errors, silence. Exit 1 while one fails, is silent or damaged."`
	Stats     intelStatsCmd     `cmd:"" help:"Count indicators by type, verdict, feed and list."`
	Check     intelCheckCmd     `cmd:"" help:"Say which feeds know a value and why it counts or not; exit 0 if it matches, 1 if not, 3 if not every feed could be asked."`
	Refused   intelRefusedCmd   `cmd:"" help:"Show what the last pull of a feed had and was not taken, with line and reason."`
	Collide   intelCollideCmd   `cmd:"" help:"List indicators that are demoted: on a benign list, allowed, or outranked."`
	Set       intelSetCmd       `cmd:"" help:"Set what an analyst knows better: verdict, wish, confidence, end. It sticks whatever the feeds say."`
	Unset     intelUnsetCmd     `cmd:"" help:"Take back what was set."`
	Overrides intelOverridesCmd `cmd:"" help:"List what analysts have set."`
	Sight     intelSightCmd     `cmd:"" help:"Note that a value was seen: its indicators are fresh again."`
	Export    intelExportCmd    `cmd:"" help:"Write indicators as STIX 2.1, CSV or a list, within their markings."`
	Report    intelReportCmd    `cmd:"" help:"List threat reports, campaigns, actors and malware, or tell of one: indicators, alerts, incidents, impacted entities."`
	Rm        intelRmCmd        `cmd:"" help:"Remove a feed and its indicators."`
}

// exitPartial is the exit code of a command that could not read all feeds, so that its
// answer may be another one: neither yes nor no.
const exitPartial = 3

// incomplete tells which feeds could not be read and gives the exit code for that, to be
// returned when what is known has been printed. Other errors are given back.
func incomplete(s *streams, err error) (code, other error) {
	var lacks library.Partial
	if err := lacks.Add(err); err != nil || len(lacks.Damaged) == 0 {
		return nil, err
	}
	for _, d := range lacks.Damaged {
		fmt.Fprintf(s.err, "interdict: feed %s cannot be read: %s: %s\n", d.Feed, d.File, printable(d.Reason))
	}
	fmt.Fprintln(s.err, "interdict: this is not the whole answer; a pull or an import of all of the feed brings it back")
	return quietError(exitPartial), nil
}

// intelFlags say which library is meant.
type intelFlags struct {
	DataDir string `type:"path" placeholder:"DIR" help:"Data folder with the indicator library. Default: data_dir of the configuration, or data."`
	Config  string `short:"c" type:"path" placeholder:"FILE" help:"Configuration with ingestion rules and feeds; not needed."`
}

// open gives the library and the configuration, which without a file is the default. The
// library need not exist.
func (f intelFlags) open(s *streams) (*library.Library, *settings.Config, error) {
	environ := s.environ
	if f.Config == "" {
		environ = append([]string{"INTERDICT_EMBEDDED=true"}, environ...)
	}
	cfg, err := settings.Load(f.Config, environ)
	if err != nil {
		return nil, nil, usage{err}
	}
	if f.DataDir != "" {
		cfg.DataDir = f.DataDir
	}
	return openLibrary(cfg), cfg, nil
}

// look opens a library that must be there: a wrong folder must not pass for a library
// that knows nothing, nor become one. What was set for a time that is over is taken back
// first, as no manager may run here; who may not write is told what still stands.
func (f intelFlags) look(ctx context.Context, s *streams) (*library.Library, *settings.Config, error) {
	l, cfg, err := f.open(s)
	if err != nil {
		return nil, nil, err
	}
	if _, err := os.Stat(libraryDir(cfg)); errors.Is(err, fs.ErrNotExist) {
		dir, _ := filepath.Abs(cfg.DataDir) // without one it is told as it was given
		return nil, nil, usagef("there is no library in %s: --data-dir or -c names it, interdict intel import or pull makes one", firstText(dir, cfg.DataDir))
	} else if err != nil {
		return nil, nil, fmt.Errorf("looking for the library: %w", err)
	}
	if _, err := l.Expire(ctx, time.Now()); err != nil && !readOnly(err) && !errors.Is(err, library.ErrDamaged) { // of damage tells who meets it
		fmt.Fprintf(s.err, "interdict: overrides whose time is over still stand: %v\n", err)
	}
	return l, cfg, nil
}

// readOnly reports a folder in which nothing may be written.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// libraryDir is where a configuration has its library.
func libraryDir(cfg *settings.Config) string { return filepath.Join(cfg.DataDir, "indicators") }

// openLibrary gives the library of a configuration.
func openLibrary(cfg *settings.Config) *library.Library {
	return library.Open(libraryDir(cfg), cfg.Intel.Library)
}

// observable reads a value given by hand; a type says what it is where the value
// alone cannot.
func observable(value, typ string) (schema.Observable, error) {
	if typ == "" {
		o, err := parse.Recognize(value)
		if err != nil {
			return o, usagef("%q: %w; --type says what it is", value, err)
		}
		return o, nil
	}
	var t schema.ObservableType
	if err := t.UnmarshalText([]byte(typ)); err != nil || t == schema.ObservableUnknown {
		return schema.Observable{}, usagef("type %q is unknown: %s", typ, strings.Join(observableTypes(), ", "))
	}
	o, err := parse.Value(t, value)
	if err != nil {
		return o, usagef("%q: %w", value, err)
	}
	return o, nil
}

// observableTypes lists what a value can be.
func observableTypes() []string {
	var names []string
	for t := schema.ObservableIP; int(t) < schema.ObservableTypes; t++ {
		names = append(names, t.String())
	}
	return names
}

// moment reads a time: RFC 3339, a date, or a span from now such as 30d or 12h.
func moment(text string, now time.Time) (time.Time, error) {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if d, err := readSpan(text); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, usagef("%q is no time: want a date, RFC 3339, or a span from now such as 30d or -12h", text)
}

// readSpan reads a duration, also one in days.
func readSpan(text string) (time.Duration, error) {
	days, ok := strings.CutSuffix(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	d, err := time.ParseDuration(days + "h")
	if err == nil && d > math.MaxInt64/24 || d < math.MinInt64/24 {
		return 0, fmt.Errorf("%q is too long", text)
	}
	return 24 * d, err
}

// ago tells people how long ago something was.
func ago(at schema.Millis, now time.Time) string {
	if at == 0 {
		return "never"
	}
	d := now.Sub(at.Time()).Round(time.Second)
	switch {
	case d < 0:
		return "in " + (-d).String()
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d.Hours()/24)) + "d ago"
	}
	return d.String() + " ago"
}
