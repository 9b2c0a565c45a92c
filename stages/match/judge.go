package match

import (
	"cmp"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Subject is what the worth of a find depends on besides the indicators: the alert
// in which the observable stands.
type Subject struct {
	Tenant   string
	Created  schema.Millis
	Severity schema.Severity
	Blocked  bool // the sensor stopped it
	Retro    bool // the alert was there first: that an indicator begins after it does not matter
}

// RankAnalyst is the rank of what an analyst has said of a value. No source should
// be given it whose entries nobody has looked at one by one: no benign list, only a wish
// to allow, stands above it.
const RankAnalyst = 255

// SubjectOf gives what the judge must know of an alert.
func SubjectOf(a *schema.Alert, retro bool) Subject {
	return Subject{a.Tenant, a.Created, a.Severity, a.Blocked, retro}
}

// Judge says what every indicator is worth that was found for an observable, as
// Reader.Find yields them, in whatever order. It appends one ruling for each to out,
// in the order of feed, id, type and value. Rulings point into found. The same
// arguments give the same rulings on every machine.
//
// The rules, the first that applies: an indicator of another tenant, not valid at
// the alert's time, decayed, or exact about another name makes no match. A wish to
// allow demotes all others. A benign list demotes what names the very value it lists;
// when it covers the observable itself, all that names the observable; when it covers
// the host of a URL or of a mailbox, all that names the host, but not what names the
// URL or the address: a bad page on a good host is a bad page, and a path that is on
// many hosts excuses none of them. What an analyst has said outright (see RankAnalyst)
// no list demotes: that the value is popular is known to who said it. Of feeds that disagree about one value the one of
// the highest rank decides, and at equal rank the bad word stands.
func Judge(d Decay, s Subject, o schema.Observable, found []schema.Indicator, out []Ruling) []Ruling {
	first := len(out)
	own := ownName(o)
	var allow, lists, hosts *schema.Indicator // of the whole observable: who allows it, whose list it is on; of its host: whose list
	opinions := false
	for k := range found {
		i := &found[k]
		r := Ruling{Indicator: i, Names: relate(o, own, i), Retro: s.Retro}
		r.Confidence, r.Reason = standing(d, s, i, r.Names)
		out = append(out, r)
		if r.Reason != Stands {
			continue
		}
		opinions = opinions || i.Listed || benign(i)
		switch {
		case i.Listed && (r.Names == NamesAnother || r.Names == NamesPath): // neither is about what was asked
		case i.Listed && ofHost(o, i):
			hosts = better(hosts, i)
		case i.Listed:
			lists = better(lists, i)
		case i.Wish == schema.WishAllow:
			allow = better(allow, i)
		}
	}
	rulings := out[first:]
	if opinions && len(rulings) > 1 {
		slices.SortFunc(rulings, byValue)
	}
	for len(rulings) > 0 {
		n := 1
		for n < len(rulings) && opinions && rulings[n].Indicator.Value == rulings[0].Indicator.Value {
			n++
		}
		run := rulings[:n]
		rulings = rulings[n:]
		var listed *schema.Indicator // by value
		for k := range run {
			if i := run[k].Indicator; i.Listed && run[k].Reason == Stands {
				listed = better(listed, i)
			}
		}
		for len(run) > 0 {
			n := 1
			for n < len(run) && run[n].Indicator.Type == run[0].Indicator.Type {
				n++
			}
			decide(s, o, run[:n], allow, listed, lists, hosts)
			run = run[n:]
		}
	}
	if rulings = out[first:]; len(rulings) > 1 {
		slices.SortFunc(rulings, byFeed)
	}
	return out
}

// standing gives an indicator's confidence at the alert's time, and why it says
// nothing about the alert; Stands when it does.
func standing(d Decay, s Subject, i *schema.Indicator, names Names) (uint8, Reason) {
	left, enough := d.Confidence(i, s.Created)
	switch {
	case i.Tenant != "" && i.Tenant != s.Tenant:
		return left, OtherTenant
	case names == NamesAnother && !i.Listed:
		return left, ExactOther
	case !s.Retro && i.ValidFrom != 0 && s.Created < i.ValidFrom:
		return left, NotYet
	case i.ValidUntil != 0 && s.Created >= i.ValidUntil:
		return left, Ended
	case !enough:
		return left, Decayed
	}
	return left, Stands
}

// decide rules over the indicators of one type and value, as far as they stand.
func decide(s Subject, o schema.Observable, run []Ruling, allow, listed, lists, hosts *schema.Indicator) {
	var good, bad *schema.Indicator // of the highest rank
	for k := range run {
		i := run[k].Indicator
		switch {
		case run[k].Reason != Stands || i.Listed || i.Wish == schema.WishAllow:
		case benign(i):
			good = better(good, i)
		case isBad(i):
			bad = better(bad, i)
		}
	}
	by := lists
	if by == nil && len(run) > 0 && ofHost(o, run[0].Indicator) {
		by = hosts
	}
	if listed != nil {
		by = listed
	}
	silenced := good != nil && bad != nil && good.Rank > bad.Rank
	for k := range run {
		r := &run[k]
		if r.Reason != Stands {
			continue
		}
		i := r.Indicator
		switch {
		case i.Listed:
			r.Reason = OnList
		case i.Wish == schema.WishAllow:
			r.Outcome, r.Reason = Noted, Allows
		case benign(i):
			switch {
			case bad == nil:
				r.Reason = Harmless
			case silenced && good == i && allow == nil && by == nil:
				r.Outcome, r.Reason, r.By = Noted, Outranks, bad
			case silenced || allow != nil || by != nil:
				r.Reason = HarmlessToo
			case i.Rank == bad.Rank:
				r.Reason, r.By = HarmlessAlike, bad
			default:
				r.Reason, r.By = OutrankedBad, bad
			}
		case allow != nil:
			r.Outcome, r.Reason, r.By = Demoted, Allowed, allow
		case by != nil && i.Rank < RankAnalyst:
			r.Outcome, r.Reason, r.By = Demoted, Listed, by
		case silenced && isBad(i):
			r.Outcome, r.Reason, r.By = Demoted, Outranked, good
		case isBad(i):
			r.Outcome = Counts
		default:
			r.Outcome, r.Reason = Noted, NoVerdict
		}
		if r.Outcome == Counts || r.Reason == NoVerdict {
			r.Severity = severity(s, i)
		}
	}
}

func benign(i *schema.Indicator) bool {
	return i.Verdict == schema.VerdictBenign || i.Verdict == schema.VerdictFalsePositive
}

func isBad(i *schema.Indicator) bool {
	return i.Verdict == schema.VerdictMalicious || i.Verdict == schema.VerdictSuspicious
}

// severity gives what a match raises the alert to; unknown where that is nothing
// new.
func severity(s Subject, i *schema.Indicator) schema.Severity {
	v := i.Severity
	if v == schema.SeverityUnknown {
		switch {
		case i.Wish == schema.WishBlock:
			v = schema.SeverityInformational
		case i.Wish == schema.WishAudit:
			v = schema.SeverityLow
		case isBad(i) && s.Blocked:
			v = schema.SeverityLow
		case i.Verdict == schema.VerdictMalicious:
			v = schema.SeverityHigh
		case i.Verdict == schema.VerdictSuspicious:
			v = schema.SeverityMedium
		}
	}
	if v <= s.Severity {
		return schema.SeverityUnknown
	}
	return v
}

// better chooses the indicator that speaks for several: of the highest rank, and of
// those the first by feed and id, so that the choice does not depend on their order.
func better(a, b *schema.Indicator) *schema.Indicator {
	if a == nil || cmp.Or(cmp.Compare(a.Rank, b.Rank), compareIdentity(b, a)) < 0 {
		return b
	}
	return a
}

// compareIdentity orders indicators by what they are known by.
func compareIdentity(a, b *schema.Indicator) int {
	return cmp.Or(strings.Compare(a.Feed, b.Feed), strings.Compare(a.ID, b.ID), cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value))
}

func byFeed(a, b Ruling) int { return compareIdentity(a.Indicator, b.Indicator) }

func byValue(a, b Ruling) int {
	return cmp.Or(strings.Compare(a.Indicator.Value, b.Indicator.Value), cmp.Compare(a.Indicator.Type, b.Indicator.Type))
}
