package library

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Override is what an analyst sets about a value. It is put on top whenever the
// indicators are read, so whatever the feeds say later does not undo it. What is not
// given stays the feed's; a zero that is given counts.
//
// With Feed set to Analyst, or without a feed and with a wish to allow, it also stands
// as an indicator of its own, so that a value can be allowed that no feed knows. So does
// one without a feed that gives an opinion (verdict, wish, severity) for one tenant: what
// a shared feed says to all cannot be changed for one, but that tenant's own indicator
// outranks it there.
//
// One that sets a verdict or a wish is an analyst's own word: what it edits has the
// rank of analysts, which no feed outranks and no benign list doubts. Only where it
// calls the indicators of one feed benign they keep theirs: what other feeds say of the
// value is not what was judged. Of the entries of benign lists it changes no opinion,
// for they have none; it can revoke them.
type Override struct {
	Type   schema.ObservableType `json:"type"`
	Value  string                `json:"value"`            // canonical form of Type
	Feed   string                `json:"feed,omitzero"`    // whose indicators; empty: every feed's
	Tenant string                `json:"tenant,omitzero"`  // for this tenant alone: edits the indicators that are that tenant's
	ID     string                `json:"id,omitzero"`      // given by the library: follows from type, value, feed and tenant
	By     string                `json:"by,omitzero"`      // who set it last
	Note   string                `json:"comment,omitzero"` // why
	Time   schema.Millis         `json:"time,omitzero"`    // when; zero: now

	Verdict    *schema.Verdict  `json:"verdict,omitempty"`
	Wish       *schema.Wish     `json:"wish,omitempty"`
	Severity   *schema.Severity `json:"severity,omitempty"`
	Confidence *uint8           `json:"confidence,omitempty"`
	ValidUntil *schema.Millis   `json:"valid_until,omitempty"` // zero: no end
	TLP        *schema.TLP      `json:"tlp,omitempty"`
	Labels     []string         `json:"labels,omitempty"`  // added
	Revoked    *bool            `json:"revoked,omitempty"` // true: it does not count; false: it does, whatever its feed says

	Expires *schema.Millis `json:"expires,omitempty"` // when the feeds decide again; zero: never. Expire does it
}

// maxText bounds a name or comment of an analyst, in bytes.
const maxText = 4 << 10

func (o *Override) check() error {
	probe := schema.Indicator{Type: o.Type, Value: o.Value, Tenant: o.Tenant, Feed: o.Feed, Labels: o.Labels}
	o.edit(&probe)
	if !o.stands() && probe.TLP.Bound() && probe.Tenant == "" {
		probe.Tenant = "?" // the indicators' own decides, each for itself
	}
	if o.Feed != "" && !feedName.MatchString(o.Feed) {
		return fmt.Errorf("feed name %q", o.Feed)
	}
	if len(o.By) > maxText || len(o.Note) > maxText || strings.IndexByte(o.Value, 0) >= 0 {
		return errors.New("name or comment are too long, or the value has a zero byte")
	}
	if o.Expires != nil && *o.Expires != 0 && *o.Expires <= o.Time {
		return errors.New("it would end before it begins")
	}
	if o.Verdict == nil && o.Wish == nil && o.Severity == nil && o.Confidence == nil && o.ValidUntil == nil && o.TLP == nil && len(o.Labels) == 0 && o.Revoked == nil {
		return errors.New("sets nothing")
	}
	match.Narrow(&probe)
	return match.Check(probe)
}

// edit puts the override on an indicator.
func (o *Override) edit(i *schema.Indicator) {
	if !i.Listed {
		wish := o.Wish
		if o.Feed == "" && o.stands() {
			wish = nil // it is an indicator of its own, which demotes the others and gives the reason
		}
		set(&i.Verdict, o.Verdict)
		set(&i.Wish, wish)
		set(&i.Severity, o.Severity)
		benign := i.Verdict == schema.VerdictBenign || i.Verdict == schema.VerdictFalsePositive
		if (o.Verdict != nil || wish != nil) && !(benign && o.Feed != "") {
			i.Rank = match.RankAnalyst
		}
	}
	set(&i.Confidence, o.Confidence)
	set(&i.ValidUntil, o.ValidUntil)
	set(&i.TLP, o.TLP)
	i.Labels = addLabels(i.Labels, o.Labels)
}

// and gives the override with what later sets besides. An opinion takes back an
// earlier word that the value does not count; who set it and why are the later's.
func (o Override) and(later Override) Override {
	if later.opinion() && o.Revoked != nil && *o.Revoked {
		o.Revoked = nil
	}
	given(&o.Verdict, later.Verdict)
	given(&o.Wish, later.Wish)
	given(&o.Severity, later.Severity)
	given(&o.Confidence, later.Confidence)
	given(&o.ValidUntil, later.ValidUntil)
	given(&o.TLP, later.TLP)
	given(&o.Revoked, later.Revoked)
	given(&o.Expires, later.Expires)
	o.Labels = addLabels(o.Labels, later.Labels)
	o.By, o.Time, o.Note = later.By, later.Time, later.Note
	return o
}

// opinion reports an override that says what a match is worth.
func (o *Override) opinion() bool { return o.Verdict != nil || o.Wish != nil || o.Severity != nil }

// given takes a pointer that is given.
func given[T any](dst **T, v *T) {
	if v != nil {
		*dst = v
	}
}

// stands reports an override that is an indicator of its own.
func (o *Override) stands() bool {
	if o.Revoked != nil && *o.Revoked {
		return false
	}
	if o.Feed != "" {
		return o.Feed == Analyst
	}
	return o.Wish != nil && *o.Wish == schema.WishAllow || o.Tenant != "" && o.opinion()
}

// indicator gives that indicator.
func (o *Override) indicator() schema.Indicator {
	i := schema.Indicator{ID: o.ID, Feed: Analyst, Tenant: o.Tenant, Type: o.Type, Value: o.Value, Verdict: schema.VerdictMalicious, Confidence: 100, Rank: match.RankAnalyst}
	if o.Wish != nil && *o.Wish == schema.WishAllow {
		i.Verdict = schema.VerdictBenign
	}
	o.edit(&i)
	set(&i.Wish, o.Wish)
	if end := o.Expires; end != nil && *end != 0 && (i.ValidUntil == 0 || *end < i.ValidUntil) {
		i.ValidUntil = *end // to the minute, and so that its end is told from a word against it
	}
	match.Narrow(&i)
	return i
}

func (o *Override) id() string {
	return "indicator--" + fact.DeriveUUID("override", o.Type.String(), o.Value, o.Feed, o.Tenant)
}

// Override sets fields of the indicators of a value. What earlier overrides of the
// same type, value, feed and tenant set stays unless it is set again. It is in force
// at once; only what its feed has ended counts again when that feed is derived anew.
func (l *Library) Override(ctx context.Context, o Override) (Override, error) {
	if o.Time == 0 {
		o.Time = schema.FromTime(time.Now())
	}
	if err := o.check(); err != nil {
		return o, fmt.Errorf("override of %s %s: %w", o.Type, o.Value, err)
	}
	o.ID = o.id()
	over, err := l.append(ctx, func(over *overlay) (journalEntry, error) {
		if before := over.overrides[o.ID]; before != nil { // what they come to together must be sound, too
			both := before.and(o)
			if err := both.check(); err != nil {
				return journalEntry{}, fmt.Errorf("override of %s %s: %w", o.Type, o.Value, err)
			}
		}
		return journalEntry{Set: &o}, nil
	})
	if err != nil {
		return o, err
	}
	return *over.overrides[o.ID], nil
}

// ErrNoOverride says that there is no such override.
var ErrNoOverride = errors.New("no such override")

// RemoveOverride takes an override back, by its ID: the feeds decide again.
func (l *Library) RemoveOverride(ctx context.Context, id, by string) error {
	_, err := l.append(ctx, func(over *overlay) (journalEntry, error) {
		if over.overrides[id] == nil {
			return journalEntry{}, fmt.Errorf("%w: %q", ErrNoOverride, id)
		}
		return journalEntry{Drop: id, By: shorten(by, maxText)}, nil
	})
	return err
}

// Expire takes back the overrides whose time has come, and tells how many.
func (l *Library) Expire(ctx context.Context, now time.Time) (n int, err error) {
	over, err := l.overlay()
	if err != nil {
		return 0, err
	}
	for id, o := range over.overrides {
		if !o.expired(now) {
			continue
		}
		_, err := l.append(ctx, func(over *overlay) (journalEntry, error) {
			if o := over.overrides[id]; o == nil || !o.expired(now) { // somebody was faster
				return journalEntry{}, ErrNoOverride
			}
			return journalEntry{Drop: id, By: "expired"}, nil
		})
		switch {
		case err == nil:
			n++
		case !errors.Is(err, ErrNoOverride):
			return n, err
		}
	}
	return n, nil
}

func (o *Override) expired(now time.Time) bool {
	return o.Expires != nil && *o.Expires != 0 && *o.Expires <= schema.FromTime(now)
}

// Overrides lists all that are in force, by type, value, feed and tenant.
func (l *Library) Overrides() ([]Override, error) {
	over, err := l.overlay()
	if err != nil {
		return nil, err
	}
	var list []Override
	for _, o := range over.overrides {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b Override) int { return compareOverrides(&a, &b) })
	return list, nil
}

func compareOverrides(a, b *Override) int {
	if c := strings.Compare(string(appendPlace(nil, a.Type, a.Value)), string(appendPlace(nil, b.Type, b.Value))); c != 0 {
		return c
	}
	if c := strings.Compare(a.Feed, b.Feed); c != 0 {
		return c
	}
	return strings.Compare(a.Tenant, b.Tenant)
}

// Sight makes indicators of a value fresh, whichever feeds they are of. A sighting
// that names an indicator's id instead of a value costs a search through all feeds.
func (l *Library) Sight(ctx context.Context, s fact.Sighting) error {
	if s.Last <= 0 || s.Last > schema.FromTime(time.Now())+schema.MaxFuture {
		return fmt.Errorf("sighting: its time %s is missing or has not come yet", s.Last)
	}
	if s.Value == "" {
		if err := l.resolve(ctx, &s); err != nil {
			return err
		}
	}
	probe := schema.Indicator{Type: s.Type, Value: s.Value}
	match.Narrow(&probe)
	if err := match.Check(probe); err != nil || strings.IndexByte(s.Value, 0) >= 0 {
		return fmt.Errorf("sighting of %s %s: %w", s.Type, s.Value, errors.Join(err, errValue))
	}
	if len(s.By) > maxText || len(s.ID) > maxText || len(s.Of) > maxText {
		return errors.New("sighting: its texts are too long")
	}
	_, err := l.append(ctx, func(*overlay) (journalEntry, error) { return journalEntry{Sight: &s}, nil })
	return err
}

var errValue = errors.New("the value cannot be that of an indicator")

// resolve finds the value of the indicator that a sighting names.
func (l *Library) resolve(ctx context.Context, s *fact.Sighting) error {
	found := errors.New("found")
	_, err := l.Each(ctx, func(i schema.Indicator) error {
		if i.ID == s.Of {
			s.Type, s.Value = i.Type, i.Value
			return found
		}
		return nil
	})
	switch {
	case errors.Is(err, found):
		return nil
	case err == nil:
		return fmt.Errorf("sighting: no indicator %q in the library", s.Of)
	}
	return fmt.Errorf("sighting of %q: %w", s.Of, err)
}

// journalEntry is one line of the journal: one of the three.
type journalEntry struct {
	Seq   uint64         `json:"seq"`
	Set   *Override      `json:"set,omitempty"`
	Drop  string         `json:"drop,omitzero"`
	By    string         `json:"by,omitzero"`
	Sight *fact.Sighting `json:"sight,omitempty"`
}

func (e *journalEntry) valid() bool {
	n := 0
	for _, have := range []bool{e.Set != nil, e.Drop != "", e.Sight != nil} {
		if have {
			n++
		}
	}
	return n == 1 && (e.Set == nil || e.Set.ID == e.Set.id())
}
