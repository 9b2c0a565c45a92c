package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// render gives a path as "entry: a>b c>d; foothold reach".
func render(p schema.Path) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s:", p.Entry)
	for _, e := range p.Edges {
		fmt.Fprintf(&s, " %s>%s", e.From, e.To)
	}
	fmt.Fprintf(&s, "; %s %d", p.Foothold, p.Reach)
	return s.String()
}

func TestPath(t *testing.T) {
	cases := []struct {
		name string
		docs []schema.Alert // one a minute, unless their Start says otherwise; all share user:u
		want string
	}{
		{"chain", []schema.Alert{doc("1", 0, "source>host:a target>host:b"), doc("2", 1, "source>host:b target>host:c")},
			"host:a: host:a>host:b host:b>host:c; host:c 2"},
		{"against time", []schema.Alert{doc("1", 1, "source>host:b target>host:c"), doc("2", 2, "source>host:a target>host:b")},
			"host:b: host:b>host:c; host:c 1"},
		{"one instant, against the order of names", []schema.Alert{doc("1", 0, "source>host:z target>host:y"),
			doc("3", 1, "source>host:b target>host:c"), doc("4", 1, "source>host:y target>host:b")},
			"host:z: host:z>host:y host:y>host:b host:b>host:c; host:c 3"},
		{"earliest arrival only", []schema.Alert{doc("1", 0, "source>ip:8.8.8.8 target>host:a"), doc("2", 1, "source>host:a target>host:b"),
			doc("3", 2, "source>ip:8.8.8.8 target>host:b")},
			"ip:8.8.8.8: ip:8.8.8.8>host:a host:a>host:b; host:b 2"},
		{"resource is no foothold", []schema.Alert{doc("1", 0, "source>host:a target>host:b"), doc("2", 1, "source>host:b target>cloud_resource:r")},
			"host:a: host:a>host:b host:b>cloud_resource:r; host:b 2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t, Default())
			h.advance(0)
			for i := range c.docs {
				c.docs[i].Entities = append(c.docs[i].Entities, schema.Entity{Type: schema.EntityUser, Key: "u"})
				c.docs[i].Techniques = []schema.Technique{{ID: "T1021"}}
			}
			h.process(c.docs...)
			p, ok := h.paths[schema.NewPathID("acme", h.row(c.docs[0].VendorID).Incident, schema.PathRealized)]
			if got := render(p); !ok || got != c.want {
				t.Fatalf("got  %s\nwant %s", got, c.want)
			}
			for _, e := range p.Edges {
				if !e.Observed || e.Technique != "T1021" || e.Alert.IsZero() || e.Time == 0 {
					t.Errorf("edge %+v", e)
				}
			}
			b := h.process(doc("quiet", 3, "user:u"))
			if len(b.Paths) != 0 || len(b.Incidents) != 1 {
				t.Errorf("unchanged path written again: %+v", b.Paths)
			}
		})
	}
}

func TestPathOfSwallowedIncident(t *testing.T) {
	h := newHarness(t, Default())
	h.advance(0)
	h.process(doc("a", 0, "host:x"), doc("1", 1, "source>host:a target>host:b"), doc("2", 2, "source>host:b target>host:c"))
	gone := h.row("1").Incident
	h.process(doc("link", 3, "host:x host:b"))
	if h.row("1").Incident == gone {
		t.Fatal("not merged")
	}
	if p := h.paths[schema.NewPathID("acme", gone, schema.PathRealized)]; p.Status != "superseded" {
		t.Errorf("%+v", p)
	}
}

func TestHead(t *testing.T) {
	h := newHarness(t, Default())
	h.advance(0)
	a, b := doc("a", 0, "host:x user:u"), doc("b", 1, "host:x host:y")
	a.Techniques = []schema.Technique{{ID: "T1566", Tactic: "TA0001"}}
	b.Techniques = []schema.Technique{{ID: "T1021", Tactic: "TA0008"}, {ID: "T1566", Tactic: "TA0001"}}
	b.Severity, b.Source = schema.SeverityHigh, "ndr"
	b.Start, b.End = t0-5, t0+9
	h.process(a, b)
	head := h.heads[h.row("a").Incident]
	if want := "Initial access to lateral movement on 2 hosts, 1 user by edr, ndr"; head.Title != want {
		t.Errorf("title %q, want %q", head.Title, want)
	}
	if head.Severity != schema.SeverityHigh || head.Disposition != schema.Promoted || head.First != t0-5 || head.Last != t0+9 || head.Alerts != 2 {
		t.Errorf("head %+v", head)
	}
	if got, want := fmt.Sprint(head.Entities), "[host:x host:y user:u]"; got != want {
		t.Errorf("entities %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(head.Priority, head.Factors), "55 [{severity 35} {sources 10} {tactics 8} {size 2}]"; got != want {
		t.Errorf("priority %s, want %s", got, want)
	}
}

func TestPromotion(t *testing.T) {
	cases := []struct {
		name   string
		change func(*schema.Alert)
		want   schema.Disposition
	}{
		{"medium", func(*schema.Alert) {}, schema.Background},
		{"severity", func(a *schema.Alert) { a.Severity = schema.SeverityHigh }, schema.Promoted},
		{"two tactics", func(a *schema.Alert) { a.Techniques = []schema.Technique{{Tactic: "TA0001"}, {Tactic: "TA0002"}} }, schema.Background},
		{"three tactics", func(a *schema.Alert) {
			a.Techniques = []schema.Technique{{Tactic: "TA0001"}, {Tactic: "TA0002"}, {Tactic: "TA0040"}}
		}, schema.Promoted},
		{"suspicious match", func(a *schema.Alert) { a.Matches = []schema.Match{{Verdict: schema.VerdictSuspicious}} }, schema.Background},
		{"malicious match", func(a *schema.Alert) { a.Matches = []schema.Match{{Verdict: schema.VerdictMalicious}} }, schema.Promoted},
	}
	for _, c := range cases {
		h := newHarness(t, Default())
		a := doc("a", 0, "host:x")
		c.change(&a)
		h.process(a)
		if got := h.heads[h.row("a").Incident].Disposition; got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
