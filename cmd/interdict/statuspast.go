package main

import (
	"fmt"
	"io"
	"time"

	"github.com/interdict/interdict/intel"
)

// writePast tells how far the past was asked about what changed, and what came of it.
func writePast(w io.Writer, p *intel.PastStatus, now time.Time) {
	ago := func(t time.Time) string { return now.Sub(t).Round(time.Second).String() + " ago" }
	asked := "not asked yet"
	if !p.Asked.IsZero() {
		asked = "asked about all changes until " + ago(p.Asked)
	}
	fmt.Fprintf(w, "  retro      %s", asked)
	if !p.Waiting.IsZero() {
		fmt.Fprintf(w, ", some wait since %s", ago(p.Waiting))
	}
	if l := p.Last; !p.LastEnd.IsZero() {
		fmt.Fprintf(w, "; last run %s: %d asked, %d found, %d withdrawn, %d reinstated, %d given up", ago(p.LastEnd), l.Asked, l.Found, l.Withdrawn, l.Reinstated, l.Cut)
	}
	if p.Error != "" {
		fmt.Fprintf(w, "; failing: %s", short(p.Error, 160))
	}
	fmt.Fprintln(w)
}
