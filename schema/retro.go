package schema

// RetroMatch is a match that was found after its alert had passed: the indicator
// came later. It travels in the alerts log, so that the alert's incident learns
// of it in an order that every replay sees. The alert itself is not written again.
type RetroMatch struct {
	Tenant   string     `json:"tenant,omitzero"`
	Alert    AlertID    `json:"alert,omitzero"`
	Source   string     `json:"source,omitzero"`   // of the alert
	Created  Millis     `json:"created,omitzero"`  // of the alert
	Incident IncidentID `json:"incident,omitzero"` // where the store had the alert, for one that hop 2 holds no more; zero: nowhere
	On       EntityRef  `json:"on,omitzero"`       // the entity that is named; Match.Entity means nothing
	Match    Match      `json:"match,omitzero"`
	Made     Millis     `json:"made,omitzero"` // when it was found
}

// RevisionOf orders the findings of one match. It is below every revision of an
// alert: what hop 1 saw when the alert came stands before what was found later.
func (m *RetroMatch) RevisionOf() uint64 { return uint64(max(m.Made, 0)) }

func (m *Match) isZero() bool {
	return m.Entity == 0 && m.Type == 0 && m.Value == "" && m.Indicator == "" && m.Feed == "" && m.Verdict == 0 && m.Severity == 0 &&
		m.Wish == 0 && m.Confidence == 0 && m.TLP == 0 && m.Demoted == "" && !m.Retro && len(m.Threats) == 0 && m.Snapshot == 0
}
