package mapping

import (
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// view is what rules see of a tape: all of it, or an element. Rules ask far more
// often than there are values, most of them for what is not there, so that each
// view has its own index.
type view struct {
	first    []uint16 // by slot: index + 1 of its first value in the view, 0: none
	from, to int
}

// whole makes the document the view.
func (r *Runner) whole(t *extract.Tape) {
	r.tape, r.view, r.depth = t, view{first: t.First, to: len(t.Values)}, 0
}

// enter makes the element at i, a value of t, the view. leave takes the one from
// before that.
func (r *Runner) enter(t target, i int) (outer view) {
	outer = r.view
	if r.depth == len(r.firsts) {
		r.firsts = append(r.firsts, make([]uint16, len(r.tape.First)))
	}
	in := view{first: r.firsts[r.depth], from: i, to: i + 1}
	if v := &r.tape.Values[i]; v.Kind == extract.Object {
		in.from, in.to = i+1, int(v.Next)
	}
	if t.root && r.depth > 0 {
		r.look(in.to - in.from)
	}
	for i := in.from; i < in.to; i++ {
		if s := r.tape.Values[i].Slot; in.first[s] == 0 {
			in.first[s] = uint16(i + 1)
		}
	}
	r.view = in
	r.depth++
	return outer
}

func (r *Runner) leave(outer view) {
	for i := r.view.from; i < r.view.to; i++ {
		r.view.first[r.tape.Values[i].Slot] = 0
	}
	r.view = outer
	r.depth--
}

// place gives the index of a slot's first value in view, -1 where there is none.
func (r *Runner) place(t target) int {
	if t.root {
		return int(r.tape.First[t.slot]) - 1
	}
	return int(r.view.first[t.slot]) - 1
}

// next gives the index of a slot's value after that at i, -1 after the last.
func (r *Runner) next(t target, i int) int {
	if !r.tape.Values[i].More {
		return -1
	}
	return r.search(t, i)
}

func (r *Runner) search(t target, i int) int {
	to := r.view.to
	if t.root {
		to = len(r.tape.Values)
	}
	i = max(i+1, int(r.tape.Values[i].Next)) // nothing in an object has the object's path
	from := i
	for i < to && r.tape.Values[i].Slot != t.slot {
		i++
	}
	if t.root && r.depth > 0 {
		r.look(i - from + 1)
	}
	if i >= to {
		return -1
	}
	return i
}

// first gives the first of a path's alternatives that has a value in view, and the
// index of that value, -1 where there is none. next goes on.
func (r *Runner) first(x ref) (target, int) {
	for _, t := range x {
		if i := r.place(t); i >= 0 {
			return t, i
		}
	}
	return target{}, -1
}

// has reports whether a path has a value in view.
func (r *Runner) has(x ref) bool {
	_, i := r.first(x)
	return i >= 0
}

// firstText is first for values that are no objects. nextText goes on.
func (r *Runner) firstText(x ref) (target, int) {
	for _, t := range x {
		i := r.place(t)
		if i >= 0 && r.tape.Values[i].Kind == extract.Object {
			i = r.nextText(t, i)
		}
		if i >= 0 {
			return t, i
		}
	}
	return target{}, -1
}

func (r *Runner) nextText(t target, i int) int {
	for {
		if i = r.next(t, i); i < 0 || r.tape.Values[i].Kind != extract.Object {
			return i
		}
	}
}

// text gives the first text of a path in view, "" where there is none.
func (r *Runner) text(x ref) string {
	if _, i := r.firstText(x); i >= 0 {
		return r.tape.Values[i].Text
	}
	return ""
}

// maxLooked bounds the values of a document that rules within an element may look
// at beyond the element: each element may want all of them.
const maxLooked = 1 << 22

func (r *Runner) look(n int) {
	if r.looked += n; r.looked > maxLooked && r.fault.Reason == 0 {
		r.fault = extract.Fault{Reason: schema.ReasonTooLarge, What: "too many values for each of too many elements"}
	}
}
