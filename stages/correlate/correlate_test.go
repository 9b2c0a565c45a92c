package correlate

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

const t0 = schema.Millis(1_700_000_400_000) // an hour's start is 1_699_999_200_000

// doc makes an alert from "host:a user:b" and a time after t0.
func doc(id string, at schema.Millis, entities string) schema.Alert {
	a := schema.Alert{ID: schema.NewAlertID("acme", "edr", id), Tenant: "acme", Source: "edr", VendorID: id, Title: id, Content: 1,
		Created: t0 + at, Severity: schema.SeverityMedium}
	for _, s := range strings.Fields(entities) {
		role := schema.RoleRelated
		for _, r := range []schema.Role{schema.RoleActor, schema.RoleSource, schema.RoleTarget, schema.RoleSensor} {
			if rest, ok := strings.CutPrefix(s, r.String()+">"); ok {
				role, s = r, rest
			}
		}
		ref, err := parseRef(s)
		if err != nil {
			panic(err)
		}
		a.Entities = append(a.Entities, schema.Entity{Type: ref.Type, Key: ref.Key, Role: role})
	}
	return a
}

// harness drives one stage and keeps what it said.
type harness struct {
	t *testing.T
	c *Correlator
	*sink
	pos uint64
}

func newHarness(t *testing.T, cfg Config) *harness {
	return &harness{t: t, c: must(t, cfg), sink: newSink()}
}

func (h *harness) process(docs ...schema.Alert) *schema.Batch {
	h.t.Helper()
	return h.batch(nil, docs...)
}

func (h *harness) batch(control []schema.Control, docs ...schema.Alert) *schema.Batch {
	h.t.Helper()
	h.pos++
	b := &schema.Batch{Position: h.pos, Control: control}
	for _, d := range docs {
		*b.NextAlert() = d.Clone()
	}
	if err := h.c.Process(context.Background(), b); err != nil {
		h.t.Fatal(err)
	}
	h.c.Commit()
	h.take(b)
	return b
}

func (h *harness) advance(to schema.Millis) *schema.Batch {
	h.t.Helper()
	h.pos++
	b := &schema.Batch{Position: h.pos}
	if err := h.c.Advance(context.Background(), stages.Tick{Tenant: "acme", Watermark: t0 + to}, b); err != nil {
		h.t.Fatal(err)
	}
	h.c.Commit()
	h.take(b)
	return b
}

func (h *harness) row(id string) schema.Member {
	h.t.Helper()
	m, ok := h.members[memberKey("acme", schema.NewAlertID("acme", "edr", id))]
	if !ok {
		h.t.Fatalf("no row of %s", id)
	}
	return m
}

// groups renders who is with whom, each incident's founder first.
func (h *harness) groups(ids ...string) string {
	by := map[schema.IncidentID][]string{}
	var order []schema.IncidentID
	for _, id := range ids {
		m := h.row(id)
		if by[m.Incident] == nil {
			order = append(order, m.Incident)
		}
		by[m.Incident] = append(by[m.Incident], id)
	}
	var out []string
	for _, i := range order {
		out = append(out, strings.Join(by[i], " "))
	}
	return strings.Join(out, ", ")
}

func TestLinks(t *testing.T) {
	const h, m = schema.Hour, schema.Minute
	cases := []struct {
		name  string
		apart schema.Millis
		a, b  string
		want  string
	}{
		// The older alert is in the younger one's degree, except over 26 h:
		// the window is base * 3 / 3, or base * 3 / 2.
		{"host within 8 h", 8 * h, "host:x", "host:x", "a b"},
		{"host past it", 8*h + 1, "host:x", "host:x", "a, b"},
		{"host before its degree is sealed", 10 * m, "host:x", "host:x", "a b"},
		{"internal ip", 3 * h, "ip:10.0.0.1", "ip:10.0.0.1", "a b"},
		{"internal ip past it", 3*h + 1, "ip:10.0.0.1", "ip:10.0.0.1", "a, b"},
		{"carrier-grade NAT is internal", 3*h + 1, "ip:100.100.0.1", "ip:100.100.0.1", "a, b"},
		{"mapped address is judged as IPv4", 3*h + 1, "ip:::ffff:10.0.0.1", "ip:::ffff:10.0.0.1", "a, b"},
		{"external ip", 12 * h, "ip:8.8.8.8", "ip:8.8.8.8", "a b"},
		{"mailbox", 12 * h, "mailbox:a@b", "mailbox:a@b", "a b"},
		{"file hash", 36 * h, "file_hash:ff", "file_hash:ff", "a b"},
		{"file hash past it", 36*h + 1, "file_hash:ff", "file_hash:ff", "a, b"},
		{"pair", 48 * h, "host:x user:u", "user:u host:x", "a b"},
		{"pair past it", 48*h + 1, "host:x user:u", "user:u host:x", "a, b"},
		{"no pair of one type", 12*h + 1, "host:x host:y", "host:x host:y", "a, b"},
		{"url pairs with nothing", 36*h + 1, "host:x url:u", "host:x url:u", "a, b"},
		{"process makes no key", 0, "process:p", "process:p", "a, b"},
		{"sensor makes no key", 0, "sensor>host:x", "sensor>host:x", "a, b"},
		{"sensor that is target too", 0, "sensor>host:x target>host:x", "host:x", "a b"},
		{"allowlist", 0, "user:system", "user:system", "a, b"},
		{"long key", 0, "host:" + strings.Repeat("x", 513), "host:" + strings.Repeat("x", 513), "a, b"},
		{"longest key", 0, "host:" + strings.Repeat("x", 512), "host:" + strings.Repeat("x", 512), "a b"},
		{"same text, other type", 0, "host:x", "user:x", "a, b"},
		{"nothing in common", 0, "host:x", "host:y", "a, b"},
		{"seventeenth entity", 0, many(16) + " user:u", "user:u", "a, b"},
		{"sixteenth entity", 0, many(15) + " user:u", "user:u", "a b"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := Default()
			cfg.Allowlist = []string{"user:system"}
			h := newHarness(t, cfg)
			h.advance(0)
			h.process(doc("a", 0, c.a))
			h.process(doc("b", c.apart, c.b))
			h.advance(c.apart)
			if got := h.groups("a", "b"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func many(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, " host:h%02d", i)
	}
	return s.String()
}

// A hub falls silent once its degree is sealed, and its pairs do not.
func TestHub(t *testing.T) {
	h := newHarness(t, small()) // hub above 3
	for i := range 4 {
		h.process(doc(fmt.Sprint("old", i), schema.Millis(i), "host:hub"))
	}
	h.process(doc("a", 3*schema.Hour, "host:hub user:u"), doc("b", 3*schema.Hour, "host:hub"), doc("c", 3*schema.Hour, "host:hub user:u"))
	if got := h.groups("a", "b", "c"); got != "a c, b" {
		t.Errorf("while held: %s", got)
	}
	h.advance(3 * schema.Hour)
	if got := h.groups("a", "b", "c"); got != "a c, b" {
		t.Errorf("sealed: %s", got)
	}
}

// While the degree is not sealed a single key waits; then it links.
func TestHeld(t *testing.T) {
	h := newHarness(t, Default())
	h.process(doc("a", 0, "host:x"), doc("b", 1, "host:x"))
	if got := h.groups("a", "b"); got != "a, b" {
		t.Fatalf("before the seal: %s", got)
	}
	h.advance(-2 * schema.Hour)
	if got := h.groups("a", "b"); got != "a, b" {
		t.Fatalf("just before the seal: %s", got)
	}
	if n := h.c.Held("acme"); n != 2 || h.c.Held("nobody") != 0 {
		t.Errorf("%d held", n)
	}
	b := h.advance(-1 * schema.Hour)
	if n := h.c.Held("acme"); n != 0 {
		t.Errorf("%d still held", n)
	}
	if got := h.groups("a", "b"); got != "a b" {
		t.Fatalf("after the seal: %s", got)
	}
	if len(b.Ledger) != 1 || b.Ledger[0].Verb != "merge" || b.Ledger[0].Origin != schema.OriginCorrelation {
		t.Errorf("ledger %+v", b.Ledger)
	}
	redirects := 0
	for _, i := range b.Incidents {
		if !i.RedirectTo.IsZero() {
			redirects++
		}
	}
	if redirects != 1 {
		t.Errorf("heads %+v", b.Incidents)
	}
}

func TestStandings(t *testing.T) {
	h := newHarness(t, Default())
	a := doc("a", 0, "host:x")
	if b := h.process(a); b.Alerts[0].Standing != schema.StandingNew || len(b.Incidents) != 1 || len(b.Members) != 1 {
		t.Fatalf("new: %+v", b)
	}
	before := snapshot(t, h.c)
	b := h.process(a, a)
	if b.Alerts[1].Standing != schema.StandingDuplicate || b.Alerts[1].Incident != h.row("a").Incident ||
		len(b.Incidents)+len(b.Members)+len(b.Paths)+len(b.Ledger) != 0 {
		t.Fatalf("duplicate: %+v", b)
	}
	if string(before) != string(snapshot(t, h.c)) {
		t.Error("a duplicate changed the state")
	}
	a.Content, a.Title, a.Updated = 2, "second", t0+5
	if b := h.process(a); b.Alerts[0].Standing != schema.StandingRevision || h.row("a").Title != "second" {
		t.Fatalf("revision: %+v", b)
	}
	a.Content, a.Title, a.Updated = 3, "between", t0+3 // older revision, later arrival
	if h.process(a); h.row("a").Title != "second" {
		t.Error("an older revision won")
	}
	h.advance(1)
	if h.process(doc("late", 0, "host:x")); !h.row("late").Late || h.row("a").Late || h.groups("a", "late") != "a late" {
		t.Errorf("late: %+v", h.row("late"))
	}
}

// Above the cap of level 0 only stronger evidence holds; severe alerts weigh
// nothing.
func TestSplit(t *testing.T) {
	h := newHarness(t, small()) // caps 2, 4, 6
	h.advance(0)
	h.process(doc("a", 0, "host:x"))
	h.process(doc("b", 8*schema.Hour, "host:x"))
	h.advance(8 * schema.Hour)
	severe := doc("s", 8*schema.Hour, "host:x")
	severe.Severity = schema.SeverityHigh
	h.process(severe)
	if got := h.groups("a", "b", "s"); got != "a b s" {
		t.Fatalf("within the cap: %s", got)
	}
	b := h.process(doc("c", 9*schema.Hour, "host:x"))
	if got := h.groups("a", "b", "s", "c"); got != "a, b s c" {
		t.Fatalf("over the cap: %s", got)
	}
	if h.row("a").Level != schema.LevelSingle || h.row("b").Level != 1 {
		t.Errorf("levels %d, %d", h.row("a").Level, h.row("b").Level)
	}
	if len(b.Ledger) != 1 || b.Ledger[0].Verb != "split" {
		t.Errorf("ledger %+v", b.Ledger)
	}
	if c := h.heads[h.row("c").Incident].Campaign; c != h.row("a").Incident {
		t.Error("the campaign is not the level 0 founder's")
	}
}

// Alerts of closed hours, whose incident is open, find each other at the level that
// it needs only now.
func TestSplitAfterTheHoursClosed(t *testing.T) {
	h := newHarness(t, small())
	h.advance(0)
	severe := doc("s", 40*schema.Hour, "host:x user:u")
	severe.Severity = schema.SeverityHigh
	h.process(doc("a", 0, "host:x user:u"), doc("b", schema.Minute, "host:x user:u"), severe)
	h.advance(50 * schema.Hour)
	h.process(doc("c", 50*schema.Hour, "host:x user:u"))
	if got := h.groups("a", "b", "s", "c"); got != "a b s c" || h.row("a").Level != 1 {
		t.Errorf("%s at level %d", got, h.row("a").Level)
	}
}

// A document is looked up among its alert's revisions, not compared with each.
func TestRevisionFlood(t *testing.T) {
	h := newHarness(t, Default())
	var docs []schema.Alert
	for i := range 20_000 {
		a := doc("a", schema.Millis(i%1000), "host:x")
		a.Content = uint64(i) + 1
		docs = append(docs, a)
	}
	b := h.process(docs...)
	if s := h.c.Stats(); s.Alerts != 1 || s.Observations != len(docs) || len(b.Members) != 1 {
		t.Fatalf("%+v, %d rows", s, len(b.Members))
	}
	before := snapshot(t, h.c)
	for _, a := range h.process(docs...).Alerts {
		if a.Standing != schema.StandingDuplicate {
			t.Fatal("not known again")
		}
	}
	if !bytes.Equal(before, snapshot(t, h.c)) {
		t.Error("duplicates changed the state")
	}
	h.advance(200 * schema.Hour)
	if h.c.Stats() != (Stats{Tenants: 1}) || len(h.c.tenants["acme"].contents.m) != 0 {
		t.Errorf("left behind: %+v", h.c.Stats())
	}
}

func TestSlices(t *testing.T) {
	cfg := small()
	cfg.Caps, cfg.SliceWeight = []uint32{1, 1, 1}, 1
	h := newHarness(t, cfg)
	h.advance(0)
	start := 8*schema.Hour - t0%(8*schema.Hour) // of a slice
	for i, at := range []schema.Millis{-2, -1, 0, 1} {
		h.process(doc(fmt.Sprint(i), start+at, "host:x user:u"))
	}
	if got := h.groups("0", "1", "2", "3"); got != "0 1, 2 3" {
		t.Fatalf("slices %s", got)
	}
	if a, b := h.heads[h.row("0").Incident], h.heads[h.row("2").Incident]; a.Level != lastLevel || b.Slice != a.Slice+1 {
		t.Errorf("heads %+v, %+v", a, b)
	}
}

func TestClose(t *testing.T) {
	h := newHarness(t, Default())
	h.advance(0)
	h.process(doc("a", 0, "host:x user:u"))
	first := h.row("a").Incident
	at := schema.Millis(hourOf(t0)+1)*hour + 48*schema.Hour + 30*schema.Minute - t0
	if b := h.advance(at - 1); len(b.Incidents) != 0 || h.c.Stats().Alerts != 1 {
		t.Fatalf("closed early: %+v", b.Incidents)
	}
	if b := h.advance(at + schema.Hour); len(b.Incidents) != 1 || !b.Incidents[0].Final || h.c.Stats() != (Stats{Tenants: 1}) {
		t.Fatalf("not closed: %+v %+v", b.Incidents, h.c.Stats())
	}
	h.process(doc("b", at+schema.Hour, "host:x user:u"))
	if h.row("b").Incident == first {
		t.Error("joined a closed incident")
	}
}

func TestConfig(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
	bad := map[string]func(*Config){
		"growing pair windows": func(c *Config) { c.PairWindows[1] = c.PairWindows[0] * 2 },
		"slice too long":       func(c *Config) { c.Slice = c.PairWindows[3] * 2 },
		"missing cap":          func(c *Config) { c.Caps = c.Caps[:2] },
		"zero cap":             func(c *Config) { c.Caps[0] = 0 },
		"zero base":            func(c *Config) { c.Base.URL = 0 },
		"fraction of a ms":     func(c *Config) { c.Base.URL++ },
		"rare above hub":       func(c *Config) { c.RareDegree = c.HubDegree + 1 },
		"allowlist":            func(c *Config) { c.Allowlist = []string{"system"} },
		"severity":             func(c *Config) { c.Promote.Severity = "big" },
		"lateness":             func(c *Config) { c.Lateness = -1 },
	}
	for name, change := range bad {
		c := Default()
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if c.Hash() == Default().Hash() {
			t.Errorf("%s: same hash", name)
		}
	}
	x, y := Default(), Default()
	x.Allowlist, y.Allowlist = []string{"user:a", "user:b"}, []string{"user:b", "user:a"}
	if x.Hash() != y.Hash() {
		t.Error("the order of the allowlist changes the hash")
	}
}
