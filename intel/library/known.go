package library

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Known is something the library has about an observable.
type Known struct {
	// Indicator is as it counts, with rules and overrides; what does not count is as
	// its feed said it, with overrides.
	Indicator schema.Indicator `json:"indicator"`
	// Aside says why it is not among the indicators that count: it was revoked, a
	// rule skips it and so on. Empty: it is, and match.Judge says what it is worth to
	// an alert.
	Aside string `json:"aside,omitzero"`
	// Said is what the feed said; nil for what an analyst added and for a refusal.
	Said *fact.Said `json:"said,omitempty"`
	// First and Last are the pulls that said it first and last, Ended the one that
	// no longer did.
	First schema.Millis `json:"first,omitzero"`
	Last  schema.Millis `json:"last,omitzero"`
	Ended schema.Millis `json:"ended,omitzero"`
	// Overrides are those that are about it, in the order in which they were put on:
	// the last decides.
	Overrides []*Override `json:"overrides,omitempty"`
	// Sighted is the last sighting that was given to the library itself.
	Sighted schema.Millis `json:"sighted,omitzero"`
	// Refusal is set where the last pull of Indicator.Feed had this very text and it
	// was not taken; nothing else is set then.
	Refusal *fact.Refusal `json:"refusal,omitempty"`
}

// maxRefusals bounds the refusals of one feed that Check tells.
const maxRefusals = 10

// Check lists what every feed has that names an observable, also what does not count
// and why: the value itself, a parent, a network, a prefix. It looks into the files of
// the feeds, no index is needed. A *Partial names feeds that could not be asked; the
// others' answers are given.
func (l *Library) Check(ctx context.Context, o schema.Observable) ([]Known, error) {
	names, err := l.names()
	if err != nil {
		return nil, err
	}
	over, err := l.overlay()
	if err != nil {
		return nil, err
	}
	places := namesOf(o)
	var list []Known
	var lacks Partial
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		var some []Known
		err := l.reading(name, func(st *state) error {
			some = nil
			if st.Facts == 0 {
				return nil
			}
			var err error
			if some, err = l.checkFeed(st, places, over); err != nil {
				return err
			}
			refusals, err := refusalsOf(generationFile(l.feedDir(name), st.Refused, refusedFile), o.Value)
			for n := range refusals {
				some = append(some, Known{Indicator: schema.Indicator{Feed: name, Type: o.Type, Value: o.Value}, Refusal: &refusals[n],
					Aside: "refused: " + refusals[n].Reason, Last: st.Good})
			}
			return err
		})
		if err := lacks.take(name, err); err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	at := map[string]bool{}
	for _, p := range places {
		at[string(p)] = true
	}
	for _, i := range over.own() {
		if key := place(i.Type, i.Value); at[key] {
			ov := over.overrides[i.ID]
			list = append(list, Known{Indicator: i, Overrides: []*Override{ov}, First: ov.Time, Last: ov.Time, Sighted: over.sighted[key]})
		}
	}
	return list, lacks.Err()
}

func (l *Library) checkFeed(st *state, places [][]byte, over *overlay) (list []Known, err error) {
	dir := l.feedDir(st.Feed)
	facts, err := openTable(generationFile(dir, st.Facts, "facts"), kindFacts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, facts.close()) }()
	current, err := openTable(generationFile(dir, st.Current, "current"), kindCurrent)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, current.close()) }()
	for _, p := range places {
		have := map[string]schema.Indicator{}
		how := map[string]aside{}
		err := current.find(p, func(key, payload []byte) error {
			i, a, ok := decodeCurrent(st.Feed, key, payload)
			if !ok {
				return current.damaged("an indicator is none")
			}
			have[i.ID], how[i.ID] = i, a
			return nil
		})
		if err != nil {
			return nil, err
		}
		err = facts.find(p, func(key, payload []byte) error {
			f, ok := decodeStored(st.Feed, key, payload)
			if !ok {
				return facts.damaged("a fact is none")
			}
			i, ok := have[f.ID]
			if !ok {
				i, how[f.ID] = f.Indicator, f.Effect
				if f.Effect == counts { // it is there: the two files are of one generation
					return facts.damaged("it has a fact whose indicator is missing")
				}
			}
			said := f.Said
			k := Known{Said: &said, First: f.First, Last: f.Seen, Ended: f.Ended, Sighted: over.sighted[string(p)]}
			k.Indicator, k.Aside, k.Overrides = over.apply(i, how[f.ID])
			if k.Aside != "" && how[f.ID] != counts && !slices.ContainsFunc(k.Overrides, func(o *Override) bool { return o.Revoked != nil }) {
				k.Aside = f.why()
			}
			list = append(list, k)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// why tells people why a fact does not count.
func (f *stored) why() string {
	switch f.End {
	case revoked:
		return "revoked by its feed, found " + f.Ended.String()
	case missing:
		return "no longer in its feed since " + f.Ended.String()
	case superseded:
		return "a newer version of its object no longer has the value since " + f.Ended.String()
	}
	return strings.TrimSuffix(f.Effect.String()+": "+f.Aside, ": ")
}

// refusalsOf finds the refusals of a text.
func refusalsOf(path, value string) (list []fact.Refusal, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the refusals: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for r := bufio.NewReaderSize(f, 64<<10); len(list) < maxRefusals; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the refusals: %w", err)
		}
		var one fact.Refusal
		if err := json.Unmarshal(line, &one); err != nil {
			return nil, &fileError{path, err.Error()}
		}
		if strings.EqualFold(one.Value, value) {
			list = append(list, one)
		}
	}
	return list, nil
}

// Refusals calls yield with what the last pull of a feed had and that was not taken;
// of very many with the first. A *Partial says that they cannot be read, or not all.
func (l *Library) Refusals(feed string, yield func(fact.Refusal) error) error {
	var lacks Partial
	if err := lacks.take(feed, l.refusals(feed, yield)); err != nil {
		return err
	}
	return lacks.Err()
}

func (l *Library) refusals(feed string, yield func(fact.Refusal) error) (err error) {
	st, err := l.state(feed)
	if err != nil {
		return err
	}
	if st.Refused == 0 {
		return nil
	}
	var f *os.File
	err = l.reading(feed, func(st *state) (err error) {
		f, err = os.Open(generationFile(l.feedDir(feed), st.Refused, refusedFile))
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the refusals: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for d := json.NewDecoder(bufio.NewReaderSize(f, 64<<10)); d.More(); {
		var one fact.Refusal
		if err := d.Decode(&one); err != nil {
			return found(feed, &fileError{f.Name(), err.Error()})
		}
		if err := yield(one); err != nil {
			return err
		}
	}
	return nil
}
