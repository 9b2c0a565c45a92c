package schema

// OCSFExtra is what may be written besides an alert's own fields.
type OCSFExtra struct {
	Raw bool // the document as received, as raw_data
	// Unmapped is a JSON object with what of the document no field holds; nil: none.
	Unmapped []byte
}

// AppendOCSFAlert appends a as an OCSF 1.8.0 Detection Finding (2004): one JSON
// object without a newline. finding_info.uid is the vendor's id and metadata.uid
// the alert's. The raw document is not repeated. It allocates nothing when dst
// has room.
func AppendOCSFAlert(dst []byte, a *Alert) []byte {
	return AppendOCSFAlertWith(dst, a, OCSFExtra{})
}

// AppendOCSFAlertWith is AppendOCSFAlert with extras.
func AppendOCSFAlertWith(dst []byte, a *Alert, extra OCSFExtra) []byte {
	w := jsonWriter{dst}
	w.class(ocsfDetectionFinding, ocsfActivityCreate)
	w.num("severity_id", int64(a.Severity))
	w.num("time", int64(a.Created))
	w.time("start_time", a.Start)
	w.time("end_time", a.End)
	w.numIf("status_id", int64(a.Status))
	w.numIf("confidence_score", int64(a.Confidence))
	w.numIf("verdict_id", a.Verdict.ocsf())
	w.flag("is_alert", true)
	if a.Blocked {
		w.num("action_id", 2)      // denied
		w.num("disposition_id", 2) // blocked
	}
	w.alertMetadata(a)
	w.findingInfo(a)
	w.affected(a.Entities)
	w.evidences(a.Entities)
	w.observables(a.Entities)
	w.enrichments(a)
	w.object("unmapped")
	w.str("format", a.Format)
	if len(extra.Unmapped) > 2 {
		w.raw("fields", extra.Unmapped)
	}
	if r := &a.RawRef; r.Topic != "" {
		w.object("raw_ref")
		w.str("topic", r.Topic)
		w.num("partition", int64(r.Partition))
		w.num("offset", r.Offset)
		w.num("doc", int64(r.Doc))
		w.end('}')
	}
	w.end('}')
	if extra.Raw {
		w.str("raw_data", string(a.Raw))
	}
	w.end('}')
	return w.b
}

// ocsf gives OCSF's verdict_id.
func (v Verdict) ocsf() int64 {
	switch v {
	case VerdictMalicious:
		return 2 // true positive
	case VerdictSuspicious:
		return 4
	case VerdictBenign:
		return 5
	case VerdictFalsePositive:
		return 1
	}
	return 0
}

func (w *jsonWriter) alertMetadata(a *Alert) {
	w.object("metadata")
	w.str("version", ocsfVersion)
	w.alertID("uid", a.ID)
	w.str("tenant_uid", a.Tenant)
	w.str("log_name", a.Source)
	w.time("logged_time", a.Ingested)
	w.incidentID("correlation_uid", a.Incident)
	w.object("product")
	w.str("name", firstOf(a.Product, a.Vendor, a.Format, "unknown"))
	w.str("vendor_name", a.Vendor)
	w.end('}')
	if a.Blocked || a.Verdict != VerdictUnknown {
		w.array("profiles")
		if a.Verdict != VerdictUnknown {
			w.comma()
			w.text("incident") // has verdict_id
		}
		if a.Blocked {
			w.comma()
			w.text("security_control") // has action_id and disposition_id
		}
		w.end(']')
	}
	first := true
	for i := range a.Entities {
		e := &a.Entities[i]
		if e.Role != RoleSensor {
			continue
		}
		if first {
			w.array("loggers")
			first = false
		}
		w.element()
		w.str("name", firstOf(e.Name, e.Key))
		w.str("uid", e.UID)
		w.end('}')
	}
	if !first {
		w.end(']')
	}
	w.end('}')
}

func (w *jsonWriter) findingInfo(a *Alert) {
	w.object("finding_info")
	if a.VendorID != "" {
		w.str("uid", a.VendorID)
	} else {
		w.alertID("uid", a.ID)
	}
	w.str("title", a.Title)
	w.str("desc", a.Desc)
	if a.Type != "" {
		w.array("types")
		w.text(a.Type)
		w.end(']')
	}
	w.time("created_time", a.Created)
	w.time("modified_time", a.Updated)
	w.time("first_seen_time", a.Start)
	w.time("last_seen_time", a.End)
	if a.Rule != "" || a.RuleUID != "" {
		w.object("analytic")
		w.str("uid", a.RuleUID)
		w.str("name", a.Rule)
		w.num("type_id", 1) // rule
		w.end('}')
	}
	w.attacks(a.Techniques)
	w.end('}')
}

// affected writes the device and the resources that the activity was aimed at.
func (w *jsonWriter) affected(entities []Entity) {
	var device *Entity
	targets := 0
	for i := range entities {
		e := &entities[i]
		if e.Type == EntityHost && (e.Role == RoleTarget && (device == nil || device.Role != RoleTarget) ||
			e.Role == RoleRelated && device == nil) {
			device = e
		}
		if e.isTargetResource() {
			targets++
		}
	}
	if device != nil {
		w.device(device)
	}
	if targets == 0 {
		return
	}
	w.array("resources")
	for i := range entities {
		if e := &entities[i]; e.isTargetResource() {
			w.resource(e)
		}
	}
	w.end(']')
}

func (e *Entity) isTargetResource() bool {
	if e.Role != RoleTarget {
		return false
	}
	switch e.Type {
	case EntityHost, EntityUser, EntityMailbox, EntityCloudResource, EntityCloudAccount, EntityApplication, EntityContainer:
		return true
	}
	return false
}

// enrichments writes what threat intelligence said of the alert's entities.
func (w *jsonWriter) enrichments(a *Alert) {
	if len(a.Matches) == 0 {
		return
	}
	w.array("enrichments")
	for i := range a.Matches {
		m := &a.Matches[i]
		w.element()
		w.str("name", "indicator")
		w.key("value")
		w.text(m.Value)
		w.str("provider", m.Feed)
		w.str("type", m.Type.String())
		w.object("data")
		w.str("indicator", m.Indicator)
		w.str("feed", m.Feed)
		if int(m.Entity) < len(a.Entities) {
			w.str("observable", a.Entities[m.Entity].Key)
		}
		w.str("verdict", m.Verdict.String())
		w.str("severity", m.Severity.String())
		w.num("confidence", int64(m.Confidence))
		w.str("tlp", m.TLP.String())
		if m.Wish != WishNone {
			w.str("wish", m.Wish.String())
		}
		w.flag("counts", m.Counts())
		w.str("demoted", m.Demoted)
		if m.Retro {
			w.flag("retro", true)
		}
		w.threats(m.Threats)
		w.bigNum("snapshot", m.Snapshot)
		w.end('}')
		w.end('}')
	}
	w.end(']')
}

// threats writes what is behind an indicator.
func (w *jsonWriter) threats(list []Threat) {
	if len(list) == 0 {
		return
	}
	w.array("threats")
	for i := range list {
		w.element()
		w.str("kind", list[i].Kind.String())
		w.str("uid", list[i].ID)
		w.str("name", list[i].Name)
		w.end('}')
	}
	w.end(']')
}

// firstOf gives the first string that is not empty.
func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
