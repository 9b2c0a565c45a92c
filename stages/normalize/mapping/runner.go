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

	tape *extract.Tape
	from int // the scope: the values of the element at hand
	to   int

	repeat int // index of the last value whose slot has one before it; -1: none

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

// whole makes the document the scope.
func (r *Runner) whole(t *extract.Tape) {
	r.tape, r.from, r.to = t, 0, len(t.Values)
	r.repeat = len(t.Values) - 1
	for r.repeat >= 0 && int(t.First[t.Values[r.repeat].Slot]) == r.repeat+1 {
		r.repeat--
	}
}

// find gives the first value of a path in scope, nil where there is none.
func (r *Runner) find(x *ref) *extract.Value {
	for _, t := range *x {
		if i := r.place(t); i >= 0 {
			return &r.tape.Values[i]
		}
	}
	return nil
}

// place gives the index of the slot's first value in scope, or -1.
func (r *Runner) place(t target) int {
	i := int(r.tape.First[t.slot]) - 1
	if t.root || i < 0 {
		return i
	}
	if i >= r.from {
		if i < r.to {
			return i
		}
		return -1
	}
	for i = r.from; i < min(r.to, r.repeat+1); i++ {
		if r.tape.Values[i].Slot == t.slot {
			return i
		}
	}
	return -1
}

// text gives the first text of a path in scope.
func (r *Runner) text(x *ref) string {
	for n, t := range *x {
		i := r.place(t)
		if i < 0 {
			continue
		}
		if v := &r.tape.Values[i]; v.Kind != extract.Object {
			return v.Text
		}
		one := (*x)[n : n+1]
		w := r.textsOf(&one)
		if v := w.next(); v != nil {
			r.leave(&w)
			return v.Text
		}
	}
	return ""
}

// walk goes over the values of a path's first alternative that has any.
type walk struct {
	tape *extract.Tape
	slot extract.Slot
	at   int // index of the next value to look at; after next: of the one after
	to   int
	far  bool // see maxLooked
}

func (r *Runner) values(x *ref) walk {
	w := walk{tape: r.tape, to: r.to}
	w.at = w.to
	for _, t := range *x {
		if i := r.place(t); i >= 0 {
			if t.root {
				w.to = len(r.tape.Values)
			}
			w.slot, w.at, w.to = t.slot, i, min(w.to, max(i, r.repeat)+1)
			if w.far = t.root && r.to-r.from < len(r.tape.Values); w.far {
				r.look(w.to - w.at)
			}
			break
		}
	}
	return w
}

// next gives the next value, nil after the last.
func (w *walk) next() *extract.Value {
	for ; w.at < w.to; w.at++ {
		v := &w.tape.Values[w.at]
		if v.Slot != w.slot {
			continue
		}
		w.at++
		return v
	}
	return nil
}

// textsOf is values without objects: it goes over the texts of a path's first
// alternative that has any.
func (r *Runner) textsOf(x *ref) walk {
	for i := range *x {
		if r.tape.First[(*x)[i].slot] == 0 {
			continue
		}
		one := (*x)[i : i+1]
		w := r.values(&one)
		for v := w.next(); v != nil; v = w.next() {
			if v.Kind != extract.Object {
				w.at--
				return w
			}
		}
	}
	return walk{}
}

// maxLooked bounds the values of a document that rules within an element may look
// at beyond the element: each element may want all of them.
const maxLooked = 1 << 22

// leave takes back what a walk that ends early did not look at.
func (r *Runner) leave(w *walk) {
	if w.far {
		r.looked -= w.to - w.at
	}
}

func (r *Runner) look(n int) {
	if r.looked += n; r.looked > maxLooked && r.fault.Reason == 0 {
		r.fault = extract.Fault{Reason: schema.ReasonTooLarge, What: "too many values for each of too many elements"}
	}
}

func (r *Runner) bad(what string) {
	if r.fault.Reason == 0 {
		r.fault = extract.Fault{Reason: schema.ReasonBadField, What: what}
	}
}
