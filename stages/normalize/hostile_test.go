package normalize

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// What a party to the traffic wrote is reported and not attested, whatever the
// source attests: else a Host header would name a target to contain.
func TestHearsayIsNotAttested(t *testing.T) {
	src := &schema.Source{ID: "s1", Tenant: "acme", Attests: []string{"ip", "user", "mailbox", "host", "domain", "certificate", "tls_fingerprint", "user_agent"}}
	eve := strings.Replace(eveA, `"src_ip":`, `"http":{"hostname":"10.0.0.99","url":"/a"},"smtp":{"mail_from":"ceo@corp.example","rcpt_to":["bob@corp.example"]},`+
		`"smb":{"ntlmssp":{"user":"administrator"}},"host":"sensor-1","src_ip":`, 1)
	tls := strings.Replace(eveA, `"src_ip":`, `"tls":{"fingerprint":"01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67","ja3":{"hash":"0a1b2c3d4e5f60718293a4b5c6d7e8f9"}},`+
		`"http":{"http_user_agent":"evil/1.0"},"src_ip":`, 1)
	okta := `{"uuid":"u1","published":"2026-03-02T10:00:00.000Z","eventType":"security.threat.detected","displayMessage":"m","severity":"WARN",
		"actor":{"id":"00u1","type":"User","alternateId":"alice@corp.example"},"outcome":{"result":"DENY"},"client":{"ipAddress":"203.0.113.5"},
		"request":{"ipChain":[{"ip":"203.0.113.5"},{"ip":"10.0.0.99"}]},"debugContext":{"debugData":{"suspiciousActivityEventIp":"10.0.0.98"}}}`
	for _, c := range []struct {
		name, doc      string
		attested, only []string // keys that are attested, and that are only reported
	}{
		{"suricata", eve, []string{"sensor-1"}, []string{"10.0.0.99", "ceo@corp.example", "bob@corp.example", "administrator"}},
		{"tls", tls, []string{"0123456789abcdef0123456789abcdef01234567", "ja3:0a1b2c3d4e5f60718293a4b5c6d7e8f9"}, []string{"evil/1.0"}},
		{"okta", okta, []string{"203.0.113.5", "alice"}, []string{"10.0.0.99", "10.0.0.98"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := run(t, newNormalizer(t, nil), src, 0, []byte(c.doc))
			if len(b.Alerts) != 1 {
				t.Fatalf("%d alerts, rejects %+v", len(b.Alerts), b.Rejects)
			}
			got := map[string]bool{}
			for _, e := range b.Alerts[0].Entities {
				got[e.Key] = e.Attested
			}
			for want, keys := range map[bool][]string{true: c.attested, false: c.only} {
				for _, k := range keys {
					if is, ok := got[k]; !ok || is != want {
						t.Errorf("%s: there %v, attested %v, want %v", k, ok, is, want)
					}
				}
			}
		})
	}
}

// A document in a field of another one may be forged: it is read, and nothing in it
// is attested. In an envelope of transport it is what the source sends.
func TestDocumentsInMessagesAreHearsay(t *testing.T) {
	src := &schema.Source{ID: "s1", Tenant: "acme", Attests: []string{"ip", "host"}}
	ecs := func(field, doc string) string {
		return `{"@timestamp":"2026-03-02T08:15:30Z","ecs":{"version":"8.11"},"event":{"kind":"event","module":"acme"},"host":{"name":"ws-1"},` + field + `:` + doc + `}`
	}
	original := `{"@timestamp":"2026-03-02T08:15:30Z","ecs":{"version":"8.11"},"event":{"kind":"event","module":"suricata","original":` + quoted(eveA) + `}}`
	for name, c := range map[string]struct {
		record   string
		attested bool
	}{
		"bare":                  {eveA, true},
		"message of an alert":   {ecsAlert(eveA), false},
		"list in a message":     {ecsAlert("[" + eveA + "," + eveB + "]"), false},
		"lines in a message":    {ecsAlert(eveA + "\n" + eveB), false},
		"envelope in a message": {ecsAlert(`{"detail":` + eveA + `}`), false},
		"message of an event":   {ecs(`"message"`, quoted(eveA)), false},
		"object of an event":    {ecs(`"data"`, eveA), false},
		"within an envelope":    {`{"_source":` + ecsAlert(eveA) + `}`, false},
		"within a list":         {`{"records":[` + ecsAlert(eveA) + `]}`, false},
		"original":              {original, true},
		"shipper":               {`{"@timestamp":"2026-03-02T08:15:30Z","message":` + quoted(eveA) + `}`, true},
		"list of a shipper":     {`{"message":` + quoted("["+eveA+","+eveB+"]") + `}`, true},
		"bridge":                {`{"version":"0","source":"x","detail":` + eveA + `}`, true},
		"hub":                   {`{"records":[` + eveA + `]}`, true},
		"topic":                 {`{"Type":"Notification","Message":` + quoted(eveA) + `}`, true},
		"collector":             {`{"sourcetype":"suricata","event":` + eveA + `}`, true},
		"container":             {`{"log":` + quoted(eveA) + `,"stream":"stdout"}`, true},
		"syslog":                {"<13>Mar  2 08:15:30 gw-1 suricata[1]: " + eveA, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := run(t, newNormalizer(t, nil), src, 0, []byte(c.record+"\n"+eveB))
			if len(b.Alerts) < 2 {
				t.Fatalf("%d alerts, rejects %+v", len(b.Alerts), b.Rejects)
			}
			for i := range b.Alerts {
				a := &b.Alerts[i]
				want := c.attested || i == len(b.Alerts)-1 // what follows is a document of its own
				if a.Format != "suricata_eve" || len(a.Entities) == 0 {
					t.Fatalf("alert %d: %s of %d entities", i, a.Format, len(a.Entities))
				}
				for _, e := range a.Entities {
					if e.Type == schema.EntityIP && e.Attested != want {
						t.Errorf("alert %d: %s is attested: %v", i, e.Key, e.Attested)
					}
				}
			}
		})
	}
}

// An alert that is accepted can be read by whoever comes next, whatever lists it
// holds: one that cannot would stop the hops behind for good.
func TestAcceptedAlertsCanBeRead(t *testing.T) {
	many := func(n int, form string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(form, i)
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	n := newNormalizer(t, func(c *Config) { c.MaxEntities = schema.MaxElements })
	for name, doc := range map[string]string{
		"techniques": with(`"smtp":{"mail_from":"a@corp.example"}`) + "\n" + strings.Replace(eveA, `"alert":{`, `"alert":{"metadata":{"mitre_technique_id":`+many(9999, "T%04d")+`},`, 1),
		"entities":   with(`"smtp":{"rcpt_to":` + many(9999, "u%d@corp.example") + `}`),
		"at most":    with(`"smtp":{"rcpt_to":` + many(schema.MaxElements-3, "u%d@corp.example") + `}`),
	} {
		t.Run(name, func(t *testing.T) {
			b := run(t, n, testSource(), 0, []byte(doc))
			if len(b.Alerts)+len(b.Rejects) == 0 {
				t.Fatal("nothing came of it")
			}
			for _, r := range b.Rejects {
				if r.Reason != schema.ReasonTooLarge {
					t.Errorf("rejected for %v: %s", r.Reason, r.Detail)
				}
			}
			for i := range b.Alerts {
				var back schema.Alert
				if err := back.DecodeWire(b.Alerts[i].AppendWire(nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if cfg := Default(); cfg.Validate() != nil {
		t.Error("the defaults are refused")
	} else if cfg.MaxEntities = schema.MaxElements + 1; cfg.Validate() == nil {
		t.Error("more entities than the wire form takes are allowed")
	}
}
