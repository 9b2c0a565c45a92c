package library

import (
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Report is what an import did. Indicators are counted as they are derived, before
// overrides.
type Report struct {
	Feed       string        `json:"feed"`
	Origin     string        `json:"origin"`
	Time       schema.Millis `json:"time"`
	Generation uint64        `json:"generation"` // of the indicators; the one before where nothing changed

	Read       int            `json:"read"`       // facts that were taken from the pull
	Indicators int            `json:"indicators"` // that count now
	Added      int            `json:"added"`
	Changed    int            `json:"changed"`
	Removed    int            `json:"removed"` // by the feed or a rule
	Expired    int            `json:"expired"` // left because their time is over
	Unchanged  int            `json:"unchanged"`
	Refused    int            `json:"refused"`
	Skipped    int            `json:"skipped"`            // stand aside by an ingestion rule or the feed's types
	Aside      map[string]int `json:"aside,omitempty"`    // facts that are known and do not count, by why
	Types      map[string]int `json:"types,omitempty"`    // indicators by type
	Objects    int            `json:"objects"`            // known now
	Relations  int            `json:"relations"`          // known now
	Sightings  int            `json:"sightings"`          // known now
	Refusals   []fact.Refusal `json:"refusals,omitempty"` // the first; more are in the file
	File       string         `json:"refused_file,omitzero"`
}

// changes reports whether the indicators are others than before.
func (r *Report) changes() bool { return r.Added+r.Changed+r.Removed+r.Expired > 0 }

// Words of Report.Aside and Standing.Aside: why facts that are known do not count.
const (
	AsideRevoked    = "revoked"    // the feed took them back
	AsideMissing    = "missing"    // no longer in a feed that is read as a whole
	AsideSuperseded = "superseded" // no longer in the newest version of their object
	AsideExpired    = "expired"    // their time is over
	AsideSkipped    = "skipped"    // an ingestion rule, or the feed's types
	AsideRefused    = "refused"    // must not stand in an index
)

// Standing is what a feed holds.
type Standing struct {
	Indicators int            `json:"indicators"`
	Types      map[string]int `json:"types,omitempty"`
	Aside      map[string]int `json:"aside,omitempty"`
	Objects    int            `json:"objects"`
	Relations  int            `json:"relations"`
	Sightings  int            `json:"sightings"`
}

// Summary is what of a feed's configuration may be shown: no secrets, nor where
// they are.
type Summary struct {
	Transport  fact.Transport  `json:"transport,omitzero"`
	URL        string          `json:"url,omitzero"` // without user, password and query
	File       string          `json:"file,omitzero"`
	Collection string          `json:"collection,omitzero"`
	Format     fact.Format     `json:"format,omitzero"`
	Tenant     string          `json:"tenant,omitzero"`
	Verdict    schema.Verdict  `json:"verdict"`
	Severity   schema.Severity `json:"severity"`
	Wish       schema.Wish     `json:"wish"`
	Confidence uint8           `json:"confidence"`
	Rank       uint8           `json:"rank"`
	TLP        schema.TLP      `json:"tlp"`
	Labels     []string        `json:"labels,omitempty"`
	Every      string          `json:"every,omitzero"`
	ValidFor   string          `json:"valid_for,omitzero"`
	Silence    string          `json:"silence,omitzero"`
}
