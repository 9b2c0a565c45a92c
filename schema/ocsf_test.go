package schema_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// event is the part of the OCSF output that the tests look into.
type event struct {
	ClassUID   int `json:"class_uid"`
	TypeUID    int `json:"type_uid"`
	ActivityID int `json:"activity_id"`
	SeverityID int `json:"severity_id"`
	StatusID   int `json:"status_id"`
	Time       int64
	Metadata   struct {
		UID            string
		TenantUID      string `json:"tenant_uid"`
		CorrelationUID string `json:"correlation_uid"`
		Loggers        []map[string]any
		Profiles       []string
	}
	FindingInfo     finding   `json:"finding_info"`
	FindingInfoList []finding `json:"finding_info_list"`
	Observables     []struct {
		Name   string
		TypeID int `json:"type_id"`
		Value  string
	}
	Evidences     []map[string]any
	Resources     []map[string]any
	Enrichments   []map[string]any
	Device        map[string]any
	Assignee      map[string]any
	AssigneeGroup map[string]any `json:"assignee_group"`
	Unmapped      struct {
		Members []struct{ Alert string }
	}
}

type finding struct {
	UID         string
	UIDAlt      string `json:"uid_alt"`
	Title, Desc string
	Attacks     []map[string]struct{ UID string }
}

func parseEvent(t rapid.TB, b []byte) (e event) {
	t.Helper()
	if !json.Valid(b) || bytes.ContainsAny(b, "\n\u2028\u2029") {
		t.Fatalf("not one line of JSON: %s", b)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return e
}

func sampleIncident() (*schema.Incident, []schema.Member) {
	var h *schema.Incident
	var m schema.Member
	for _, n := range nouns() {
		switch v := n.sample.(type) {
		case *schema.Incident:
			h = v
		case *schema.Member:
			m = *v
		}
	}
	founder := schema.Member{Tenant: m.Tenant, Alert: h.Founder, Incident: h.ID, Level: schema.LevelSingle, Weight: 1, Title: "first \"one\""}
	return h, []schema.Member{founder, m}
}

func TestOCSFGolden(t *testing.T) {
	h, members := sampleIncident()
	correlated := sampleAlert()
	correlated.Incident = h.ID
	correlated.Entities = append(correlated.Entities,
		schema.Entity{Type: schema.EntityHost, Role: schema.RoleSensor, Key: "sensor-1"},
		schema.Entity{Type: schema.EntityHost, Role: schema.RoleSource, Key: "laptop-9"},
		schema.Entity{Type: schema.EntityUser, Role: schema.RoleTarget, Key: "alice"},
		schema.Entity{Type: schema.EntityUser, Role: schema.RoleActor, Key: "mallory"},
		schema.Entity{Type: schema.EntityDomain, Role: schema.RoleC2, Key: "evil.example"},
		schema.Entity{Type: schema.EntityIP, Key: "192.0.2.1"},
		schema.Entity{Type: schema.EntityCertificate, Key: "d41d8cd98f00b204e9800998ecf8427e"},
		schema.Entity{Type: schema.EntityTLSFingerprint, Role: schema.RoleSource, Key: "ja3:e7d705a3286e19ea42f587b344ee6865"},
		schema.Entity{Type: schema.EntityTLSFingerprint, Key: "ja4:t13d1516h2_8daaf6152771_02713d6af862"},
		schema.Entity{Type: schema.EntityUserAgent, Role: schema.RoleActor, Key: "curl/8.0 \"x\""},
		schema.Entity{Type: schema.EntityMutex, Key: `Global\acme`},
		schema.Entity{Type: schema.EntityIP, Role: schema.RoleTarget, Key: "192.0.2.2", Port: 8443},
		schema.Entity{Type: schema.EntityURL, Key: "http://evil.example/x"},
		schema.Entity{Type: schema.EntityFile, Role: schema.RoleTarget, Key: `c:\temp\x.exe`},
		schema.Entity{Type: schema.EntityMailbox, Role: schema.RoleSource, Key: "m@evil.example"},
		schema.Entity{Type: schema.EntityMailbox, Role: schema.RoleTarget, Key: "bob@acme.example"},
		schema.Entity{Type: schema.EntityMessage, Key: "msg-1"},
		schema.Entity{Type: schema.EntityCloudResource, Role: schema.RoleTarget, Key: "arn:aws:s3:::b"},
		schema.Entity{Type: schema.EntityApplication, Role: schema.RoleActor, Key: "app-1", Name: "curl"},
		schema.Entity{Type: schema.EntitySession, Role: schema.RoleActor, Key: "s-1"})
	closed := *h
	closed.Status, closed.Assignee, closed.Group = schema.IncidentClosed, "", ""
	for name, line := range map[string][]byte{
		"alert":            schema.AppendOCSFAlert(nil, sampleAlert()),
		"alert_correlated": schema.AppendOCSFAlert(nil, correlated),
		"alert_bare":       schema.AppendOCSFAlert(nil, &schema.Alert{}),
		"incident":         schema.AppendOCSFIncident(nil, h, members),
		"incident_closed":  schema.AppendOCSFIncident(nil, &closed, nil),
		"incident_bare":    schema.AppendOCSFIncident(nil, &schema.Incident{}, nil),
	} {
		parseEvent(t, line)
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, line, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		golden(t, filepath.Join("ocsf", name+".json"), pretty.Bytes())
	}
}

func TestOCSFAlert(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawMessage(t, nouns()[0]).(*schema.Alert)
		prefix := []byte("[")
		out := schema.AppendOCSFAlert(prefix, a)
		if out[0] != '[' {
			t.Fatal("wrote over what stood in dst")
		}
		e := parseEvent(t, out[1:])
		wantUID := a.VendorID
		if wantUID == "" && !a.ID.IsZero() {
			wantUID = a.ID.String()
		}
		if e.ClassUID != 2004 || e.TypeUID != 200401 || e.SeverityID != int(a.Severity) || e.Time != int64(a.Created) ||
			e.FindingInfo.UID != wantUID || e.FindingInfo.Title != a.Title || e.Metadata.TenantUID != a.Tenant {
			t.Fatalf("got %+v\nfor %+v", e, a)
		}
		if len(e.Observables) != len(a.Entities) || len(e.Enrichments) != len(a.Matches) {
			t.Fatalf("%d observables for %d entities, %d enrichments for %d matches",
				len(e.Observables), len(a.Entities), len(e.Enrichments), len(a.Matches))
		}
		for i, o := range e.Observables {
			if o.Value != a.Entities[i].Key {
				t.Fatalf("observable %d is %q, want %q", i, o.Value, a.Entities[i].Key)
			}
		}
		// Every entity is in evidence once; sensors are loggers.
		pieces := len(e.Metadata.Loggers)
		for _, ev := range e.Evidences {
			pieces += len(ev)
			for _, more := range [...]string{"data", "http_request", "ja4_fingerprint_list"} { // say again, or more, of the resource beside them
				if ev[more] != nil {
					pieces--
				}
			}
		}
		if pieces != len(a.Entities) {
			t.Fatalf("%d entities in %d evidences and loggers: %v", len(a.Entities), pieces, e.Evidences)
		}
	})
}

func TestOCSFIncident(t *testing.T) {
	table := nouns()
	rapid.Check(t, func(t *rapid.T) {
		h := drawMessage(t, table[3]).(*schema.Incident)
		members := make([]schema.Member, rapid.IntRange(0, 5).Draw(t, "members"))
		for i := range members {
			members[i] = *drawMessage(t, table[4]).(*schema.Member)
		}
		e := parseEvent(t, schema.AppendOCSFIncident(nil, h, members))
		if e.ClassUID != 2005 || e.TypeUID != 200500+e.ActivityID || e.StatusID != int(h.Status) ||
			e.Assignee == nil && e.AssigneeGroup == nil || !reflect.DeepEqual(e.Metadata.Profiles, []string{"incident"}) {
			t.Fatalf("got %+v\nfor %+v", e, h)
		}
		if !h.ID.IsZero() && e.Metadata.UID != h.ID.String() {
			t.Fatalf("metadata.uid is %s, want %s", e.Metadata.UID, h.ID)
		}
		if len(e.FindingInfoList) != len(members) || len(e.Unmapped.Members) != len(members) {
			t.Fatalf("%d findings, %d members, want %d", len(e.FindingInfoList), len(e.Unmapped.Members), len(members))
		}
		for i, f := range e.FindingInfoList {
			if m := members[i]; !m.Alert.IsZero() && (f.UIDAlt != m.Alert.String() || e.Unmapped.Members[i].Alert != f.UIDAlt) ||
				m.VendorID != "" && f.UID != m.VendorID {
				t.Fatalf("finding %d is %+v, want %+v", i, f, m)
			}
		}
	})
}

func TestOCSFAttacks(t *testing.T) {
	a := schema.Alert{Techniques: []schema.Technique{{ID: "T1021.002", Tactic: "TA0008"}, {}, {ID: "T1486"}, {Tactic: "TA0011"}}}
	e := parseEvent(t, schema.AppendOCSFAlert(nil, &a))
	type uid = struct{ UID string }
	want := []map[string]struct{ UID string }{
		{"tactic": uid{"TA0008"}, "technique": uid{"T1021"}, "sub_technique": uid{"T1021.002"}},
		{"technique": uid{"T1486"}},
		{"tactic": uid{"TA0011"}},
	}
	if !reflect.DeepEqual(e.FindingInfo.Attacks, want) {
		t.Errorf("got %v, want %v", e.FindingInfo.Attacks, want)
	}
}

func TestOCSFDoesNotAllocate(t *testing.T) {
	a := sampleAlert()
	h, members := sampleIncident()
	var buf []byte
	for _, tt := range []struct {
		name string
		run  func()
	}{
		{"alert", func() { buf = schema.AppendOCSFAlert(buf[:0], a) }},
		{"incident", func() { buf = schema.AppendOCSFIncident(buf[:0], h, members) }},
	} {
		tt.run()
		if n := testing.AllocsPerRun(100, tt.run); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

// FuzzOCSFText: whatever a sensor put into a text, the output is one line of
// valid JSON that reads back as encoding/json would have written it, each byte
// that is not UTF-8 as U+FFFD.
func FuzzOCSFText(f *testing.F) {
	for _, s := range []string{"", "plain", "\x00\x1f\x7f", "\"\\/\b\f\n\r\t", "</script>&", "\u2028\u2029", "\xff\xfe", "\xed\xa0\x80",
		"\xf0\x9f\x98", "12345678\x80", "😀é", strings.Repeat("a", 100) + "\"", `\u0000`, "{}[]:,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want string
		b, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(b, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		a := schema.Alert{VendorID: s, Title: s, Entities: []schema.Entity{{Key: s}}}
		e := parseEvent(t, schema.AppendOCSFAlert(nil, &a))
		if e.FindingInfo.Title != want || e.Observables[0].Value != want {
			t.Fatalf("%q reads back as %q and %q, want %q", s, e.FindingInfo.Title, e.Observables[0].Value, want)
		}
		h := schema.Incident{Title: s, Tags: []string{s}}
		parseEvent(t, schema.AppendOCSFIncident(nil, &h, []schema.Member{{VendorID: s, Key: s}}))
	})
}

func BenchmarkOCSFAlert(b *testing.B) {
	a := sampleAlert()
	buf := schema.AppendOCSFAlert(nil, a)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = schema.AppendOCSFAlert(buf[:0], a)
	}
}
