package correlate

import (
	"math/bits"
	"strconv"

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

// tactics are the known tactics of an incident, in the order of an attack.
type tactics struct {
	n           int
	first, last string // names
}

func tacticsOf(ts []schema.Technique) (out tactics) {
	var by [15]string
	for i := range ts {
		rank, name := tacticRank(ts[i].Tactic)
		by[rank] = name
	}
	for _, name := range by[1:] {
		if name == "" {
			continue
		}
		if out.n++; out.n == 1 {
			out.first = name
		}
		out.last = name
	}
	return out
}

// appendSentence names an incident by one grammar:
//
//	one alert:     <title>
//	several:       <what> [on <hosts>[, <users>]] by <sources>
//	<what>:        <first tactic>[ to <last tactic>], or <title> and <n> more
//	<hosts>:       "<n> hosts", "1 host"; left out at none; <users> alike
//	<sources>:     up to three names, then "and <n> more"
//
// <title> is that of the most severe alert, of those the oldest.
func (f *facts) appendSentence(b []byte) []byte {
	if f.alerts == 1 {
		return append(b, f.title...)
	}
	more := func(n int) {
		b = append(b, " and "...)
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, " more"...)
	}
	switch f.tactics.n {
	case 0:
		b = append(b, f.title...)
		more(f.alerts - 1)
	case 1:
		b = append(b, f.tactics.first...)
	default:
		b = append(b, f.tactics.first...)
		b = append(b, " to "...)
		last := f.tactics.last
		b = append(b, last[0]|0x20)
		b = append(b, last[1:]...)
	}
	sep := " on "
	for _, c := range [...]struct {
		n    int
		noun string
	}{{f.hosts, " host"}, {f.users, " user"}} {
		if c.n == 0 {
			continue
		}
		b = append(b, sep...)
		b = strconv.AppendInt(b, int64(c.n), 10)
		b = append(b, c.noun...)
		if c.n > 1 {
			b = append(b, 's')
		}
		sep = ", "
	}
	sep = " by "
	for _, name := range f.sources[:min(len(f.sources), 3)] {
		b = append(append(b, sep...), name...)
		sep = ", "
	}
	if n := len(f.sources) - 3; n > 0 {
		more(n)
	}
	return b
}

// factors is the number of things that a priority can be made of.
const factors = 5

// score gives the priority, 0 to 100, and what it is made of: severity up to
// 50, a malicious match 15, further sources 10 each up to 15, tactics 4 each up
// to 16, size 2 per doubling up to 10. Only what scores is listed.
func (f *facts) score(out *[factors]schema.Factor) (n int, priority uint8) {
	severity := [...]int{0, 5, 10, 20, 35, 50, 50}
	match := 0
	if f.verdict.malicious() {
		match = 15
	}
	sum := 0
	for _, x := range [factors]struct {
		name   string
		points int
	}{
		{"severity", severity[min(int(f.severity), len(severity)-1)]},
		{"match", match},
		{"sources", min(10*(len(f.sources)-1), 15)},
		{"tactics", min(4*f.tactics.n, 16)},
		{"size", min(2*(bits.Len(uint(f.alerts))-1), 10)},
	} {
		if x.points > 0 {
			out[n] = schema.Factor{Name: x.name, Points: int32(x.points)}
			sum += x.points
			n++
		}
	}
	return n, uint8(min(sum, 100))
}

// promoted applies the promotion rule: any of it is enough.
func (f *facts) promoted(l *ladder) bool {
	p := l.promote
	return f.severity >= l.promoteFrom ||
		p.Sources > 0 && len(f.sources) >= p.Sources ||
		p.Tactics > 0 && f.tactics.n >= p.Tactics ||
		p.Malicious && f.verdict.malicious()
}
