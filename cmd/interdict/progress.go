package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress shows long work on standard error: a line that is written over where
// that is a terminal, a line every ten seconds elsewhere.
type progress struct {
	w        io.Writer
	quiet    bool
	terminal bool
	last     time.Time
	shown    bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet, last: time.Now()}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil {
			p.terminal = st.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

// report says how far a phase has come.
func (p *progress) report(name string, n uint64, phase string) {
	every := 10 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	if p.quiet || time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	if name != "" {
		name = " " + name
	}
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s%s: %d", phase, name, n)
		p.shown = true
		return
	}
	fmt.Fprintf(p.w, "%s%s: %d\n", phase, name, n)
}

// done clears the line.
func (p *progress) done() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
