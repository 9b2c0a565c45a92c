package schema_test

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/schema/ocsf"
)

// TestOCSFValid holds the output to the requirement tables of OCSF 1.8: an
// entity of every type in every role, alone and all together, and incidents.
func TestOCSFValid(t *testing.T) {
	v, err := ocsf.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, event []byte) {
		t.Helper()
		for _, p := range v.Validate(event) {
			t.Errorf("%s: %s\n%s", name, p, event)
		}
	}
	key := func(e schema.EntityType) string {
		switch e {
		case schema.EntityIP:
			return "192.0.2.1"
		case schema.EntityMailbox:
			return "a@acme.example"
		case schema.EntityURL:
			return "http://acme.example/x"
		case schema.EntityDomain, schema.EntityHost:
			return "web-1.acme.example"
		case schema.EntityTLSFingerprint:
			return "ja4:t13d1516h2_8daaf6152771_02713d6af862"
		}
		return "d41d8cd98f00b204e9800998ecf8427e"
	}
	all := *sampleAlert()
	for e := schema.EntityUnknown; e <= schema.EntityMutex; e++ {
		for r := schema.RoleRelated; r <= schema.RoleC2; r++ {
			one := *sampleAlert()
			one.Entities = []schema.Entity{{Type: e, Role: r, Key: key(e), UID: "uid-1", Name: "name", Port: 8443}}
			check(e.String()+" as "+r.String(), schema.AppendOCSFAlert(nil, &one))
			all.Entities = append(all.Entities, one.Entities[0], schema.Entity{Type: e, Role: r, Key: key(e)})
		}
	}
	check("all", schema.AppendOCSFAlert(nil, &all))
	check("bare alert", schema.AppendOCSFAlert(nil, &schema.Alert{ID: all.ID, Created: 1}))
	h, members := sampleIncident()
	check("incident", schema.AppendOCSFIncident(nil, h, members))
	for s := schema.IncidentUnknown; s <= schema.IncidentClosed; s++ {
		check("bare incident "+s.String(), schema.AppendOCSFIncident(nil, &schema.Incident{Status: s, Last: 1}, members[:1]))
	}
}
