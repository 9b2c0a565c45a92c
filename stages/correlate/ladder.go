package correlate

import (
	"time"

	"github.com/interdict/interdict/schema"
)

// levels of the ladder. Links of a level are links of every level before it, so
// that a component of a level never spans two of the level before.
const levels = 5

const (
	lastLevel  = levels - 1 // slices of time; no cap
	pairLevels = levels - 1 // levels whose pair keys have a plain window
	soleLevels = 3          // levels at which single keys link
	hour       = schema.Hour
	degreeSpan = 24 // hours that a degree sums
	sealedLag  = 1  // hours between an observation's own hour and the newest sealed one
	noWindow   = -1
	noDegree   = 1<<16 - 1 // of an entity that makes no key, or whose degree is not sealed yet
)

// class is a row of the table of base windows.
type class uint8

const (
	classHost class = iota
	classUser
	classInternalIP
	classExternalIP
	classMailbox
	classCloudResource
	classCloudAccount
	classApplication
	classFileHash
	classDomain
	classURL
	classes
)

type namedWindow struct {
	name   string
	window time.Duration
}

func (b BaseWindows) byClass() [classes]namedWindow {
	return [classes]namedWindow{
		classHost:          {"host", b.Host},
		classUser:          {"user", b.User},
		classInternalIP:    {"internal_ip", b.InternalIP},
		classExternalIP:    {"external_ip", b.ExternalIP},
		classMailbox:       {"mailbox", b.Mailbox},
		classCloudResource: {"cloud_resource", b.CloudResource},
		classCloudAccount:  {"cloud_account", b.CloudAccount},
		classApplication:   {"application", b.Application},
		classFileHash:      {"file_hash", b.FileHash},
		classDomain:        {"domain", b.Domain},
		classURL:           {"url", b.URL},
	}
}

// ladder is the configuration as the hot path wants it. Immutable.
type ladder struct {
	base        [classes]int64 // ms
	pair        [pairLevels]int64
	slice       int64
	caps        [levels]uint32
	hub         int
	rare        int
	maxEntities int
	longest     [levels]int64 // ms; no link of the level is longer
	horizon     int64         // ms from an incident's newest observation to its close
	allow       map[schema.EntityRef]struct{}
	promote     Promotion
	promoteFrom schema.Severity
	entities    int
	edges       int
}

func newLadder(c Config) *ladder {
	l := &ladder{slice: c.Slice.Milliseconds(), hub: c.HubDegree, rare: c.RareDegree, maxEntities: c.MaxEntities,
		promote: c.Promote, entities: c.HeadEntities, edges: c.PathEdges}
	longest := int64((degreeSpan + sealedLag + 1) * hour)
	for i, w := range c.Base.byClass() {
		l.base[i] = w.window.Milliseconds()
		longest = max(longest, l.base[i]*3/2)
		for level := range soleLevels {
			l.longest[level] = max(l.longest[level], l.sole(level, class(i), 0))
		}
	}
	for i, w := range c.PairWindows {
		l.pair[i] = w.Milliseconds()
		longest = max(longest, l.pair[i])
		l.longest[i] = max(l.longest[i], l.pair[i])
	}
	l.longest[lastLevel] = l.slice
	l.horizon = longest + c.Lateness.Milliseconds()
	copy(l.caps[:], c.Caps)
	l.caps[lastLevel-1] = c.SliceWeight
	l.caps[lastLevel] = 1<<32 - 1
	l.allow = make(map[schema.EntityRef]struct{}, len(c.Allowlist))
	for _, s := range c.Allowlist {
		if ref, err := parseRef(s); err == nil { // Validate has seen it
			l.allow[ref] = struct{}{}
		}
	}
	l.promoteFrom, _ = parseSeverity(c.Promote.Severity)
	return l
}

// sole is the window, in ms, of a single key with degree d at a level, or
// noWindow. The factors are those of docs/correlation.md.
func (l *ladder) sole(level int, c class, d uint16) int64 {
	n := int64(d) + 2
	switch {
	case d == noDegree || int(d) > l.hub:
		return noWindow
	case level == 0:
		return l.base[c] * 3 / n
	case level == 1:
		return l.base[c] * 4 / (5 * n)
	case level == 2 && int(d) <= l.rare:
		return l.base[c] * 4 / (15 * n)
	}
	return noWindow
}

// reach is how far back an observation at t of a pair key links.
func (l *ladder) reach(level int, t int64) int64 {
	if level == lastLevel {
		return t - floorDiv(t, l.slice)*l.slice
	}
	return l.pair[level]
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func hourOf(t schema.Millis) int32 { return int32(floorDiv(int64(t), int64(hour))) }
