package library

import (
	"slices"
	"time"

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
	Noise      int            `json:"noise,omitzero"`     // of these: texts that are no value of any kind
	Became     map[string]int `json:"became,omitempty"`   // what became of what was read, by Became* and Aside*; it adds up to Read
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

// Words of Report.Became, besides those of Aside.
const (
	BecameCounting  = "counting"      // it is in force, as far as its time and decay let it
	BecameDuplicate = "duplicate"     // the pull has it more than once: the same value of the same id
	BecameOlder     = "older version" // a newer one of its object is known
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
	Types      []string        `json:"types,omitempty"`
	CSV        fact.CSV        `json:"csv,omitzero"`       // unless it is the default
	AllIDs     bool            `json:"no_to_ids,omitzero"` // MISP: also what is not marked for detection
	Silence    string          `json:"silence,omitzero"`
}

// Onto gives a feed the settings that say what is taken and what it is worth; where and
// how often it is got stays.
func (s *Summary) Onto(f *fact.Feed) {
	f.Format, f.Tenant, f.Verdict, f.Severity, f.Wish, f.Confidence, f.Rank, f.TLP = s.Format, s.Tenant, s.Verdict, s.Severity, s.Wish, s.Confidence, s.Rank, s.TLP
	f.Labels, f.Types, f.IDsOnly = slices.Clone(s.Labels), slices.Clone(s.Types), !s.AllIDs
	if s.CSV != (fact.CSV{}) {
		f.CSV = s.CSV
	}
	if d, err := time.ParseDuration(s.ValidFor); err == nil {
		f.ValidFor = d
	}
}
