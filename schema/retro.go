package schema

// RetroMatch is what was found of an alert's match after the alert had passed: that
// there is one, for its indicator came later, or that it is worth something else by
// now. It travels in the alerts log, so that the alert's incident learns of it in an
// order that every replay sees. The alert itself is not written again.
type RetroMatch struct {
	Tenant   string     `json:"tenant,omitzero"`
	Alert    AlertID    `json:"alert,omitzero"`
	Source   string     `json:"source,omitzero"`   // of the alert
	Created  Millis     `json:"created,omitzero"`  // of the alert
	Incident IncidentID `json:"incident,omitzero"` // where the store had the alert, for one that hop 2 holds no more; zero: nowhere
	On       EntityRef  `json:"on,omitzero"`       // the entity that is named; Match.Entity means nothing
	Match    Match      `json:"match,omitzero"`
	Made     Millis     `json:"made,omitzero"` // when it was found
	Kind     RetroKind  `json:"kind,omitzero"`
	By       string     `json:"by,omitzero"` // of a withdrawal: the feed that decided
}

// RetroKind is what a RetroMatch says.
type RetroKind uint8

// Retro kinds. The numbers are stored: append, never reorder.
const (
	RetroFound      RetroKind = iota // the alert has this match, too
	RetroWithdrawn                   // a match that counted does not any more; Match.Demoted says why
	RetroReinstated                  // a match that did not count does now
)

// String gives the verb of the ledger.
func (k RetroKind) String() string {
	switch k {
	case RetroFound:
		return "retro_match"
	case RetroWithdrawn:
		return "match_withdrawn"
	case RetroReinstated:
		return "match_reinstated"
	}
	return "unknown"
}

// laterWord is above the revision of every alert whose time is before the year 2248.
const laterWord = 1 << 63

// RevisionOf orders what is said of one match. What was found later is below every
// revision of the alert: what hop 1 saw when the alert came stands before it. What
// takes a match back or puts it back is above: it was said of that very match, and no
// revision of the alert undoes it.
func (m *RetroMatch) RevisionOf() uint64 {
	made := uint64(max(m.Made, 0))
	if m.Kind != RetroFound {
		made |= laterWord
	}
	return made
}

func (m *Match) isZero() bool {
	return m.Entity == 0 && m.Type == 0 && m.Value == "" && m.Indicator == "" && m.Feed == "" && m.Verdict == 0 && m.Severity == 0 &&
		m.Wish == 0 && m.Confidence == 0 && m.TLP == 0 && m.Demoted == "" && !m.Retro && len(m.Threats) == 0 && m.Snapshot == 0
}
