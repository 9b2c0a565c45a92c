package draft

import (
	"fmt"
	"strings"
)

// times writes the four times.
func (d *drafter) times(p *page) {
	for _, x := range []struct {
		name  string
		score func(*field) int
	}{{"created", scoreCreated}, {"updated", scoreUpdated}, {"start", scoreStart}, {"end", scoreEnd}} {
		all := d.rank(func(f *field) int {
			if len(f.order) == 0 || f.share(isNumber) > 0 && !f.all(isMoment) {
				return 0
			}
			if n := x.score(f); n > 0 && (f.readable("") || layoutOf(f) != "") {
				return n
			}
			return 0
		})
		switch {
		case x.name == "created" && (len(all) == 0 || all[0].all(reDate.MatchString)) && d.apart(p):
		case len(all) > 0:
			d.time(p, x.name, all)
		case x.name == "created":
			p.note("  ", "created:  # check: no time was found; the record's own is taken")
		}
	}
}

func (d *drafter) time(p *page, name string, all []candidate) {
	f := all[0].field
	if layout := layoutOf(f); layout != "" {
		d.used[f.path] = true
		check := "the layout"
		if strings.HasPrefix(layout, "02/01") || strings.HasPrefix(layout, "01/02") {
			check = "day or month first?"
		}
		p.line(fmt.Sprintf("  %s: {path: %s, layout: %s}", name, q(d.ref(f.path)), q(layout)), check)
		return
	}
	plain := all[:1]
	for _, c := range all[1:] {
		if layoutOf(c.field) != "" || name != "created" {
			break
		}
		plain = append(plain, c)
	}
	path, check := d.paths(plain)
	p.line("  "+name+": "+q(path), check)
}

// layoutOf gives the layout of times that do not explain themselves; "" where
// they do, or where no layout fits all.
func layoutOf(f *field) string {
	if f.readable("") && (f.all(isMoment) || !f.numeric()) {
		return ""
	}
	for _, l := range layouts() {
		if f.readable(l) {
			return l
		}
	}
	return ""
}

// apart finds a date and a time in two fields.
func (d *drafter) apart(p *page) bool {
	var date, clock *field
	for _, f := range d.order {
		switch {
		case !d.single(f) || !d.always(f):
		case date == nil && f.all(reDate.MatchString):
			date = f
		case clock == nil && f.all(reClock.MatchString):
			clock = f
		}
	}
	if date == nil || clock == nil || strings.ContainsAny(d.ref(date.path)+d.ref(clock.path), "{}") {
		return false
	}
	d.used[date.path], d.used[clock.path] = true, true
	p.line(fmt.Sprintf("  created: {text: %s}", q("{"+d.ref(date.path)+"} {"+d.ref(clock.path)+"}")), "the time zone, if it is not the source's")
	return true
}

func scoreCreated(f *field) int {
	switch f.path {
	case "@syslog.time":
		return 20
	case "@snort.time":
		return 100
	}
	w := f.words()
	if scoreUpdated(f)+scoreStart(f)+scoreEnd(f) > 0 || has(w, "expires", "expiry", "closed", "resolved", "birth", "install", "installed", "due", "zone", "valid", "elapsed", "duration") {
		return 0
	}
	n := 0
	switch {
	case has(w, "created", "create", "creation", "raised", "generated", "detected", "issued", "triggered"):
		n = 100
	case len(w) == 1 && has(w, "time", "date"):
		n = 90
	case has(w, "time", "date") && has(w, "event", "alert", "occurred", "observed", "log", "report"):
		n = 80
	case has(w, "occurred", "occurrence"):
		n = 80
	case has(w, "received", "ingested", "processed", "ingestion", "indexed"):
		n = 30
	case has(w, "time", "date"), len(w) > 1 && w[len(w)-1] == "at":
		n = 50
	}
	if has(f.around(), subjects()...) {
		n -= 45
	}
	return n
}

func scoreUpdated(f *field) int {
	if w := f.words(); has(w, "updated", "update", "modified", "modification", "changed", "change") && !has(w, "by", "user", "count", "version") {
		return 100
	}
	return 0
}

func scoreStart(f *field) int {
	w := f.words()
	if has(w, "start", "begin", "began", "started") || has(w, "first") && has(w, "seen", "activity", "time", "event", "observed") {
		return 100
	}
	return 0
}

func scoreEnd(f *field) int {
	w := f.words()
	if has(w, "end", "ended", "finish", "stop", "finished") || has(w, "last") && has(w, "seen", "activity", "event", "observed") {
		return 100
	}
	return 0
}
