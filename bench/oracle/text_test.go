package oracle_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/interdict/interdict/bench/oracle"
	"github.com/interdict/interdict/schema"
)

// numbers gives the parameters that "with" may set, by name.
func numbers(p *oracle.Params) map[string][]*schema.Millis {
	b := &p.Base
	return map[string][]*schema.Millis{
		"pair":     {&p.Pair[0], &p.Pair[1], &p.Pair[2], &p.Pair[3]},
		"slice":    {&p.Slice},
		"lateness": {&p.Lateness},
		"base": {&b.Host, &b.User, &b.InternalIP, &b.ExternalIP, &b.Mailbox, &b.CloudResource, &b.CloudAccount,
			&b.Application, &b.FileHash, &b.Domain, &b.URL},
	}
}

func counts(p *oracle.Params) map[string][]*int {
	return map[string][]*int{
		"caps": {&p.Caps[0], &p.Caps[1], &p.Caps[2], &p.Caps[3]},
		"hub":  {&p.HubDegree}, "rare": {&p.RareDegree}, "entities": {&p.MaxEntities},
	}
}

// setParams reads "name=value,value... ...".
func setParams(p *oracle.Params, text string) error {
	for _, f := range strings.Fields(text) {
		name, value, _ := strings.Cut(f, "=")
		if name == "allow" {
			typ, key, _ := strings.Cut(value, ":")
			et, ok := schema.ParseEntityType(typ)
			if !ok {
				return fmt.Errorf("%q is no entity type", typ)
			}
			p.Allowlist = append(p.Allowlist, schema.EntityRef{Type: et, Key: key})
			continue
		}
		values := strings.Split(value, ",")
		spans, ints := numbers(p)[name], counts(p)[name]
		if len(values) != len(spans)+len(ints) {
			return fmt.Errorf("%q: no such parameter, or not so many values", f)
		}
		for i, v := range values {
			n, err := strconv.Atoi(v)
			if err != nil {
				return err
			}
			if len(spans) > 0 {
				*spans[i] = schema.Millis(n)
			} else {
				*ints[i] = n
			}
		}
	}
	return nil
}

// paramsText writes what setParams reads: what differs from the defaults.
func paramsText(p oracle.Params) (text string) {
	def := oracle.DefaultParams()
	for _, name := range []string{"caps", "hub", "rare", "entities"} {
		text += differing(name, counts(&p)[name], counts(&def)[name])
	}
	for _, name := range []string{"pair", "slice", "lateness", "base"} {
		text += differing(name, numbers(&p)[name], numbers(&def)[name])
	}
	for _, r := range p.Allowlist {
		text += " allow=" + r.String()
	}
	if text == "" {
		return ""
	}
	return "with" + text + "\n"
}

func differing[T ~int | ~int64](name string, have, def []*T) string {
	text, differs := "", false
	for i, v := range have {
		text += fmt.Sprintf(",%d", int64(*v))
		differs = differs || *v != *def[i]
	}
	if !differs {
		return ""
	}
	return " " + name + "=" + text[1:]
}

// readStep reads a step that is no alert.
func readStep(line string) (s step, ok bool, err error) {
	f := strings.Fields(line)
	switch {
	case f[0] == "tick" && len(f) == 3:
		s = step{kind: tick, tenant: f[1]}
		s.wm, err = readTime(f[2])
		return s, true, err
	case len(f) > 1:
		return s, false, nil
	}
	for k, name := range kindNames {
		if name == f[0] {
			return step{kind: kind(k)}, true, nil
		}
	}
	return s, false, nil
}

var kindNames = [...]string{deliver: "", cut: "cut", tick: "tick", commit: "commit", rollback: "rollback", restart: "restart"}

// stepsText writes what readLine reads.
func stepsText(steps []step) string {
	var b strings.Builder
	revision := map[uint64]int{}
	for _, s := range steps {
		switch s.kind {
		case deliver:
			b.WriteString(alertText(s.doc, revision))
		case tick:
			fmt.Fprintf(&b, "tick %s %s", s.tenant, timeText(s.wm))
		default:
			b.WriteString(kindNames[s.kind])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func alertText(a schema.Alert, revision map[uint64]int) string {
	n, ok := revision[a.Content]
	if !ok {
		n = len(revision)
		revision[a.Content] = n
	}
	text := fmt.Sprintf("%s/%d %s %v", strings.TrimRight(string(a.ID[:]), "\x00"), n, timeText(a.Created), a.Severity)
	if a.Tenant != tenant {
		text = a.Tenant + "!" + text
	}
	for _, e := range a.Entities {
		text += " "
		if e.Role != schema.RoleRelated {
			text += e.Role.String() + "@"
		}
		text += e.Ref().String()
	}
	return text
}

// readTime reads "day+hh:mm[:ss[.mmm]]".
func readTime(text string) (schema.Millis, error) {
	day, clock, ok := strings.Cut(text, "+")
	n, err := strconv.Atoi(day)
	if !ok || err != nil {
		return 0, fmt.Errorf("%q is no time", text)
	}
	at, err := time.Parse("15:04", clock)
	if err != nil {
		at, err = time.Parse("15:04:05", clock) // a fraction is read too
	}
	hour, minute, second := at.Clock()
	return day0 + schema.Millis(n)*schema.Day + schema.Millis(hour)*schema.Hour + schema.Millis(minute)*schema.Minute +
		schema.Millis(second)*schema.Second + schema.Millis(at.Nanosecond()/1e6), err
}

func timeText(t schema.Millis) string {
	day := (t - day0) / schema.Day
	if t < day0 {
		day--
	}
	return fmt.Sprintf("%d+%s", day, t.Time().Format("15:04:05.000"))
}
