package correlate

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// tactics of ATT&CK for Enterprise in the order of an attack.
func tacticRank(id string) (rank int, name string) {
	switch id {
	case "TA0043":
		return 1, "Reconnaissance"
	case "TA0042":
		return 2, "Resource development"
	case "TA0001":
		return 3, "Initial access"
	case "TA0002":
		return 4, "Execution"
	case "TA0003":
		return 5, "Persistence"
	case "TA0004":
		return 6, "Privilege escalation"
	case "TA0005":
		return 7, "Defense evasion"
	case "TA0006":
		return 8, "Credential access"
	case "TA0007":
		return 9, "Discovery"
	case "TA0008":
		return 10, "Lateral movement"
	case "TA0009":
		return 11, "Collection"
	case "TA0011":
		return 12, "Command and control"
	case "TA0010":
		return 13, "Exfiltration"
	case "TA0040":
		return 14, "Impact"
	}
	return 0, ""
}

// tacticsOf lists the known tactics of techniques in the order of an attack.
func tacticsOf(ts []schema.Technique) []string {
	var by [15]string
	for _, t := range ts {
		rank, _ := tacticRank(t.Tactic)
		by[rank] = t.Tactic
	}
	out := make([]string, 0, len(by))
	for _, id := range by[1:] {
		if id != "" {
			out = append(out, id)
		}
	}
	return out
}

// sentence names an incident by one grammar:
//
//	one alert:     <title>
//	several:       <what> [on <hosts>[, <users>]] by <sources>
//	<what>:        <first tactic>[ to <last tactic>], or <title> and <n> more
//	<hosts>:       "<n> hosts", "1 host"; left out at none; <users> alike
//	<sources>:     up to three names, then "and <n> more"
//
// <title> is that of the most severe alert, of those the oldest.
func (f *facts) sentence() string {
	if f.alerts == 1 {
		return f.title
	}
	var s strings.Builder
	switch n := len(f.tactics); n {
	case 0:
		fmt.Fprintf(&s, "%s and %d more", f.title, f.alerts-1)
	default:
		_, first := tacticRank(f.tactics[0])
		s.WriteString(first)
		if n > 1 {
			_, last := tacticRank(f.tactics[n-1])
			s.WriteString(" to ")
			s.WriteString(strings.ToLower(last[:1]))
			s.WriteString(last[1:])
		}
	}
	sep := " on "
	for _, c := range [...]struct {
		n    int
		noun string
	}{{f.hosts, "host"}, {f.users, "user"}} {
		if c.n == 0 {
			continue
		}
		fmt.Fprintf(&s, "%s%d %s", sep, c.n, c.noun)
		if c.n > 1 {
			s.WriteByte('s')
		}
		sep = ", "
	}
	s.WriteString(" by ")
	named := f.sources[:min(len(f.sources), 3)]
	s.WriteString(strings.Join(named, ", "))
	if n := len(f.sources) - len(named); n > 0 {
		fmt.Fprintf(&s, " and %d more", n)
	}
	return s.String()
}

// score gives the priority, 0 to 100, and what it is made of: severity up to
// 50, a malicious match 15, further sources 10 each up to 15, tactics 4 each up
// to 16, size 2 per doubling up to 10. Only what scores is listed.
func (f *facts) score() ([]schema.Factor, uint8) {
	severity := [...]int{0, 5, 10, 20, 35, 50, 50}
	var match int
	if f.malicious {
		match = 15
	}
	all := []schema.Factor{
		{Name: "severity", Points: int32(severity[min(int(f.severity), len(severity)-1)])},
		{Name: "match", Points: int32(match)},
		{Name: "sources", Points: int32(min(10*(len(f.sources)-1), 15))},
		{Name: "tactics", Points: int32(min(4*len(f.tactics), 16))},
		{Name: "size", Points: int32(min(2*(bits.Len(uint(f.alerts))-1), 10))},
	}
	sum := int32(0)
	out := slices.DeleteFunc(all, func(x schema.Factor) bool { return x.Points <= 0 })
	for _, x := range out {
		sum += x.Points
	}
	return out, uint8(min(sum, 100))
}

// promoted applies the promotion rule: any of it is enough.
func (f *facts) promoted(l *ladder) bool {
	p := l.promote
	return f.severity >= l.promoteFrom ||
		p.Sources > 0 && len(f.sources) >= p.Sources ||
		p.Tactics > 0 && len(f.tactics) >= p.Tactics ||
		p.Malicious && f.malicious
}
