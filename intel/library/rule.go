package library

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
)

// admits reports whether the rule is about the indicator.
func (r *rule) admits(i *schema.Indicator) bool {
	w := &r.When
	return (len(w.Feeds) == 0 || slices.Contains(w.Feeds, i.Feed)) &&
		(len(w.Types) == 0 || r.types[i.Type]) &&
		(len(w.Verdicts) == 0 || slices.Contains(w.Verdicts, i.Verdict)) &&
		(len(w.TLP) == 0 || slices.Contains(w.TLP, i.TLP)) &&
		(w.AtLeast == nil || i.Confidence >= *w.AtLeast) &&
		(w.Below == nil || i.Confidence < *w.Below) &&
		(len(w.Labels) == 0 || slices.ContainsFunc(w.Labels, func(l string) bool { return slices.Contains(i.Labels, l) })) &&
		(len(w.Suffixes) == 0 || slices.ContainsFunc(w.Suffixes, func(s string) bool { return endsIn(i, s) })) &&
		(len(r.networks) == 0 || r.holds(i))
}

func endsIn(i *schema.Indicator, suffix string) bool {
	head, ok := strings.CutSuffix(i.Value, suffix)
	if !ok {
		return false
	}
	if i.Type == schema.ObservableDomain || i.Type == schema.ObservableSender {
		return head == "" || strings.HasPrefix(suffix, ".") || strings.HasSuffix(head, ".")
	}
	return true
}

func (r *rule) holds(i *schema.Indicator) bool {
	var p netip.Prefix
	switch i.Type {
	case schema.ObservableIP:
		if a, err := netip.ParseAddr(i.Value); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
	case schema.ObservableSocket:
		if a, err := netip.ParseAddrPort(i.Value); err == nil {
			p = netip.PrefixFrom(a.Addr(), a.Addr().BitLen())
		}
	case schema.ObservableCIDR:
		p, _ = netip.ParsePrefix(i.Value) // the zero prefix is in no network
	}
	return p.IsValid() && slices.ContainsFunc(r.networks, func(n netip.Prefix) bool { return n.Bits() <= p.Bits() && n.Contains(p.Addr()) })
}

// edit changes the indicator. said is when its feed said it last.
func (r *rule) edit(i *schema.Indicator, said schema.Millis) {
	e := &r.Edit
	set(&i.Confidence, e.Confidence)
	if e.Raise != nil {
		i.Confidence = max(i.Confidence, *e.Raise)
	}
	if e.Cap != nil {
		i.Confidence = min(i.Confidence, *e.Cap)
	}
	set(&i.Verdict, e.Verdict)
	set(&i.Severity, e.Severity)
	set(&i.Wish, e.Wish)
	set(&i.Rank, e.Rank)
	set(&i.TLP, e.TLP)
	i.Labels = addLabels(i.Labels, e.Labels)
	if e.ValidFor > 0 {
		i.ValidUntil = endAfter(said, e.ValidFor)
	}
	if e.Extend != 0 && i.ValidUntil != 0 {
		i.ValidUntil = min(max(1, i.ValidUntil+schema.Millis(e.Extend.Milliseconds())), lastTime)
	}
}

func set[T any](dst, v *T) {
	if v != nil {
		*dst = *v
	}
}

// maxLabels is how many labels an indicator may have.
const maxLabels = 64

// addLabels appends what is missing, as far as there is room. The list is not
// changed in place.
func addLabels(list, more []string) []string {
	for n, l := range more {
		if len(list) < maxLabels && !slices.Contains(list, l) {
			if n == 0 || cap(list) == len(list) {
				list = slices.Clip(list)
			}
			list = append(list, l)
		}
	}
	return list
}

// endAfter gives the end of what was said at a time and is valid for a span. It is
// rounded up to a sixteenth of the span: a list that is pulled every hour would
// otherwise change every indicator each time.
func endAfter(said schema.Millis, span time.Duration) schema.Millis {
	d := schema.Millis(max(1, span.Milliseconds()))
	grain := max(1, d/16)
	return (said + d + grain - 1) / grain * grain
}
