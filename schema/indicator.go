package schema

// ObservableType is the kind of value that threat intelligence speaks of.
type ObservableType uint8

// Observable types. The numbers are stored: append, never reorder.
const (
	ObservableUnknown     ObservableType = iota
	ObservableIP                         // canonical address text
	ObservableCIDR                       // canonical prefix text; indicators only
	ObservableDomain                     // lower case, no trailing dot
	ObservableURL                        // normal form; an indicator's may begin with "//": any scheme
	ObservableHash                       // lower-case hex: md5, sha1 or sha256 by length
	ObservableEmail                      // address in lower case
	ObservableSocket                     // address and port, "203.0.113.7:443" or "[2001:db8::7]:443"
	ObservableURLPrefix                  // normal form, up to and with a "/"; names what is below it; may begin with "//"
	ObservableURLPath                    // path of a URL on any host, from its "/" on; only taken where a feed asks for it
	ObservableSender                     // domain of a sender's address; indicators only
	ObservableCertificate                // lower-case hex digest of an X.509 certificate: md5, sha1 or sha256
	ObservableJA3                        // 32 lower-case hex digits
	ObservableJA3S                       // 32 lower-case hex digits
	ObservableJA4                        // such as "t13d1516h2_8daaf6152771_02713d6af862"
	ObservableUserAgent                  // exact text
	ObservableMutex                      // exact text
	ObservableRegistry                   // exact text in the form of registry keys
	ObservableSSDeep                     // stored and found by its exact text; not compared by similarity
	observableTypes                      // count
)

// ObservableTypes is the number of types, for tables indexed by one.
const ObservableTypes = int(observableTypes)

// String gives the stored lower-case name.
func (t ObservableType) String() string {
	names := [...]string{"unknown", "ip", "cidr", "domain", "url", "hash", "email", "socket", "url_prefix", "url_path", "sender",
		"certificate", "ja3", "ja3s", "ja4", "user_agent", "mutex", "registry", "ssdeep"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// Observable is a value seen in an alert.
type Observable struct {
	Type  ObservableType `json:"type"`
	Value string         `json:"value,omitzero"`
}

// TLP is the traffic-light marking of an indicator (FIRST TLP 2.0).
type TLP uint8

// Markings. The numbers are stored: append, never reorder; they do not order by
// secrecy, Secrecy does.
const (
	TLPClear TLP = iota
	TLPGreen
	TLPAmber
	TLPRed
	TLPAmberStrict
)

// String gives the lower-case marking.
func (t TLP) String() string {
	names := [...]string{"clear", "green", "amber", "red", "amber+strict"}
	if int(t) < len(names) {
		return names[t]
	}
	return "clear"
}

// Secrecy orders markings from free (0) to secret (4).
func (t TLP) Secrecy() int { return int([...]uint8{0, 1, 2, 4, 3}[min(t, TLPAmberStrict)]) }

// Bound reports a marking that keeps an indicator within its tenant: red, and
// amber that the source restricts to the organization.
func (t TLP) Bound() bool { return t == TLPRed || t == TLPAmberStrict }

// Wish is what the owner of an indicator wants done about it.
type Wish uint8

// Wishes, in the words of Microsoft Defender. The numbers are stored: append,
// never reorder.
const (
	WishNone  Wish = iota // tell: the verdict speaks for itself
	WishAllow             // known and wanted: no match of the same entity counts
	WishAudit             // tell, with the severity that the owner gave
	WishWarn              // tell the user at the endpoint
	WishBlock             // stop it; the match itself is only informational
)

// String gives the lower-case name.
func (w Wish) String() string {
	names := [...]string{"none", "allow", "audit", "warn", "block"}
	if int(w) < len(names) {
		return names[w]
	}
	return "none"
}

// ThreatKind says what a threat behind an indicator is.
type ThreatKind uint8

// Threat kinds. The numbers are stored: append, never reorder.
const (
	ThreatUnknown   ThreatKind = iota
	ThreatMalware              // STIX malware
	ThreatTool                 // STIX tool
	ThreatActor                // STIX threat-actor, intrusion-set
	ThreatCampaign             // STIX campaign
	ThreatTechnique            // STIX attack-pattern; name: the ATT&CK id where known
	ThreatReport               // STIX report or grouping, MISP event
	ThreatVulnerability
)

// String gives the stored lower-case name.
func (k ThreatKind) String() string {
	names := [...]string{"unknown", "malware", "tool", "actor", "campaign", "technique", "report", "vulnerability"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Threat is something that an indicator indicates.
type Threat struct {
	Kind ThreatKind `json:"kind"`
	ID   string     `json:"id,omitzero"` // the feed's id, such as "malware--..."; may be empty
	Name string     `json:"name,omitzero"`
}

// Indicator is a value that threat intelligence calls bad (or good), as it counts:
// the feed's word with ingestion rules, sightings and analysts' overrides on top.
type Indicator struct {
	ID         string         `json:"id,omitzero"` // the feed's id, or derived from feed, type and value
	Feed       string         `json:"feed,omitzero"`
	Tenant     string         `json:"tenant,omitzero"` // whose alerts it may match; empty: everybody's
	Type       ObservableType `json:"type"`
	Value      string         `json:"value,omitzero"`  // canonical form of Type
	Exact      bool           `json:"exact,omitzero"`  // names the value alone: no subdomain
	Listed     bool           `json:"listed,omitzero"` // an entry of a benign list (warninglist): no opinion, only a reason to doubt others; Labels[0] is the list's name
	Verdict    Verdict        `json:"verdict"`
	Severity   Severity       `json:"severity"` // severity a match raises the alert to; unknown: by verdict and wish
	Wish       Wish           `json:"wish,omitzero"`
	Confidence uint8          `json:"confidence"`    // 0-100, at Fresh
	Rank       uint8          `json:"rank,omitzero"` // of its source: a larger one outranks; zero: lowest
	TLP        TLP            `json:"tlp"`
	ValidFrom  Millis         `json:"valid_from,omitzero"`
	ValidUntil Millis         `json:"valid_until,omitzero"` // exclusive; zero: no end
	Fresh      Millis         `json:"fresh,omitzero"`       // last change or sighting, from which confidence decays; zero: it does not
	Labels     []string       `json:"labels,omitempty"`
	Threats    []Threat       `json:"threats,omitempty"`
}

// Match says that an entity of an alert is named by an indicator. Matches are
// never guesses: the value was compared byte by byte.
type Match struct {
	Entity     uint16         `json:"entity"` // index into Alert.Entities
	Type       ObservableType `json:"type"`
	Value      string         `json:"value,omitzero"`     // the indicator's value; a parent domain or prefix may differ from the entity's
	Indicator  string         `json:"indicator,omitzero"` // Indicator.ID
	Feed       string         `json:"feed,omitzero"`
	Verdict    Verdict        `json:"verdict"`
	Severity   Severity       `json:"severity"` // what the match raises the alert's severity to; unknown: it does not
	Wish       Wish           `json:"wish,omitzero"`
	Confidence uint8          `json:"confidence"` // at the alert's time, after decay
	TLP        TLP            `json:"tlp"`
	Demoted    string         `json:"demoted,omitzero"` // why it does not count, for people; empty: it counts
	Retro      bool           `json:"retro,omitzero"`   // found when the indicator came, after the alert
	Threats    []Threat       `json:"threats,omitempty"`
	Snapshot   uint64         `json:"snapshot,string"` // id of the index that was asked
}

// Counts reports a match that speaks against its entity: a bad verdict that
// nothing has demoted.
func (m *Match) Counts() bool {
	return m.Demoted == "" && m.Wish != WishAllow && (m.Verdict == VerdictMalicious || m.Verdict == VerdictSuspicious)
}
