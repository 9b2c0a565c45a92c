package match

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

// Outcome is what becomes of an indicator that was found.
type Outcome uint8

// Outcomes.
const (
	Ignored Outcome = iota // no match is recorded
	Demoted                // a match is recorded, with the reason why it does not count
	Noted                  // a match is recorded that speaks against nothing
	Counts                 // a match is recorded and counts
)

// String gives the lower-case name.
func (o Outcome) String() string {
	names := [...]string{"ignored", "demoted", "noted", "counts"}
	if int(o) < len(names) {
		return names[o]
	}
	return "ignored"
}

// Reason is why a ruling is as it is.
type Reason uint8

// Reasons. Behind each the outcome it comes with.
const (
	Stands        Reason = iota // counts: nothing is against it
	OtherTenant                 // ignored
	ExactOther                  // ignored: exact, and about another name
	NotYet                      // ignored: begins after the alert
	Ended                       // ignored
	Decayed                     // ignored
	OnList                      // ignored: it is itself the entry of a benign list
	Harmless                    // ignored: benign, and nothing says otherwise
	HarmlessToo                 // ignored: benign, and others have decided already
	HarmlessAlike               // ignored: benign, and By of the same rank says otherwise
	OutrankedBad                // ignored: benign, and By of a higher rank says otherwise
	Allows                      // noted: the owner wants it
	Outranks                    // noted: benign, and silences By
	NoVerdict                   // noted: says neither that it is bad nor that it is not
	Allowed                     // demoted by By
	Listed                      // demoted by the list of By
	Outranked                   // demoted by By, which says benign
)

// Ruling is what one indicator is worth.
type Ruling struct {
	Indicator  *schema.Indicator
	By         *schema.Indicator // who decided against it; nil where nobody did
	Outcome    Outcome
	Reason     Reason
	Names      Names
	Severity   schema.Severity // what the match raises the alert to; unknown: it does not
	Confidence uint8           // at the alert's time
	Retro      bool
}

// Match gives the match that is recorded of the ruling; meaningless where it is
// ignored. Its texts and threats are the indicator's.
func (r *Ruling) Match(entity uint16, snapshot uint64) schema.Match {
	return r.match(entity, snapshot, r.demotion().text())
}

func (r *Ruling) match(entity uint16, snapshot uint64, demoted string) schema.Match {
	i := r.Indicator
	return schema.Match{Entity: entity, Type: i.Type, Value: i.Value, Indicator: i.ID, Feed: i.Feed, Verdict: i.Verdict, Severity: r.Severity,
		Wish: i.Wish, Confidence: r.Confidence, TLP: i.TLP, Demoted: demoted, Retro: r.Retro, Threats: i.Threats, Snapshot: snapshot}
}

// demotion is what the text of a demotion follows from.
type demotion struct {
	reason Reason
	name   string
}

func (r *Ruling) demotion() demotion {
	switch {
	case r.Outcome != Demoted:
		return demotion{}
	case r.Reason == Listed:
		return demotion{r.Reason, listName(r.By)}
	}
	return demotion{r.Reason, r.By.Feed}
}

// text is the reason that is stored; empty where nothing is demoted.
func (d demotion) text() string {
	switch d.reason {
	case Allowed:
		return "allowed by feed " + d.name
	case Listed:
		return "on the benign list " + strconv.Quote(d.name)
	case Outranked:
		return "outranked by feed " + d.name + ", which says benign"
	}
	return ""
}

func listName(i *schema.Indicator) string {
	if len(i.Labels) > 0 {
		return i.Labels[0]
	}
	return i.Feed
}

// Why tells people the reason.
func (r *Ruling) Why() string {
	i := r.Indicator
	switch r.Reason {
	case OtherTenant:
		return "belongs to another tenant"
	case ExactOther:
		return "names " + i.Value + " alone, nothing below it"
	case NotYet:
		return "not valid before " + i.ValidFrom.String()
	case Ended:
		return "ended " + i.ValidUntil.String()
	case Decayed:
		return "decayed: of confidence " + strconv.Itoa(int(i.Confidence)) + " at " + i.Fresh.String() + " " + strconv.Itoa(int(r.Confidence)) + " is left"
	case OnList:
		return "on the benign list " + strconv.Quote(listName(i)) + ": demotes others, makes no match"
	case Harmless:
		return "says " + i.Verdict.String() + ", and nothing says otherwise"
	case HarmlessToo:
		return "says " + i.Verdict.String() + ", and the matches are demoted without it"
	case HarmlessAlike:
		return "says " + i.Verdict.String() + "; feed " + r.By.Feed + " of the same rank says " + r.By.Verdict.String() + ", and only a higher rank would silence it"
	case OutrankedBad:
		return "outranked by feed " + r.By.Feed + ", which says " + r.By.Verdict.String()
	case Allows:
		return "allows it: no other match counts"
	case Outranks:
		return "says " + i.Verdict.String() + " and outranks feed " + r.By.Feed
	case NoVerdict:
		return "says neither that it is bad nor that it is harmless"
	case Stands:
		return r.Names.String()
	}
	return r.demotion().text()
}

// String tells people how an indicator names something.
func (n Names) String() string {
	texts := [...]string{"names the value itself", "network holds the address", "names the address with its port", "names the address", "names a parent domain",
		"names the URL under any scheme", "names what the URL begins with", "names the URL's path on any host", "names the URL's host",
		"names the domain of the address", "names another value"}
	if int(n) < len(texts) {
		return texts[n]
	}
	return "names another value"
}
