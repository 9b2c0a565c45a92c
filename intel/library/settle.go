package library

import (
	"slices"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// What a pull does to what was known.
//
// Of one id the newest version counts, with all its values: an older one that comes
// late changes nothing, a newer one ends the values that it no longer has, and a
// revoked one ends all of them. Of equal versions a revoked one counts, and one of which
// nothing can be taken any more, such as one whose event was marked red, ends them too. A fact
// without a version speaks of its value alone and is older than any version. Taking
// back an id without a version ends whatever there is of it.
//
// A pull that is the whole feed ends what it does not have; one that is an update
// leaves it. What has ended is kept for a while, so that it can be explained.

// pulled is what a pull says of an id that has a version or is taken back.
type pulled struct {
	version schema.Millis
	revoked bool // at that version
	always  bool // taken back without a version
	empty   bool // that version has nothing that could be taken
	stale   bool // what is stored is newer, or taken back at the same version
}

// ids is what a pull says of all of these.
type ids map[digest]pulled

func (p ids) note(id digest, s *fact.Said) {
	e := p[id]
	empty := s.Value == "" && !s.Revoked
	switch {
	case s.Revoked && s.Version == 0:
		e.always = true
	case s.Version > e.version:
		e.version, e.revoked, e.empty = s.Version, s.Revoked, empty
	case s.Version == e.version:
		e.revoked, e.empty = e.revoked || s.Revoked, e.empty && empty
	}
	p[id] = e
}

// known compares with a stored fact of the id, before anything is settled.
func (p ids) known(id digest, f *stored) {
	e, ok := p[id]
	if ok && !e.always && f.holds() && (f.Version > e.version || f.Version == e.version && f.End == revoked) {
		e.stale = true
		p[id] = e
	}
}

// holds reports a fact that an older version cannot replace.
func (f *stored) holds() bool { return f.End == stands || f.End == revoked }

func (e pulled) ends() bool { return e.revoked || e.always }

// settle decides what becomes of a value of an id: old is what is stored, fresh
// what the pull says; either may be nil. e is what the pull says of the id, if ok.
// The second result is false where nothing is known of it any more.
func settle(mode fact.Mode, now schema.Millis, old, fresh *stored, e pulled, ok bool) (stored, bool) {
	if fresh != nil && ok {
		if mode == fact.Update && e.stale || fresh.Version < e.version && !e.ends() {
			fresh = nil
		} else if e.ends() {
			f := *fresh
			f.Revoked, f.End = true, revoked
			f.Version = max(f.Version, e.version)
			fresh = &f
		}
	}
	if fresh != nil && old != nil && mode == fact.Update && old.holds() && fresh.Version < old.Version && !(ok && e.always) {
		fresh = nil
	}
	if fresh != nil {
		f := *fresh
		f.First, f.Seen = now, now
		if old != nil {
			f.First, f.Changed = old.First, old.Changed
			if old.End != f.End || !alike(&old.Indicator, &f.Indicator) {
				f.Changed = now
			}
		}
		f.Ended = 0
		if f.End != stands {
			f.Ended = now
			if old != nil && old.End == f.End {
				f.Ended = old.Ended
			}
		}
		return f, true
	}
	if old == nil {
		return stored{}, false
	}
	f := *old
	taken := ok && !(mode == fact.Update && e.stale) && e.ends() && (e.always || e.version >= f.Version)
	switch {
	case taken:
		if f.End != revoked {
			f.Ended = now
		}
		f.End, f.Revoked, f.Version = revoked, true, max(f.Version, e.version)
	case f.End != stands && mode == fact.Replace:
		f.Version = 0 // the feed as a whole no longer says it: it holds nothing back
	case f.End != stands:
	case mode == fact.Replace:
		f.End, f.Ended = missing, now
	case ok && !e.stale && (e.version > f.Version || e.empty && e.version == f.Version):
		f.End, f.Ended = superseded, now
	}
	return f, true
}

// alike reports that a feed says the same of two indicators of one key.
func alike(a, b *schema.Indicator) bool {
	return a.Exact == b.Exact && a.Listed == b.Listed && a.Verdict == b.Verdict && a.Severity == b.Severity && a.Wish == b.Wish && a.Confidence == b.Confidence &&
		a.Rank == b.Rank && a.TLP == b.TLP && a.Tenant == b.Tenant && a.ValidFrom == b.ValidFrom && a.ValidUntil == b.ValidUntil && a.Fresh == b.Fresh &&
		slices.Equal(a.Labels, b.Labels) && slices.Equal(a.Threats, b.Threats)
}

// together makes one of two facts that a pull has of the same value and id: the newer
// version, or of equal ones the surest, with the labels and threats of both.
func together(a, b *stored) *stored {
	switch {
	case a.Version > b.Version:
		return a
	case b.Version > a.Version:
		return b
	case a.Revoked:
		return a
	case b.Revoked:
		return b
	}
	if b.Confidence > a.Confidence {
		a, b = b, a
	}
	c := *a
	c.Labels = addLabels(c.Labels, b.Labels)
	c.Severity, c.Wish, c.Rank, c.Fresh = max(a.Severity, b.Severity), max(a.Wish, b.Wish), max(a.Rank, b.Rank), max(a.Fresh, b.Fresh)
	if b.TLP.Secrecy() > a.TLP.Secrecy() {
		c.TLP = b.TLP
	}
	c.ValidFrom = min(a.ValidFrom, b.ValidFrom)
	c.ValidUntil = max(a.ValidUntil, b.ValidUntil)
	if a.ValidUntil == 0 || b.ValidUntil == 0 {
		c.ValidUntil = 0
	}
	for _, t := range b.Threats {
		if !slices.Contains(c.Threats, t) && len(c.Threats) < maxLabels {
			c.Threats = append(slices.Clip(c.Threats), t)
		}
	}
	return &c
}
