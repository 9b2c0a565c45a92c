package mapping

import (
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// Runner asks tapes which format they are of and fills alerts from them. It must
// not be used by two goroutines at once.
type Runner struct {
	set   *Set
	arena *arena.Arena
	max   int // entities of an alert

	trust Trust
	near  schema.Millis  // for times without a year
	zone  *time.Location // of the source, for times without a zone; nil: UTC

	tape   *extract.Tape
	view   view
	depth  int        // of the view: elements around it
	firsts [][]uint16 // for views, by depth; all zero where not in use

	alert   *schema.Alert
	fault   extract.Fault
	hearsay bool // see reported
	ported  int  // entity that the rule at hand gave a port, and another rule made; -1: none
	texts   []string
	parts   []collected // of the rule at hand
	looked  int         // see maxLooked

	candidates []uint64 // bit by format, see Detect

	// Trace, if set, is told each thing that a rule did.
	Trace func(Step)
}

// Step is one thing that a rule did.
type Step struct {
	Line  int    // of the format's YAML
	Field string // "severity", "entity host target", ...
	Value string
}

// NewRunner gives a runner for the formats of set. What it makes is made in a.
func NewRunner(set *Set, a *arena.Arena, maxEntities int) *Runner {
	return &Runner{set: set, arena: a, max: maxEntities, candidates: make([]uint64, (len(set.Formats)+63)/64)}
}

// Trust is what a source attests: roles, by entity type.
type Trust [256]uint8

// For sets what is known of where the next documents come from: what the source
// attests, the zone of times that have none (nil: UTC), and a time near which those
// without a year lie.
func (r *Runner) For(trust *Trust, zone *time.Location, near schema.Millis) {
	r.trust, r.zone, r.near = *trust, zone, near
}

func (r *Runner) bad(what string) {
	if r.fault.Reason == 0 {
		r.fault = extract.Fault{Reason: schema.ReasonBadField, What: what}
	}
}
