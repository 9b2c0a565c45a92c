package oracle

import "github.com/interdict/interdict/schema"

// Params are the numbers of docs/correlation.md that a configuration may change.
type Params struct {
	Base        Base
	Pair        [4]schema.Millis   // windows of pair keys at levels 0 to 3
	Slice       schema.Millis      // length of a slice of level 4
	Caps        [4]int             // largest weight at levels 0 to 3; level 4 has none
	HubDegree   int                // degree above which a single key has no window at levels 0 and 1
	RareDegree  int                // the same for level 2
	MaxEntities int                // entities that an observation uses
	Allowlist   []schema.EntityRef // entities that make no keys
	Lateness    schema.Millis      // part of the horizon (Close); no rule of membership reads it
}

// Base are the windows that single keys start from.
type Base struct {
	Host, User, InternalIP, ExternalIP, Mailbox schema.Millis
	CloudResource, CloudAccount, Application    schema.Millis
	FileHash, Domain, URL                       schema.Millis
}

// The numbers that no configuration changes.
const (
	epoch      = schema.Hour      // degrees count whole epochs
	degreeSpan = 24 * schema.Hour // how far back a degree looks from the last sealed epoch
	lookBack   = 26 * schema.Hour // how far back of an observation its degree can look
	maxKeyLen  = 512              // bytes
	levels     = 5
)

// DefaultParams are the numbers as the text has them.
func DefaultParams() Params {
	const h = schema.Hour
	return Params{
		Base: Base{
			Host: 8 * h, User: 8 * h, InternalIP: 3 * h, ExternalIP: 12 * h, Mailbox: 12 * h,
			CloudResource: 8 * h, CloudAccount: 8 * h, Application: 8 * h,
			FileHash: 24 * h, Domain: 24 * h, URL: 24 * h,
		},
		Pair:        [4]schema.Millis{48 * h, 48 * h, 24 * h, 8 * h},
		Slice:       8 * h,
		Caps:        [4]int{15, 40, 120, 500},
		HubDegree:   20,
		RareDegree:  2,
		MaxEntities: 16,
		Lateness:    30 * schema.Minute,
	}
}

// Horizon is the longest window, or what a degree looks back, plus the lateness.
func (p Params) Horizon() schema.Millis {
	b := p.Base
	longest := max(b.Host, b.User, b.InternalIP, b.ExternalIP, b.Mailbox, b.CloudResource, b.CloudAccount,
		b.Application, b.FileHash, b.Domain, b.URL) * 3 / 2 // level 0, degree 0
	for _, w := range p.Pair {
		longest = max(longest, w)
	}
	return max(longest, lookBack) + p.Lateness
}

// Close is the least watermark at which an incident is closed whose newest
// observation is of time newest.
func (p Params) Close(newest schema.Millis) schema.Millis {
	return floor(newest, epoch) + epoch + p.Horizon()
}

// floor rounds t down to a multiple of unit.
func floor(t, unit schema.Millis) schema.Millis {
	r := t % unit
	if r < 0 {
		r += unit
	}
	return t - r
}
