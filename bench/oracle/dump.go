package oracle

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// FromStage gives the result that a stage's output amounts to: of each incident
// and member the version emitted last, in the order of emission. Heads that
// redirect are left out. The slices may hold every version or the last ones
// only, of one tenant.
func FromStage(incidents []schema.Incident, members []schema.Member) Result {
	heads := map[schema.IncidentID]schema.Incident{}
	for _, h := range incidents {
		heads[h.ID] = h
	}
	last := map[schema.AlertID]schema.Member{}
	for _, m := range members {
		last[m.Alert] = m
	}
	var r Result
	of := map[schema.IncidentID][]schema.AlertID{}
	for _, m := range last {
		of[m.Incident] = append(of[m.Incident], m.Alert)
		r.Members = append(r.Members, Member{m.Alert, m.Incident, m.Level, int(m.Weight), m.Reason, m.Key, m.Peer, m.Distance})
	}
	for id, h := range heads {
		if !h.RedirectTo.IsZero() {
			continue
		}
		r.Incidents = append(r.Incidents, Incident{
			ID: id, Founder: h.Founder, Level: h.Level, Campaign: h.Campaign, Alerts: int(h.Alerts), Members: of[id],
		})
	}
	r.sort()
	return r
}

// Dump writes the result as text: the same result gives the same bytes.
func (r Result) Dump() []byte {
	var b bytes.Buffer
	for _, in := range r.Incidents {
		b.WriteString(in.line())
		b.WriteByte('\n')
	}
	for _, m := range r.Members {
		b.WriteString(m.line())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func (in Incident) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "incident %v founder %v level %d campaign %v alerts %d:", in.ID, in.Founder, in.Level, in.Campaign, in.Alerts)
	for _, a := range in.Members {
		fmt.Fprintf(&b, " %v", a)
	}
	return b.String()
}

func (m Member) line() string {
	return fmt.Sprintf("member %v incident %v level %d weight %d %v %q peer %v distance %d",
		m.Alert, m.Incident, m.Level, m.Weight, m.Reason, m.Key, m.Peer, int64(m.Distance))
}

// Diff says where two results differ, a line each way per object, empty if they
// do not. Lines of a start with "-", lines of b with "+".
func Diff(a, b Result) string {
	lines := map[string][2]string{}
	for side, r := range []Result{a, b} {
		put := func(object, line string) {
			two := lines[object]
			two[side] += line
			lines[object] = two
		}
		for _, in := range r.Incidents {
			put("incident "+in.ID.String(), in.line())
		}
		for _, m := range r.Members {
			put("member "+m.Alert.String(), m.line())
		}
	}
	var out []string
	for object, two := range lines {
		if two[0] == two[1] {
			continue
		}
		text := object + "\n"
		for side, mark := range []string{"  - ", "  + "} {
			if two[side] != "" {
				text += mark + two[side] + "\n"
			}
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, "")
}
