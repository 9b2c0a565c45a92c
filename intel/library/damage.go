package library

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Damage is a file of a feed that is missing, or is not as it was written.
type Damage struct {
	Feed   string `json:"feed"`
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// String tells people.
func (d Damage) String() string { return "feed " + d.Feed + ": " + d.File + ": " + d.Reason }

// Partial is the error of what was answered without some feeds, or with what they said
// before: the rest of the answer is given and right. It wraps ErrDamaged.
type Partial struct{ Damaged []Damage }

// Error names every feed with file and reason.
func (p *Partial) Error() string {
	var b strings.Builder
	b.WriteString("not all feeds could be read")
	for _, d := range p.Damaged {
		b.WriteString("; ")
		b.WriteString(d.String())
	}
	return b.String()
}

// Unwrap gives ErrDamaged.
func (p *Partial) Unwrap() error { return ErrDamaged }

// Add notes what an error says that is a Partial, and gives back any other.
func (p *Partial) Add(err error) error {
	more := new(Partial)
	if err != nil && !errors.As(err, &more) {
		return err
	}
	for _, d := range more.Damaged {
		if !slices.Contains(p.Damaged, d) {
			p.Damaged = append(p.Damaged, d)
		}
	}
	return nil
}

// take notes the error of a feed if it is damage, and gives it back if it is another.
func (p *Partial) take(feed string, err error) error {
	d, ok := damageOf(feed, err)
	if !ok {
		return err
	}
	p.Damaged = append(p.Damaged, d)
	return nil
}

// Err gives p as an error; nil where all was read.
func (p *Partial) Err() error {
	if len(p.Damaged) == 0 {
		return nil
	}
	return p
}

// fileError is damage of one file.
type fileError struct{ path, reason string }

func (e *fileError) Error() string { return e.path + ": " + ErrDamaged.Error() + ": " + e.reason }
func (e *fileError) Unwrap() error { return ErrDamaged }

// damageOf tells damage from errors that say nothing of a file, such as that too many
// are open: trying again helps against those.
func damageOf(feed string, err error) (Damage, bool) {
	if e := new(fileError); errors.As(err, &e) {
		return Damage{feed, e.path, e.reason}, true
	}
	if e := new(fs.PathError); errors.As(err, &e) {
		if errors.Is(e, fs.ErrNotExist) {
			return Damage{feed, e.Path, missingFile}, true
		}
		if errors.Is(e, syscall.EIO) {
			return Damage{feed, e.Path, e.Err.Error()}, true
		}
	}
	return Damage{}, false
}

const missingFile = "the file is missing"

// noteEnd ends the name of the note that a file is damaged. Whoever finds it leaves
// the note, so that the next pull gets the feed whole, though its source has not
// changed; it goes when the file does.
const noteEnd = ".damaged"

// found leaves a note where an error is damage of a file of a generation, and says
// whose it is.
func found(feed string, err error) error {
	d, ok := damageOf(feed, err)
	if _, _, of := generationOf(filepath.Base(d.File)); ok && of && d.Reason != missingFile {
		// One that cannot be left, such as by a reader who may not write, is none: the
		// error itself tells.
		if f, err := os.OpenFile(d.File+noteEnd, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err == nil {
			_, _ = f.WriteString(d.Reason)
			_ = f.Close()
		}
	}
	return fmt.Errorf("feed %s: %w", feed, err)
}

// intact reports what is known to be the matter with a file, as a fileError: it is not
// there, or somebody has left a note.
func intact(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("looking at a file: %w", err)
	}
	reason, err := os.ReadFile(path + noteEnd)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at a file: %w", err)
	}
	return &fileError{path, string(reason)}
}

// damaged lists what is known to be damaged of a feed; what nobody has read since is
// not.
func (l *Library) damaged(name string) (_ *state, list []Damage, err error) {
	var of *state
	err = l.reading(name, func(st *state) error {
		of, list = st, nil
		for _, f := range [...]struct {
			number uint64
			kind   string
		}{{st.Facts, "facts"}, {st.Facts, "objects"}, {st.Current, "current"}, {st.Refused, refusedFile}} {
			if f.number == 0 {
				continue
			}
			err := intact(generationFile(l.feedDir(name), f.number, f.kind))
			if d, ok := damageOf(name, err); ok {
				list = append(list, d)
			} else if err != nil {
				return err
			}
		}
		if now, err := l.state(name); err != nil || !now.same(st) {
			return fs.ErrNotExist // a writer was at it: look again
		}
		return nil
	})
	if d, ok := damageOf(name, err); ok {
		return &state{Feed: name}, []Damage{d}, nil
	}
	return of, list, err
}
