package clickhouse_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestSeen asks for entities by every field: what is found, and what lies next to it
// and is not.
func TestSeen(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	ref := func(text string) schema.Entity {
		name, key, _ := strings.Cut(text, ":")
		typ, ok := schema.ParseEntityType(name)
		if !ok {
			t.Fatal(text)
		}
		return schema.Entity{Type: typ, Role: schema.RoleSource, Key: key, Port: 8443}
	}
	all := []string{"ip:203.0.113.7", "ip:203.0.113.70", "ip:2001:db8::7", "domain:a.b.bad.example", "domain:bad.example", "domain:notbad.example", "domain:bad.example.org",
		"url:http://www.bad.example/a/b?c=d", "url:https://user@BAD.example:8080/a/b", "url:http://203.0.113.7:81/x", "url:http://[2001:db8::7]/x", "url:ftp://good.example/a/b?x",
		"url:http://good.example/?u=//bad.example/a", "mailbox:me@mail.bad.example", "mailbox:bad.example@good.example", "file_hash:aa", "mutex:Global\\x", "host:bad.example",
		"tls_fingerprint:ja3:aa", "user_agent:tab\there 'n\n'ow \\' \x00"}
	var entities []schema.Entity
	for _, e := range all {
		entities = append(entities, ref(e))
	}
	a := alert("acme", "ids-1", "seen", "seen", schema.SeverityLow, schema.Hour, entities...)
	x.alerts(a, alert("acme", "ids-1", "old", "old", schema.SeverityLow, 5*schema.Hour, entities...),
		alert("globex", "ids-1", "other", "other", schema.SeverityLow, schema.Hour, entities...))
	for name, tc := range map[string]struct {
		field  string
		values []string
		want   []string
	}{
		"key":                     {"key", []string{"203.0.113.7", "bad.example", "aa", "Global\\x", "ja3:aa"}, []string{"file_hash:aa", "ip:203.0.113.7", "mutex:Global\\x", "tls_fingerprint:ja3:aa"}},
		"name":                    {"name", []string{"bad.example", "else.example"}, []string{"domain:a.b.bad.example", "domain:bad.example"}},
		"sender":                  {"sender", []string{"bad.example"}, []string{"mailbox:me@mail.bad.example"}},
		"host, a name":            {"host", []string{"bad.example"}, []string{"url:http://www.bad.example/a/b?c=d"}},
		"host, literal":           {"host", []string{"203.0.113.7", "2001:db8::7"}, []string{"url:http://203.0.113.7:81/x", "url:http://[2001:db8::7]/x"}},
		"host, userinfo and port": {"host", []string{"BAD.example"}, []string{"url:https://user@BAD.example:8080/a/b"}},
		"url":                     {"url", []string{"//www.bad.example/a/b?c=d", "//good.example/"}, []string{"url:http://www.bad.example/a/b?c=d"}},
		"prefix":                  {"prefix", []string{"//www.bad.example/a/", "//bad.example/"}, []string{"url:http://www.bad.example/a/b?c=d"}},
		"path":                    {"path", []string{"/a/b"}, []string{"url:ftp://good.example/a/b?x", "url:http://www.bad.example/a/b?c=d", "url:https://user@BAD.example:8080/a/b"}},
		"path, query":             {"path", []string{"/a/b?x"}, []string{"url:ftp://good.example/a/b?x"}},
		"address":                 {"address", []string{"203.0.113."}, []string{"ip:203.0.113.7", "ip:203.0.113.70"}},
		"literal":                 {"literal", []string{"2001:db8:"}, []string{"url:http://[2001:db8::7]/x"}},
		"hostile values":          {"key", []string{"' OR 1 = 1 --", `\`, "\n", "tab\there 'n\n'ow \\' \x00"}, []string{"user_agent:tab\there 'n\n'ow \\' \x00"}},
	} {
		t.Run(name, func(t *testing.T) {
			rows := must(s.Seen(t.Context(), clickhouse.SeenFilter{Tenants: []string{"acme"}, Field: tc.field, Values: tc.values,
				Since: noon - 2*schema.Hour, Till: noon, Limit: 100}))(t)
			var got []string
			for _, r := range rows {
				got = append(got, r.Entity.Ref().String())
				want := clickhouse.SeenEntity{Tenant: "acme", Alert: a.ID, Source: "ids-1", Time: a.Created,
					Entity: schema.Entity{Type: r.Entity.Type, Key: r.Entity.Key, Role: schema.RoleSource, Port: 8443}, Values: []string{}}
				if !reflect.DeepEqual(r, want) {
					t.Errorf("got %+v, want %+v", r, want)
				}
			}
			slices.Sort(got)
			same(t, "entities", got, tc.want)
		})
	}
	both := must(s.Seen(t.Context(), clickhouse.SeenFilter{Tenants: []string{"acme", "globex"}, Field: "key", Values: []string{"aa"}, Since: noon - 9*schema.Hour, Till: noon, Limit: 100}))(t)
	equal(t, "of both tenants, older too", len(both), 3)
	equal(t, "limited", len(must(s.Seen(t.Context(), clickhouse.SeenFilter{Tenants: []string{"acme", "globex"}, Field: "key", Values: []string{"aa"}, Till: noon, Limit: 2}))(t)), 2)
	if _, err := s.Seen(t.Context(), clickhouse.SeenFilter{Tenants: []string{"acme"}, Field: "mood"}); err == nil {
		t.Error("a field that there is not")
	}
}

func TestSeenAlerts(t *testing.T) {
	t.Parallel()
	s := open(t)
	st := tellAll(t, s)["acme"]
	got := must(s.SeenAlerts(t.Context(), "acme", []schema.AlertID{st.shell.ID, st.lateral.ID, {1}, newStory("globex").shell.ID}, []string{"203.0.113.0/24", "203.0.113.9"}))(t)
	equal(t, "alerts", len(got), 2)
	for _, a := range got {
		switch a.ID {
		case st.shell.ID:
			if a.Severity != st.revised.Severity || !a.Blocked || a.Incident != st.incident.ID || len(a.Matches) != 1 || a.Matches[0].On.Key != "203.0.113.9" {
				t.Errorf("%+v", a)
			}
		case st.lateral.ID:
			if len(a.Matches) != 1 || !a.Matches[0].Match.Retro || a.Matches[0].Match.Indicator != "indicator--12" {
				t.Errorf("%+v", a)
			}
		default:
			t.Errorf("%+v", a)
		}
	}
	got = must(s.SeenAlerts(t.Context(), "acme", []schema.AlertID{st.shell.ID}, []string{"none.example"}))(t)
	if len(got) != 1 || len(got[0].Matches) != 0 {
		t.Errorf("of a value that nothing matched: %+v", got)
	}
}

// TestSeenMatched asks for entities with bad matches: by any field, each with the values
// that matched it, of the tenants and the time that were asked for.
func TestSeenMatched(t *testing.T) {
	t.Parallel()
	s := open(t)
	x := newTopics(t, s)
	entities := []schema.Entity{entity(schema.EntityURL, schema.RoleRelated, "http://www.bad.example/a"), entity(schema.EntityIP, schema.RoleC2, "203.0.113.7"),
		entity(schema.EntityIP, schema.RoleSource, "203.0.113.7"), entity(schema.EntityIP, schema.RoleC2, "203.0.113.8")}
	matched := func(tenant, id string, ago schema.Millis) *schema.Alert {
		a := alert(tenant, "ids-1", id, id, schema.SeverityLow, ago, entities...)
		m := func(e uint16, value string, v schema.Verdict) schema.Match {
			return schema.Match{Entity: e, Type: schema.ObservableCIDR, Value: value, Indicator: "i-" + value, Feed: "f", Verdict: v}
		}
		a.Matches = []schema.Match{m(0, "bad.example", schema.VerdictMalicious), m(1, "203.0.113.0/24", schema.VerdictSuspicious), m(1, "203.0.113.7", schema.VerdictMalicious),
			m(3, "203.0.113.8", schema.VerdictBenign)}
		return a
	}
	a := matched("acme", "with", schema.Hour)
	x.alerts(a, matched("acme", "old", 5*schema.Hour), matched("globex", "other", schema.Hour), alert("acme", "ids-1", "without", "without", schema.SeverityLow, schema.Hour, entities...))
	ask := func(field string, values ...string) (got []string) {
		t.Helper()
		rows := must(s.Seen(t.Context(), clickhouse.SeenFilter{Tenants: []string{"acme"}, Field: field, Values: values, Since: noon - 2*schema.Hour, Till: noon, Limit: 100, Matched: true}))(t)
		for _, r := range rows {
			if r.Alert != a.ID || r.Tenant != "acme" || r.Source != "ids-1" || r.Time != a.Created {
				t.Errorf("%+v", r)
			}
			slices.Sort(r.Values)
			got = append(got, r.Entity.Role.String()+" "+r.Entity.Ref().String()+" "+strings.Join(r.Values, " "))
		}
		slices.Sort(got)
		return got
	}
	same(t, "by address", ask("key", "203.0.113.7", "203.0.113.8"), []string{"c2 ip:203.0.113.7 203.0.113.0/24 203.0.113.7", "source ip:203.0.113.7 203.0.113.0/24 203.0.113.7"})
	same(t, "by network", len(ask("address", "203.0.113.")), 2)
	same(t, "by host", ask("host", "bad.example"), []string{"related url:http://www.bad.example/a bad.example"})
	same(t, "of nothing", len(ask("key", "192.0.2.1")), 0)
}
