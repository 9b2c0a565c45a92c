package mapping

import "github.com/interdict/interdict/schema"

// Hooked is what a hook sees: the values of its paths, and the alert.
type Hooked struct {
	r *Runner
	h *hook
}

// Alert is what is being filled.
func (h *Hooked) Alert() *schema.Alert { return h.r.alert }

// Text gives the first text of the hook's i-th path.
func (h *Hooked) Text(i int) string { return h.r.text(&h.h.refs[i]) }

// Each calls do for each value of the hook's i-th path, which is then the scope.
func (h *Hooked) Each(i int, do func()) { h.r.in(&h.h.refs[i], do) }
