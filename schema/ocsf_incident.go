package schema

import "strings"

// AppendOCSFIncident appends h and its members, all of them, as an OCSF 1.8.0
// Incident Finding (2005): one JSON object without a newline. Each member is an
// element of finding_info_list: uid is the vendor's id, uid_alt the alert's. What
// OCSF has no attribute for stands in unmapped.
func AppendOCSFIncident(dst []byte, h *Incident, members []Member) []byte {
	w := jsonWriter{dst}
	activity := int64(ocsfActivityCreate)
	if h.Status == IncidentClosed {
		activity = ocsfActivityClose
	}
	w.class(ocsfIncidentFinding, activity)
	w.num("severity_id", int64(h.Severity))
	w.num("status_id", int64(h.Status))
	w.num("time", int64(h.Last))
	w.time("start_time", h.First)
	w.time("end_time", h.Last)
	w.str("desc", h.Title)
	w.num("priority_id", priorityLevel(h.Priority))
	if h.Classification != "" {
		w.str("verdict", h.Classification)
		w.num("verdict_id", classificationVerdict(h.Classification))
	}
	w.object("metadata")
	w.str("version", ocsfVersion)
	w.incidentID("uid", h.ID)
	w.str("tenant_uid", h.Tenant)
	w.object("product")
	w.str("name", "Interdict")
	w.str("vendor_name", "Interdict")
	w.end('}')
	w.array("profiles")
	w.text("incident")
	w.end(']')
	w.end('}')
	w.assignment(h)
	if len(h.Tickets) > 0 {
		w.array("tickets")
		for _, t := range h.Tickets {
			w.element()
			w.str("uid", t)
			w.end('}')
		}
		w.end(']')
	}
	w.attacks(h.Techniques)
	w.findings(members)
	if len(h.Entities) > 0 {
		w.array("observables")
		for _, e := range h.Entities {
			w.observable(e, "") // of no one attribute
		}
		w.end(']')
	}
	w.incidentUnmapped(h, members)
	w.end('}')
	return w.b
}

// priorityLevel gives OCSF's priority_id, low to critical, by quarters; unknown
// for zero.
func priorityLevel(priority uint8) int64 {
	switch {
	case priority == 0:
		return 0
	case priority < 25:
		return 1
	case priority < 50:
		return 2
	case priority < 75:
		return 3
	}
	return 4
}

// classificationVerdict gives OCSF's verdict_id for the words analysts close
// incidents with; other for the rest.
func classificationVerdict(c string) int64 {
	switch strings.ToLower(c) {
	case "true_positive":
		return 2
	case "false_positive":
		return 1
	case "benign", "benign_positive", "informational":
		return 5
	}
	return 99
}

// assignment writes who has the incident. OCSF wants one of the two attributes
// even when no one has.
func (w *jsonWriter) assignment(h *Incident) {
	if h.Assignee != "" {
		w.object("assignee")
		w.str("name", h.Assignee)
		w.end('}')
	}
	if h.Group != "" || h.Assignee == "" {
		w.object("assignee_group")
		w.str("name", firstOf(h.Group, "unassigned"))
		w.end('}')
	}
}

func (w *jsonWriter) findings(members []Member) {
	w.array("finding_info_list")
	for i := range members {
		m := &members[i]
		w.element()
		if m.VendorID != "" {
			w.str("uid", m.VendorID)
		} else {
			w.alertID("uid", m.Alert)
		}
		w.alertID("uid_alt", m.Alert)
		w.str("title", m.Title)
		w.time("created_time", m.Created)
		if m.Source != "" {
			w.array("data_sources")
			w.text(m.Source)
			w.end(']')
		}
		w.end('}')
	}
	w.end(']')
}

func (w *jsonWriter) incidentUnmapped(h *Incident, members []Member) {
	w.object("unmapped")
	w.str("disposition", h.Disposition.String())
	w.num("level", int64(h.Level))
	w.alertID("founder", h.Founder)
	w.incidentID("redirect_to", h.RedirectTo)
	w.incidentID("campaign", h.Campaign)
	w.bigNum("version", h.Version)
	w.num("slice", int64(h.Slice))
	w.flag("final", h.Final)
	w.flag("touched", h.Touched)
	w.flag("suggested_split", h.Suggested)
	w.num("alerts", int64(h.Alerts))
	w.num("routine", int64(h.Routine))
	w.num("priority", int64(h.Priority))
	if len(h.Factors) > 0 {
		w.array("factors")
		for i := range h.Factors {
			w.element()
			w.str("name", h.Factors[i].Name)
			w.num("points", int64(h.Factors[i].Points))
			w.end('}')
		}
		w.end(']')
	}
	w.strs("sources", h.Sources)
	w.strs("tags", h.Tags)
	w.strs("scopes", h.Scopes)
	w.array("members")
	for i := range members {
		m := &members[i]
		w.element()
		w.alertID("alert", m.Alert)
		w.str("reason", m.Reason.String())
		w.str("key", m.Key)
		w.alertID("peer", m.Peer)
		w.num("distance_ms", int64(m.Distance))
		w.num("level", int64(m.Level))
		w.num("weight", int64(m.Weight))
		w.flag("late", m.Late)
		w.num("severity_id", int64(m.Severity))
		w.end('}')
	}
	w.end(']')
	w.end('}')
}
