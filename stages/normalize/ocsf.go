package normalize

import (
	"strconv"

	"github.com/interdict/interdict/schema"
)

const (
	ocClass slot = iota
	ocCategory
	ocTypeUID
	ocActivity
	ocVersion
	ocVendor
	ocProduct
	ocEventCode
	ocMessage
	ocTime
	ocTimeDT
	ocStart
	ocEnd
	ocSeverity
	ocSeverityWord
	ocStatus
	ocState
	ocConfScore
	ocConfID
	ocVerdict
	ocDisposition
	ocAction
	ocUID
	ocTitle
	ocDesc
	ocTypes
	ocCreated
	ocModified
	ocFirst
	ocLast
	ocRuleUID
	ocRule
	ocAttacks
	ocTechnique
	ocSubTechnique
	ocTactic
	ocAccount
	ocResources
	ocResUID
	ocResName
	ocResType
	ocResHost
	ocResIP
	ocEvidences
	ocObservables
	ocObsName
	ocObsType
	ocObsValue
	ocMalwareHash

	// What follows stands in the event itself and in each of evidences[]: spots of
	// both, see spotPaths.
	ocSpot
	ocEvidenceSpot = ocSpot + spots
)

// The places of a spot, added to ocSpot or ocEvidenceSpot.
const (
	spDevHost slot = iota
	spDevUID
	spDevIP
	spSrcIP
	spSrcHost
	spSrcUID
	spDstIP
	spDstHost
	spDstUID
	spDstDomain
	spUser
	spUserUID
	spUserMail
	spActor
	spActorUID
	spActorMail
	spSession
	spPID
	spCommand
	spProcess
	spProcPath
	spProcUser
	spProcHashes
	spActorPID
	spActorCommand
	spActorProcess
	spFileName
	spFilePath
	spFileHashes
	spURL
	spQuery
	spMailFrom
	spMailTo
	spMailID
	spContainer
	spots
)

func spotPaths() []string {
	return []string{
		spDevHost: "device.hostname|device.name", spDevUID: "device.uid", spDevIP: "device.ip",
		spSrcIP: "src_endpoint.ip", spSrcHost: "src_endpoint.hostname|src_endpoint.name", spSrcUID: "src_endpoint.uid",
		spDstIP: "dst_endpoint.ip", spDstHost: "dst_endpoint.hostname|dst_endpoint.name", spDstUID: "dst_endpoint.uid", spDstDomain: "dst_endpoint.domain",
		spUser: "user.name|user.email_addr", spUserUID: "user.uid", spUserMail: "user.email_addr",
		spActor: "actor.user.name|actor.user.email_addr", spActorUID: "actor.user.uid", spActorMail: "actor.user.email_addr", spSession: "actor.session.uid",
		spPID: "process.pid", spCommand: "process.cmd_line", spProcess: "process.name", spProcPath: "process.file.path", spProcUser: "process.user.name",
		spProcHashes: "process.file.hashes[].value", spActorPID: "actor.process.pid", spActorCommand: "actor.process.cmd_line",
		spActorProcess: "actor.process.name|actor.process.file.path",
		spFileName:     "file.name", spFilePath: "file.path", spFileHashes: "file.hashes[].value", spURL: "url.url_string|http_request.url.url_string",
		spQuery: "query.hostname", spMailFrom: "email.from", spMailTo: "email.to[]", spMailID: "email.message_uid|email.uid", spContainer: "container.uid",
	}
}

// ocsf reads Detection Findings of OCSF 1.1 to 1.8, and the Security Findings
// (class 2001) that 1.0 had in their place.
func ocsf() format {
	f := format{
		FormatInfo: FormatInfo{"ocsf", "OCSF", "OCSF 1.0 to 1.8; class 2004 Detection Finding, and 2001 Security Finding of 1.0"},
		paths: []string{
			ocClass: "class_uid", ocCategory: "category_uid", ocTypeUID: "type_uid", ocActivity: "activity_id",
			ocVersion: "metadata.version", ocVendor: "metadata.product.vendor_name", ocProduct: "metadata.product.name", ocEventCode: "metadata.event_code",
			ocMessage: "message", ocTime: "time", ocTimeDT: "time_dt", ocStart: "start_time|start_time_dt", ocEnd: "end_time|end_time_dt",
			ocSeverity: "severity_id", ocSeverityWord: "severity", ocStatus: "status_id", ocState: "state_id",
			ocConfScore: "confidence_score|confidence", ocConfID: "confidence_id", ocVerdict: "verdict_id", ocDisposition: "disposition_id", ocAction: "action_id",
			ocUID: "finding_info.uid|finding.uid", ocTitle: "finding_info.title|finding.title", ocDesc: "finding_info.desc|finding.desc",
			ocTypes:    "finding_info.types[]|finding.types[]",
			ocCreated:  "finding_info.created_time|finding.created_time|finding_info.created_time_dt|finding.created_time_dt",
			ocModified: "finding_info.modified_time|finding.modified_time|finding_info.modified_time_dt|finding.modified_time_dt",
			ocFirst:    "finding_info.first_seen_time|finding.first_seen_time|finding_info.first_seen_time_dt|finding.first_seen_time_dt",
			ocLast:     "finding_info.last_seen_time|finding.last_seen_time|finding_info.last_seen_time_dt|finding.last_seen_time_dt",
			ocRuleUID:  "finding_info.analytic.uid|analytic.uid|rule.uid", ocRule: "finding_info.analytic.name|analytic.name|rule.name",
			ocAttacks:   "finding_info.attacks[]|attacks[]|finding.attacks[]",
			ocTechnique: "technique.uid", ocSubTechnique: "sub_technique.uid", ocTactic: "tactic.uid|tactics[].uid|tactic.name|tactics[].name",
			ocAccount:   "cloud.account.uid",
			ocResources: "resources[]", ocResUID: "resources[].uid", ocResName: "resources[].name", ocResType: "resources[].type",
			ocResHost: "resources[].hostname", ocResIP: "resources[].ip",
			ocEvidences: "evidences[]", ocObservables: "observables[]", ocObsName: "observables[].name", ocObsType: "observables[].type_id", ocObsValue: "observables[].value",
			ocMalwareHash: "malware[].files[].hashes[].value",
		},
		clauses: []clause{has(ocClass), hasAny(ocVersion, ocTypeUID, ocCategory), hasAny(ocActivity, ocSeverity, ocTypeUID)},
		alert:   func(d *doc) bool { return d.str(ocClass) == "2004" || d.str(ocClass) == "2001" },
		fill:    fillOCSF,
	}
	for _, p := range [...]slot{ocTechnique, ocSubTechnique, ocTactic} {
		f.paths[p] = under("finding_info.attacks[].", f.paths[p]) + "|" + under("attacks[].", f.paths[p]) + "|" + under("finding.attacks[].", f.paths[p])
	}
	f.paths = append(f.paths, spotPaths()...)
	for _, p := range spotPaths() {
		f.paths = append(f.paths, under("evidences[].", p))
	}
	return f
}

func fillOCSF(d *doc, a *schema.Alert) {
	a.VendorID = d.str(ocUID)
	a.Title, a.Desc, a.Type = d.firstOf(ocTitle, ocMessage), d.firstOf(ocDesc, ocMessage), d.str(ocTypes)
	a.RuleUID, a.Rule = d.firstOf(ocRuleUID, ocEventCode, ocRule), d.firstOf(ocRule, ocTitle)
	a.Vendor, a.Product = d.str(ocVendor), d.str(ocProduct)
	a.Created, a.Updated = d.created(ocCreated, ocTime, ocTimeDT), d.time(ocModified, ocTime, ocTimeDT)
	a.Start, a.End = d.time(ocFirst, ocStart), d.time(ocLast, ocEnd)
	if n, ok := d.int(ocSeverity); ok && n >= 0 && n <= int64(schema.SeverityFatal) {
		a.Severity = schema.Severity(n)
	} else {
		a.Severity = severityWord(d.str(ocSeverityWord))
	}
	if n, ok := d.int(ocConfScore); ok && n > 0 && n <= 100 {
		a.Confidence = uint8(n)
	} else {
		a.Confidence = confidence([...]string{"", "low", "medium", "high"}[ocsfLevel(d.str(ocConfID))])
	}
	switch d.firstOf(ocStatus, ocState) {
	case "1":
		a.Status = schema.AlertStatusNew
	case "2":
		a.Status = schema.AlertStatusInProgress
	case "3":
		a.Status = schema.AlertStatusSuppressed
	case "4":
		a.Status = schema.AlertStatusResolved
	}
	switch d.str(ocVerdict) {
	case "1":
		a.Verdict = schema.VerdictFalsePositive
	case "2", "8":
		a.Verdict = schema.VerdictMalicious
	case "4":
		a.Verdict = schema.VerdictSuspicious
	case "5", "3":
		a.Verdict = schema.VerdictBenign
	}
	switch d.str(ocDisposition) {
	case "2", "3", "4", "5", "6", "24", "25": // blocked, quarantined, isolated, deleted, dropped, access revoked, rejected
		a.Blocked = true
	default:
		a.Blocked = d.str(ocAction) == "2"
	}
	for it := d.each(ocAttacks); it.next(); {
		id := it.firstOf(ocSubTechnique, ocTechnique)
		named := false
		for t := it.each(ocTactic); t.next(); {
			if tactic := tacticID(t.text()); tactic != "" {
				d.technique(id, tactic)
				named = true
			}
		}
		if !named {
			d.technique(id, "")
		}
	}
	whole := d.whole()
	d.spot(&whole, ocSpot)
	for it := d.each(ocEvidences); it.next(); {
		d.spot(&it, ocEvidenceSpot)
	}
	ocsfResources(d)
	for it := d.each(ocMalwareHash); it.next(); {
		d.hash(schema.RoleRelated, it.text(), "")
	}
	for it := d.each(ocObservables); it.next(); {
		d.observable(it.str(ocObsName), it.str(ocObsType), it.str(ocObsValue))
	}
}

func ocsfLevel(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 3 {
		return 0
	}
	return n
}
