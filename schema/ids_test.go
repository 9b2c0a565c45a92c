package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// TestIDsGolden: ids are stored for ever, in other systems too. A difference here
// is not to be updated away.
func TestIDsGolden(t *testing.T) {
	alert := schema.NewAlertID("acme", "ids-1", "4711")
	incident := schema.NewIncidentID("acme", alert)
	host := schema.EntityRef{Type: schema.EntityHost, Key: "web-1"}
	for _, tt := range []struct{ name, got, want string }{
		{"alert", alert.String(), "cc8c9dca5c7577463752aff97d8ce2fc"},
		{"alert of nothing", schema.NewAlertID("", "", "").String(), "7b4731c6b090fcfc7fb4bb912d44c4d6"},
		{"alert with a long vendor id", schema.NewAlertID("acme", "ids-1", strings.Repeat("x", 5000)).String(), "8344c5c40389b2afc997b8fd1b1e056e"},
		{"incident", incident.String(), "99ec784a-6c8a-52ed-81f7-c2956734e542"},
		{"number", incident.Number(), "INC-99EC784A"},
		{"path", schema.NewPathID("acme", incident, schema.PathRealized).String(), "4ea90318dda4aa23bd73c96f9cb5ac23"},
		{"lease", schema.NewLeaseID("acme", host, schema.ActionContainHost).String(), "a7c48cc8947570fdce71edfee73f420b"},
		{"entity", host.UID("acme").String(), "e402254b18fcd95b46d7213312edb006"},
		{"derived", schema.DeriveID("event", "a", "b").String(), "99204d03fbb3c46bd7875954b093f71a"},
		{"content", schema.ContentSum([]byte("{}")), "44136fa355b3678a1146ad16f7e8649e"},
		{"long content", schema.ContentSum(bytes.Repeat([]byte("0123456789"), 60)), "5056a0e55250e633ba2c5818344914f9"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// TestIDsKeepPartsApart: moving a byte from one part to the next is another id.
func TestIDsKeepPartsApart(t *testing.T) {
	if schema.NewAlertID("ab", "c", "d") == schema.NewAlertID("a", "bc", "d") ||
		schema.NewAlertID("a", "bc", "d") == schema.NewAlertID("a", "b", "cd") ||
		schema.DeriveID("k", "ab", "c") == schema.DeriveID("k", "a", "bc") ||
		schema.DeriveID("k", "a") == schema.DeriveID("k", "a", "") {
		t.Error("two objects share an id")
	}
	rapid.Check(t, func(t *rapid.T) {
		tenant, source, id := rapid.String().Draw(t, "tenant"), rapid.String().Draw(t, "source"), rapid.String().Draw(t, "id")
		if got, want := schema.NewAlertID(tenant, source, id), schema.AlertID(schema.DeriveID("alert", tenant, source, id)); got != want {
			t.Fatalf("got %s, want %s: the quick way differs from DeriveID", got, want)
		}
	})
}

func TestParseIDs(t *testing.T) {
	id := schema.NewAlertID("acme", "ids-1", "4711")
	if got, err := schema.ParseAlertID(id.String()); err != nil || got != id {
		t.Errorf("got %s, %v", got, err)
	}
	incident := schema.NewIncidentID("acme", id)
	if got, err := schema.ParseIncidentID(incident.String()); err != nil || got != incident {
		t.Errorf("got %s, %v", got, err)
	}
	for _, bad := range []string{"", "12", id.String() + "0", "zz" + id.String()[2:]} {
		if _, err := schema.ParseAlertID(bad); err == nil {
			t.Errorf("%q read as an alert id", bad)
		}
		if _, err := schema.ParseIncidentID(bad); err == nil {
			t.Errorf("%q read as an incident id", bad)
		}
	}
}

// TestShardOfGolden: state and topics are keyed by shard.
func TestShardOfGolden(t *testing.T) {
	for tenant, want := range map[string]schema.Shard{"": 453, "acme": 431, "globex": 142, "default": 990, "tenant-0001": 555} {
		if got := schema.ShardOf(tenant); got != want {
			t.Errorf("ShardOf(%q) = %d, want %d", tenant, got, want)
		}
	}
}

func TestShardsSpread(t *testing.T) {
	perPartition := make([]int, 8)
	for i := range 4000 {
		s := schema.ShardOf(fmt.Sprintf("tenant-%d", i))
		if s >= schema.Shards {
			t.Fatalf("shard %d", s)
		}
		perPartition[s.Partition(len(perPartition))]++
	}
	for p, n := range perPartition {
		if n < 350 || n > 650 {
			t.Errorf("partition %d has %d of 4000 tenants", p, n)
		}
	}
}

func TestClampCreated(t *testing.T) {
	const now = schema.Millis(1_795_300_000_000)
	for _, tt := range []struct {
		name              string
		created, ingested schema.Millis
		want              schema.Millis
	}{
		{"usual", now - 500, now, now - 500},
		{"equal", now, now, now},
		{"not told", 0, now, now},
		{"neither", 0, 0, 0},
		{"replay without an ingest time", now, 0, now},
		{"oldest that stands", now - schema.MaxPast, now, now - schema.MaxPast},
		{"too old", now - schema.MaxPast - 1, now, now - schema.MaxPast},
		{"before 1970", -1, now, now - schema.MaxPast},
		{"the beginning of time", math.MinInt64, now, now - schema.MaxPast},
		{"newest that stands", now + schema.MaxFuture, now, now + schema.MaxFuture},
		{"too new", now + schema.MaxFuture + 1, now, now + schema.MaxFuture},
		{"the end of time", math.MaxInt64, now, now + schema.MaxFuture},
	} {
		if got := schema.ClampCreated(tt.created, tt.ingested); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// names checks an enum of n values.
func names[T interface {
	~uint8
	String() string
	MarshalText() ([]byte, error)
}, P interface {
	*T
	UnmarshalText([]byte) error
}](t *testing.T, n int) {
	t.Helper()
	seen := map[string]bool{}
	for v := range T(n) {
		b, err := v.MarshalText()
		if err != nil || string(b) != v.String() || seen[string(b)] {
			t.Errorf("%T(%d): %q, %v, seen before: %v", v, v, b, err, seen[string(b)])
		}
		seen[string(b)] = true
		var got T
		if err := P(&got).UnmarshalText(b); err != nil || got != v {
			t.Errorf("%T: %q reads back as %v, %v", v, b, got, err)
		}
	}
	// What lies beyond the last value says so or takes an earlier name.
	if next := T(n).String(); !seen[next] && next != "unknown" {
		t.Errorf("%T has more than %d names: %q", T(0), n, next)
	}
	var got T
	if err := P(&got).UnmarshalText([]byte("no such name")); err == nil {
		t.Errorf("%T reads anything", got)
	}
}

// TestNamesReadBack holds the enums' names unique, and their two readers to each
// other.
func TestNamesReadBack(t *testing.T) {
	names[schema.Severity](t, 7)
	names[schema.Verdict](t, 5)
	names[schema.AlertStatus](t, 5)
	names[schema.IncidentStatus](t, 6)
	names[schema.Disposition](t, 2)
	names[schema.ReasonKind](t, 4)
	names[schema.EntityType](t, 21)
	names[schema.Role](t, 6)
	names[schema.ObservableType](t, 19)
	names[schema.TLP](t, 5)
	names[schema.Wish](t, 5)
	names[schema.RetroKind](t, 3)
	names[schema.ThreatKind](t, 8)
	names[schema.PathKind](t, 3)
	names[schema.ActionKind](t, 8)
	names[schema.Outcome](t, 3)
	names[schema.LeaseState](t, 3)
	names[schema.Verb](t, 2)
	names[schema.Origin](t, 9)
	names[schema.ControlKind](t, 7)
	names[schema.Reason](t, 17)
	for _, s := range []string{"unknown", "host", "session", "nonsense", ""} {
		var e schema.EntityType
		parsed, ok := schema.ParseEntityType(s)
		if err := e.UnmarshalText([]byte(s)); (err == nil) != ok || e != parsed {
			t.Errorf("%q: ParseEntityType gives %v %v, UnmarshalText %v %v", s, parsed, ok, e, err)
		}
	}
	var o schema.Outcome
	if json.Unmarshal([]byte(`"unknown"`), &o) == nil {
		t.Error(`an outcome without a name reads back as something: "unknown"`)
	}
	for r := schema.ReasonNone; r <= schema.ReasonNotAnAlert; r++ {
		if got, ok := schema.ParseReason(r.String()); !ok || got != r {
			t.Errorf("reason %d %q reads back as %d", r, r, got)
		}
	}
}
