package fact

import (
	"slices"
	"time"

	"github.com/interdict/interdict/schema"
)

// Format is the form of a feed's text.
type Format string

// Formats.
const (
	FormatAuto        Format = "auto"        // by its first bytes and, for CSV, by the mapping
	FormatList        Format = "list"        // one value a line; "#" begins a comment
	FormatCSV         Format = "csv"         // with a mapping
	FormatSTIX        Format = "stix"        // 2.0 or 2.1: bundle, envelope, array or single object
	FormatMISP        Format = "misp"        // event or export of events
	FormatWarninglist Format = "warninglist" // MISP warninglist: benign values
)

// Formats are all of them.
func Formats() []Format {
	return []Format{FormatAuto, FormatList, FormatCSV, FormatSTIX, FormatMISP, FormatWarninglist}
}

// Transport is how a feed is got.
type Transport string

// Transports.
const (
	TransportFile   Transport = "file"   // path, folder or glob; read again when it changes
	TransportHTTP   Transport = "http"   // URL, with ETag and Last-Modified
	TransportTAXII  Transport = "taxii"  // TAXII 2.1: URL of an API root or discovery, and a collection
	TransportMISP   Transport = "misp"   // MISP feed: URL of the folder that has manifest.json
	TransportUpload Transport = "upload" // filled by the upload API and by `intel import`
)

// Feed is the configuration of one feed.
type Feed struct {
	// Name is unique: letters, digits, dot, dash and underscore, at most 100.
	Name string `yaml:"name"`
	// Transport is how it is got. Default: by URL or File.
	Transport Transport `yaml:"transport"`
	// URL of the list, the TAXII API root or the MISP folder.
	URL string `yaml:"url"`
	// File is a path, a folder or a glob on this machine.
	File string `yaml:"file"`
	// Collection is the TAXII collection's id or title.
	Collection string `yaml:"collection"`
	// Format of the text. Default: auto.
	Format Format `yaml:"format"`
	// CSV says which columns hold what.
	CSV CSV `yaml:"csv"`

	// Tenant whose alerts the feed may match; empty: everybody's. Red and
	// amber+strict indicators are taken only with one.
	Tenant string `yaml:"tenant"`
	// Verdict of values where the feed gives none: malicious, suspicious or
	// benign. Default: malicious.
	Verdict schema.Verdict `yaml:"verdict"`
	// Severity a match raises the alert to. Default: unknown, by verdict and wish.
	Severity schema.Severity `yaml:"severity"`
	// Confidence, 0 to 100, where the feed gives none. Default: 75.
	Confidence uint8 `yaml:"confidence"`
	// TLP where the feed gives none: clear, green, amber, amber+strict, red.
	// Default: clear.
	TLP schema.TLP `yaml:"tlp"`
	// Wish is what is to be done about a match: none, allow, audit, warn, block.
	Wish schema.Wish `yaml:"wish"`
	// Rank of the source, 0 to 254: where feeds disagree about a value, the one
	// with the larger rank counts. What analysts say ranks above. Default: 50.
	Rank uint8 `yaml:"rank"`
	// Labels put on everything from the feed.
	Labels []string `yaml:"labels"`
	// ValidFor ends an indicator that its feed gives no end, so long after the feed
	// said it last. Default: 0, no end.
	ValidFor time.Duration `yaml:"valid_for"`
	// Types that are taken; empty: all but url_path.
	Types []string `yaml:"types"`
	// IDsOnly takes only MISP attributes that are marked for detection (to_ids).
	// Default: true.
	IDsOnly bool `yaml:"to_ids"`

	// Every is how often it is pulled. Default: 1h; files are watched.
	Every time.Duration `yaml:"every"`
	// Silence is how long a feed may bring nothing new before it counts as
	// silent, at least Every where it is pulled. Default: 0, never.
	Silence time.Duration `yaml:"silence"`
	// MaxBytes bounds what one pull may unpack to. Default: 4 GiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxShrink is how many percent of a feed's indicators may be gone at once where
	// a server gives all of it. A pull that takes away more is rather half a list: it
	// fails, and is taken when pulls have said the same for a day. Feeds of fewer
	// than 100 indicators may shrink as they like. 0 or 100: any may. Default: 90.
	MaxShrink uint8 `yaml:"max_shrink"`
	// MaxRefused is how many percent of a pull may be texts that are no value of any
	// kind, once there are more than 20 of them. A pull that has more is rather an error
	// page or a file of another kind: it fails. Over HTTP a shorter text fails in which
	// they are more than what could be taken. 0 or 100: any may. Default: 90.
	MaxRefused uint8 `yaml:"max_refused"`
	// AllowPrivate lets the URL and its redirects lead to private, loopback and
	// link-local addresses, and Auth go over plain http. Default: false.
	AllowPrivate bool `yaml:"allow_private"`
	// Auth says who we are to the server.
	Auth Auth `yaml:"auth"`
}

// CSV maps columns, each by its header or by its number from 1.
type CSV struct {
	// Header says that the first record names the columns. Default: auto.
	Header string `yaml:"header" json:"header,omitzero"` // auto, yes, no
	// Comma separates fields: one character, or "tab". Default: ",".
	Comma string `yaml:"comma" json:"comma,omitzero"`
	// Comment begins a line that is skipped. Default: "#".
	Comment string `yaml:"comment" json:"comment,omitzero"`
	// Value is the column of the indicator. Default: the first that is one.
	Value string `yaml:"value" json:"value,omitzero"`
	// Type is the column of the value's type in the feed's words; without one the
	// value tells.
	Type string `yaml:"type" json:"type,omitzero"`
	// The columns of what else is known; each may be empty.
	Verdict    string `yaml:"verdict" json:"verdict,omitzero"`
	Severity   string `yaml:"severity" json:"severity,omitzero"`
	Confidence string `yaml:"confidence" json:"confidence,omitzero"`
	TLP        string `yaml:"tlp" json:"tlp,omitzero"`
	Label      string `yaml:"label" json:"label,omitzero"`
	Malware    string `yaml:"malware" json:"malware,omitzero"` // name of the family
	Actor      string `yaml:"actor" json:"actor,omitzero"`
	First      string `yaml:"first" json:"first,omitzero"` // valid from
	Until      string `yaml:"until" json:"until,omitzero"` // valid until
	Seen       string `yaml:"seen" json:"seen,omitzero"`   // last seen
}

// Auth says who we are to a server. Secrets are in files.
type Auth struct {
	// User and PasswordFile: HTTP basic.
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"`
	// TokenFile: bearer token.
	TokenFile string `yaml:"token_file"`
	// Header and HeaderFile: a header of one's own, such as MISP's Authorization
	// or X-API-Key.
	Header     string `yaml:"header"`
	HeaderFile string `yaml:"header_file"`
	// CertFile and KeyFile: client certificate (PEM).
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// CAFile: certificates that the server's must lead to (PEM). Default: the
	// system's.
	CAFile string `yaml:"ca_file"`
}

// DefaultFeed gives the defaults named in Feed.
func DefaultFeed() Feed {
	return Feed{Format: FormatAuto, CSV: CSV{Header: "auto", Comma: ",", Comment: "#"}, Verdict: schema.VerdictMalicious, Confidence: 75,
		Rank: 50, IDsOnly: true, Every: time.Hour, MaxBytes: 4 << 30, MaxShrink: 90, MaxRefused: 90}
}

// Takes reports whether the feed's settings admit a type.
func (f *Feed) Takes(t schema.ObservableType) bool {
	if len(f.Types) == 0 {
		return t != schema.ObservableURLPath
	}
	return slices.Contains(f.Types, t.String())
}

// UnmarshalYAML reads a feed over the defaults.
func (f *Feed) UnmarshalYAML(read func(any) error) error {
	type plain Feed // without this method
	p := plain(DefaultFeed())
	if err := read(&p); err != nil {
		return err
	}
	*f = Feed(p)
	return nil
}
