package correlate

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

func use(id schema.IncidentID) []schema.Control {
	return []schema.Control{{Tenant: "acme", Kind: schema.ControlCase, Object: id.String()}}
}

func TestUsedIncidentKeepsItsAlerts(t *testing.T) {
	h := newHarness(t, small())
	h.advance(0)
	h.process(doc("a", 0, "host:x"), doc("b", 8*schema.Hour, "host:x"))
	h.advance(8 * schema.Hour)
	inc := h.row("a").Incident
	if b := h.batch(use(inc)); len(b.Incidents) != 1 || !b.Incidents[0].Touched {
		t.Fatalf("not marked: %+v", b.Incidents)
	}
	h.process(doc("c", 9*schema.Hour, "host:x")) // would split a from b c
	if h.row("a").Incident != inc || h.row("b").Incident != inc || h.row("c").Incident != inc {
		t.Errorf("membership shrank, or did not grow: %s", h.groups("a", "b", "c"))
	}
	if head := h.heads[inc]; !head.Suggested || head.Alerts != 3 {
		t.Errorf("head %+v", head)
	}
	h.advance(200 * schema.Hour)
	if head := h.heads[inc]; !head.Final || h.c.Stats() != (Stats{Tenants: 1}) {
		t.Errorf("not closed: %+v %+v", head, h.c.Stats())
	}
}

func TestUsedIncidentMergesIntoOlder(t *testing.T) {
	h := newHarness(t, small())
	h.advance(0)
	h.process(doc("a", 0, "host:x"), doc("b", 2, "host:y"))
	old, used := h.row("a").Incident, h.row("b").Incident
	h.batch(use(used))
	h.process(doc("s", 1, "host:x host:y"))
	if h.row("b").Incident != old || h.resolve(used) != old || !h.heads[old].Touched {
		t.Errorf("b in %s, want %s; head %+v", h.row("b").Incident, old, h.heads[old])
	}
	h.batch(use(used)) // follows the redirect: nothing new
	if n := len(h.ledger); n == 0 || h.ledger[n-1].Verb != "merge" {
		t.Errorf("ledger %+v", h.ledger)
	}
}

func TestTwoUsedIncidentsStayApart(t *testing.T) {
	h := newHarness(t, small())
	h.advance(0)
	h.process(doc("a", 0, "host:x"), doc("b", 2, "host:y"))
	one, two := h.row("a").Incident, h.row("b").Incident
	h.batch(append(use(one), use(two)...))
	h.process(doc("s", 1, "host:x host:y"))
	h.process(doc("r", 3, "host:x host:y"))
	if h.row("a").Incident != one || h.row("b").Incident != two || h.row("s").Incident != one {
		t.Errorf("%s", h.groups("a", "s", "b", "r"))
	}
	related := 0
	for _, e := range h.ledger {
		if e.Verb == "relate" {
			related++
		}
	}
	if related != 1 {
		t.Errorf("related %d times", related)
	}
	h.advance(200 * schema.Hour)
	if h.c.Stats() != (Stats{Tenants: 1}) || !h.heads[one].Final || !h.heads[two].Final {
		t.Errorf("not closed: %+v", h.c.Stats())
	}
}

// A record may come with the alerts that make its incident.
func TestUseInTheSameBatch(t *testing.T) {
	h := newHarness(t, small())
	a := doc("a", 0, "host:x")
	id := schema.NewIncidentID("acme", a.ID)
	h.batch(use(id), a)
	if !h.heads[id].Touched {
		t.Error("lost")
	}
	h.batch([]schema.Control{{Kind: schema.ControlCase, Object: "nonsense"}, {Tenant: "nobody", Kind: schema.ControlCase, Object: id.String()}})
}
