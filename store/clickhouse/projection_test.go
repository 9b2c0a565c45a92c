package clickhouse_test

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestProjections forces the engine to answer by a projection: access by time and
// by incident must not read a tenant's whole table.
func TestProjections(t *testing.T) {
	s := open(t)
	st := newStory("acme")
	st.tell(newTopics(t, s))
	force := " SETTINGS force_optimize_projection = 1"
	equal(t, "alerts by time", value(t, s, "SELECT toString(groupArray(alert_id)) FROM (SELECT alert_id FROM alerts WHERE tenant = 'acme' AND created >= toDateTime64('"+
		(noon-2*schema.Hour).Time().Format("2006-01-02 15:04:05")+"', 3, 'UTC'))"+force), "['"+uuidText(st.noise.ID)+"']")
	equal(t, "members by incident", value(t, s, "SELECT toString(arraySort(groupUniqArray(alert_id)) = arraySort(["+
		"toUUID('"+uuidText(st.mail.ID)+"'), toUUID('"+uuidText(st.shell.ID)+"'), toUUID('"+uuidText(st.lateral.ID)+"')])) FROM "+
		"(SELECT alert_id FROM incident_members WHERE tenant = 'acme' AND incident_id = toUUID('"+st.incident.ID.String()+"'))"+force), "1")
	// They survive a merge that replaces rows.
	for _, table := range []string{"alerts", "incident_members"} {
		if _, err := s.Query(t.Context(), "OPTIMIZE TABLE "+table+" FINAL", nil); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "after a merge", value(t, s, "SELECT count() FROM (SELECT alert_id FROM alerts WHERE tenant = 'acme' AND created >= toDateTime64(0, 3, 'UTC'))"+force), "4")
}

func uuidText(id schema.AlertID) string { return schema.IncidentID(id).String() }
