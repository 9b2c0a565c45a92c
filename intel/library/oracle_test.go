package library

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
	"pgregory.net/rapid"
)

// model is the life cycle written a second time, by id and in memory.
type model struct {
	feeds     map[string]map[string]*modelObject
	overrides map[string]Override
}

type modelObject struct {
	version schema.Millis
	revoked bool
	values  map[string]uint8 // confidence
}

// pull settles a pull; ids that begin with "u" have no version and one value.
func (m *model) pull(feed string, mode fact.Mode, list []fact.Said) {
	old := m.feeds[feed]
	if old == nil || mode == fact.Replace {
		old = map[string]*modelObject{}
	}
	m.feeds[feed] = old
	byID := map[string][]fact.Said{}
	for _, s := range list {
		byID[s.ID] = append(byID[s.ID], s)
	}
	for id, said := range byID {
		next := &modelObject{values: map[string]uint8{}}
		for _, s := range said {
			next.version = max(next.version, s.Version)
		}
		for _, s := range said {
			if s.Version == next.version {
				next.revoked = next.revoked || s.Revoked
				if !s.Revoked {
					next.values[s.Value] = s.Confidence
				}
			}
		}
		if next.revoked {
			next.values = nil
		}
		was := old[id]
		switch {
		case was == nil || next.version > was.version || id[0] == 'u':
			old[id] = next
		case next.version < was.version || was.revoked:
		case next.revoked:
			old[id] = next
		default:
			maps.Copy(was.values, next.values)
		}
	}
}

// counts lists what counts, as text.
func (m *model) counts() []string {
	var list []string
	for feed, objects := range m.feeds {
		for id, o := range objects {
			for value, confidence := range o.values {
				gone := false
				for _, f := range []string{"", feed} {
					over, ok := m.overrides[f+"/"+value]
					if !ok {
						continue
					}
					if over.Confidence != nil {
						confidence = *over.Confidence
					}
					if over.Revoked != nil {
						gone = *over.Revoked
					}
				}
				if !gone {
					list = append(list, fmt.Sprint(feed, " ", value, " ", id, " ", confidence))
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestModel draws pulls and overrides and compares what counts with the model, and
// an index that follows the changes with one built anew.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		dir, cleanup := tempDir(t)
		defer cleanup()
		l := Open(dir, small())
		m := &model{feeds: map[string]map[string]*modelObject{}, overrides: map[string]Override{}}
		x, err := match.Build(match.DefaultConfig(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var at Version
		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		for n := range steps {
			feed := rapid.SampledFrom([]string{"acme", "beta"}).Draw(t, "feed")
			value := func() string { return fmt.Sprintf("v%d.bad.example", rapid.IntRange(0, 5).Draw(t, "value")) }
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				o := Override{Type: schema.ObservableDomain, Value: value(), Feed: rapid.SampledFrom([]string{"", feed}).Draw(t, "for"), By: "ann"}
				if rapid.Bool().Draw(t, "revoke") {
					o.Revoked = ptr(true)
				} else {
					o.Confidence = ptr(uint8(rapid.IntRange(0, 100).Draw(t, "confidence")))
				}
				got, err := l.Override(ctx, o)
				if err != nil {
					t.Fatal(err)
				}
				key := o.Feed + "/" + o.Value
				was := m.overrides[key]
				if o.Confidence != nil {
					was.Confidence = o.Confidence
				} else {
					was.Revoked = o.Revoked
				}
				was.ID = got.ID
				m.overrides[key] = was
			case 1:
				for _, key := range slices.Sorted(maps.Keys(m.overrides)) {
					if err := l.RemoveOverride(ctx, m.overrides[key].ID, "bob"); err != nil {
						t.Fatal(err)
					}
					delete(m.overrides, key)
					break
				}
			case 2:
				if _, ok := m.feeds[feed]; ok {
					if err := l.Remove(ctx, feed); err != nil {
						t.Fatal(err)
					}
					delete(m.feeds, feed)
				}
			case 3:
				if _, ok := m.feeds[feed]; ok {
					if _, err := l.Renew(ctx, feedOf(feed), day(n)); err != nil {
						t.Fatal(err)
					}
				}
			default:
				mode := rapid.SampledFrom([]fact.Mode{fact.Replace, fact.Update}).Draw(t, "mode")
				var list []fact.Said
				have := map[string]bool{}
				for range rapid.IntRange(0, 8).Draw(t, "facts") {
					s := versioned(value(), fmt.Sprintf("v%d", rapid.IntRange(0, 3).Draw(t, "id")), schema.Millis(rapid.IntRange(1, 5).Draw(t, "version")))
					if rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
						s.Version, s.ID = 0, "u"+s.Value
					}
					s.Confidence = uint8(rapid.IntRange(0, 100).Draw(t, "confidence"))
					if rapid.IntRange(0, 4).Draw(t, "revoked") == 0 {
						s.Revoked = true
						if rapid.Bool().Draw(t, "bare") {
							s.Type, s.Value = 0, ""
						}
					}
					if key := fmt.Sprint(s.ID, s.Value, s.Version); !have[key] {
						have[key] = true
						list = append(list, s)
					}
				}
				any := make([]any, len(list))
				for k := range list {
					any[k] = list[k]
				}
				if _, err := tryPull(l, feedOf(feed), mode, day(n), any...); err != nil {
					t.Fatal(err)
				}
				m.pull(feed, mode, list)
			}
			var got []string
			var list []schema.Indicator
			v, err := l.Each(ctx, func(i schema.Indicator) error {
				got = append(got, fmt.Sprint(i.Feed, " ", i.Value, " ", i.ID, " ", i.Confidence))
				list = append(list, i)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			if want := m.counts(); !slices.Equal(got, want) {
				t.Fatalf("step %d: what counts is\n%q\nthe model says\n%q", n, got, want)
			}
			var changes []match.Change
			to, err := l.For("follower").Changes(ctx, at, func(c match.Change) error {
				changes = append(changes, c)
				return nil
			})
			if err != nil || to != v {
				t.Fatalf("changes from %s: to %s, not %s: %v", at, to, v, err)
			}
			done := match.Applied{}
			if x, done, err = x.Apply(changes); err != nil {
				t.Fatal(err)
			}
			anew, err := match.Build(match.DefaultConfig(), list)
			if err != nil {
				t.Fatal(err)
			}
			if x.ID() != anew.ID() || done.Unchanged != 0 {
				t.Fatalf("step %d: after the changes %v the index has %d indicators, built anew %d; %d changes changed nothing", n, changes, x.Len(), anew.Len(), done.Unchanged)
			}
			at = v
		}
	})
}
