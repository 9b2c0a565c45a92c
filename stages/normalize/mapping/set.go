package mapping

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// field is what a set line fills.
type field uint8

const (
	fieldID field = iota
	fieldTitle
	fieldDesc
	fieldRule
	fieldRuleUID
	fieldType
	fieldVendor
	fieldProduct
	fieldCreated
	fieldUpdated
	fieldStart
	fieldEnd
	fieldSeverity
	fieldConfidence
	fieldStatus
	fieldVerdict
	fieldBlocked
)

func fieldNames() []string {
	return []string{"id", "title", "desc", "rule", "rule_uid", "type", "vendor", "product", "created", "updated", "start", "end", "severity",
		"confidence", "status", "verdict", "blocked"}
}

// set is one line of set.
type set struct {
	field field
	value *value
	cond  *cond
	needs ref         // see needed
	words bool        // severity without a map: vendors' words
	clock canon.Clock // times
	zoned bool        // clock has a zone of its own
	line  int
}

func (c *compiler) sets(t table, from scope) (all []set) {
	names := fieldNames()
	for i, k := range t.keys {
		n := t.at[k]
		f := slices.Index(names, k)
		if f < 0 {
			c.bad(n, "unknown field %q, want one of %s", k, strings.Join(names, ", "))
			continue
		}
		s := set{field: field(f), line: t.lines[i]}
		switch s.field {
		case fieldBlocked:
			s.cond = c.cond(n, from)
		case fieldCreated, fieldUpdated, fieldStart, fieldEnd:
			s.value = c.value(n, from, "layout", "zone")
			c.clock(n, &s)
		default:
			s.value = c.value(n, from)
			c.vocabulary(n, &s)
		}
		s.needs = needed(s.value)
		all = append(all, s)
	}
	return all
}

func (c *compiler) clock(n *yaml.Node, s *set) {
	var layouts []string
	var zone *time.Location
	if n.Kind == yaml.MappingNode {
		t := c.table(n)
		layouts = c.strings(t.at["layout"])
		if z := t.at["zone"]; z != nil {
			loc, err := time.LoadLocation(c.string(z))
			if err != nil {
				c.bad(z, "zone: %v", err)
			}
			zone, s.zoned = loc, true
		}
	}
	clock, err := canon.NewClock(layouts, zone)
	if err != nil {
		c.bad(n, "layout: %v", err)
	}
	s.clock = clock
}

// vocabulary checks that a field with its own words gets no others.
func (c *compiler) vocabulary(n *yaml.Node, s *set) {
	outs, open := s.value.outs()
	known := func(string) bool { return true }
	switch s.field {
	case fieldSeverity:
		s.words = open
		known = func(w string) bool { _, ok := severityOf(w); return ok }
	case fieldStatus:
		known = func(w string) bool { _, ok := statusOf(w); return ok }
	case fieldVerdict:
		known = func(w string) bool { _, ok := verdictOf(w); return ok }
	}
	for _, w := range outs {
		if w != "" && !known(w) {
			c.bad(n, "%q is no %s", w, fieldNames()[s.field])
		}
	}
}

func severityOf(w string) (schema.Severity, bool) {
	for s := schema.SeverityInformational; s <= schema.SeverityFatal; s++ {
		if s.String() == w {
			return s, true
		}
	}
	return 0, w == "unknown"
}

func statusOf(w string) (schema.AlertStatus, bool) {
	for s := schema.AlertStatusNew; s <= schema.AlertStatusResolved; s++ {
		if s.String() == w {
			return s, true
		}
	}
	return 0, false
}

func verdictOf(w string) (schema.Verdict, bool) {
	for _, v := range [...]schema.Verdict{schema.VerdictBenign, schema.VerdictFalsePositive, schema.VerdictMalicious, schema.VerdictSuspicious} {
		if v.String() == w {
			return v, true
		}
	}
	return 0, false
}

// set1 does one line of set.
func (r *Runner) set1(s *set) {
	a := r.alert
	if s.field == fieldBlocked {
		if a.Blocked = s.cond.holds(r); r.Trace != nil && a.Blocked {
			r.Trace(Step{s.line, "blocked", "yes"})
		}
		return
	}
	if s.needs != nil && !r.has(s.needs) {
		return
	}
	text := s.value.text(r)
	if text == "" {
		return
	}
	switch s.field {
	case fieldID:
		a.VendorID = text
	case fieldTitle:
		a.Title = text
	case fieldDesc:
		a.Desc = text
	case fieldRule:
		a.Rule = text
	case fieldRuleUID:
		a.RuleUID = text
	case fieldType:
		a.Type = text
	case fieldVendor:
		a.Vendor = text
	case fieldProduct:
		a.Product = text
	case fieldCreated:
		t, ok := r.time(s, text)
		if !ok {
			r.bad("created: time is not readable")
		}
		a.Created = t
	case fieldUpdated:
		a.Updated, _ = r.time(s, text)
	case fieldStart:
		a.Start, _ = r.time(s, text)
	case fieldEnd:
		a.End, _ = r.time(s, text)
	case fieldSeverity:
		v, ok := severityOf(text)
		if !ok && s.words {
			v, _ = canon.Severity(text)
		}
		a.Severity = v
	case fieldConfidence:
		a.Confidence, _ = canon.Confidence(text)
	case fieldStatus:
		a.Status, _ = statusOf(text)
	case fieldVerdict:
		a.Verdict, _ = verdictOf(text)
	}
	if r.Trace != nil {
		r.Trace(Step{s.line, fieldNames()[s.field], s.result(a, text)})
	}
}

// result says what a field of its own form became, beside the text it was read from.
func (s *set) result(a *schema.Alert, text string) string {
	var got string
	switch s.field {
	case fieldCreated:
		got = instant(a.Created)
	case fieldUpdated:
		got = instant(a.Updated)
	case fieldStart:
		got = instant(a.Start)
	case fieldEnd:
		got = instant(a.End)
	case fieldSeverity:
		got = a.Severity.String()
	case fieldConfidence:
		got = strconv.Itoa(int(a.Confidence))
	case fieldStatus:
		got = a.Status.String()
	case fieldVerdict:
		got = a.Verdict.String()
	default:
		return text
	}
	switch got {
	case text:
		return text
	case "", "0", "unknown":
		return "not understood: " + text
	}
	return got + " from " + text
}

func instant(t schema.Millis) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

func (r *Runner) time(s *set, text string) (schema.Millis, bool) {
	clock := s.clock
	if !s.zoned && r.zone != nil {
		clock = clock.In(r.zone)
	}
	return clock.ParseNear(text, r.near)
}
