package parse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// reader passes what a feed says to the sink, with what the feed's settings add.
type reader struct {
	ctx   context.Context
	feed  *fact.Feed
	part  fact.Part
	now   schema.Millis
	out   fact.Sink
	takes [schema.ObservableTypes]bool
}

// Bounds of texts that come with indicators and objects. What is longer is cut;
// what is more is left out.
const (
	maxLabels  = 64
	maxLabel   = 256
	maxID      = 512
	maxName    = 512
	maxDesc    = 4 << 10
	maxAliases = 64
	maxThreats = 32
	maxShown   = 120 // of a refused value
)

// errPath says how paths are admitted; other types are refused by name.
var errPath = errors.New("type url_path is taken only where the feed's types name it: a path says nothing of its host")

// derivedID is the id of an indicator whose feed gives it none. It derives from
// feed, type and value, so that reading again changes nothing.
func (r *reader) derivedID(o schema.Observable) string {
	return fact.IndicatorID(r.feed.Name, o.Type.String(), o.Value)
}

// indicator makes an indicator of an observable with the feed's defaults.
func (r *reader) indicator(id string, o schema.Observable) schema.Indicator {
	return schema.Indicator{ID: id, Feed: r.feed.Name, Tenant: r.feed.Tenant, Type: o.Type, Value: o.Value,
		Verdict: r.feed.Verdict, Severity: r.feed.Severity, Wish: r.feed.Wish, Confidence: r.feed.Confidence, Rank: r.feed.Rank,
		TLP: r.feed.TLP, Labels: slices.Clone(r.feed.Labels)}
}

// said passes an indicator on that may stand in an index, and refuses another.
func (r *reader) said(line int, text string, s fact.Said) (taken bool, err error) {
	if err := r.check(&s); err != nil {
		return false, r.refuse(line, text, err)
	}
	return true, r.out.Said(line, s)
}

// void says that a version of an object holds nothing that was taken, so that what an
// older one said does not stand for ever: it may have been marked as secret since, or
// be a condition now that is not matched.
func (r *reader) void(line int, id string, version schema.Millis) error {
	if version == 0 {
		return nil
	}
	return r.out.Said(line, fact.Said{Indicator: schema.Indicator{ID: id, Feed: r.feed.Name, Tenant: r.feed.Tenant}, Version: version})
}

// check reports why an indicator is not taken.
func (r *reader) check(s *fact.Said) error {
	switch {
	case int(s.Type) >= len(r.takes) || !r.takes[s.Type]:
		if s.Type == schema.ObservableURLPath && len(r.feed.Types) == 0 {
			return errPath
		}
		return fmt.Errorf("type %s is not among the feed's types", s.Type)
	case s.TLP.Bound() && r.feed.Tenant == "":
		return boundError(s.TLP)
	case s.ValidUntil != 0 && s.ValidUntil <= s.ValidFrom:
		return errors.New("valid_until is not after valid_from")
	}
	err := match.Check(s.Indicator)
	if errors.Is(err, match.ErrSuffix) {
		match.Narrow(&s.Indicator)
		err = match.Check(s.Indicator)
	}
	return err
}

// refuse says what was not taken and why.
func (r *reader) refuse(line int, value string, reason error) error {
	return r.out.Refuse(fact.Refusal{Part: r.part.Name, Line: line, Value: cut(value, maxShown), Reason: reason.Error(), Noise: noise(reason)})
}

// noise reports reasons for which a text is nothing that a feed says: it has not been
// recognized as anything, or is not even text.
func noise(reason error) bool {
	for _, is := range [...]error{errUnknown, errUTF8, errControl, errLine, errFields, errRecord, errQuote} {
		if errors.Is(reason, is) {
			return true
		}
	}
	return false
}

// past gives a time that is not after now: a feed that lies about the future must
// not keep its indicators fresh for ever.
func (r *reader) past(t schema.Millis) schema.Millis { return min(t, r.now) }

// cut shortens a text to n bytes at most, at a character's end, and drops what is
// no UTF-8. What it gives does not keep the text alive.
func cut(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ToValidUTF8(strings.Clone(s), "")
}

// addLabels appends labels that are new, bounded in number and length.
func addLabels(to []string, labels ...string) []string {
	for _, l := range labels {
		if l = cut(strings.TrimSpace(l), maxLabel); l != "" && len(to) < maxLabels && !slices.Contains(to, l) {
			to = append(to, l)
		}
	}
	return to
}
