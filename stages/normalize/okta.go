package normalize

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

const (
	okUUID slot = iota
	okPublished
	okType
	okMessage
	okSeverity
	okResult
	okReason
	okActor
	okActorID
	okActorAlt
	okActorName
	okActorType
	okIP
	okChain
	okChainIP
	okTargets
	okTargetID
	okTargetAlt
	okTargetName
	okTargetType
	okSession
	okDeviceID
	okDeviceName
	okSuspected
	okRisk
	okThreats
	okReportedIP
)

// okta reads the System Log.
func okta() format {
	return format{
		FormatInfo: FormatInfo{"okta_system_log", "Okta", "Okta System Log; events by which Okta or a user reports a threat, failed sign-ins, and grants of privilege"},
		product:    "Okta System Log",
		paths: []string{
			okUUID: "uuid", okPublished: "published", okType: "eventType", okMessage: "displayMessage",
			okSeverity: "severity", okResult: "outcome.result", okReason: "outcome.reason",
			okActor: "actor", okActorID: "actor.id", okActorAlt: "actor.alternateId", okActorName: "actor.displayName", okActorType: "actor.type",
			okIP: "client.ipAddress", okChain: "request.ipChain[]", okChainIP: "request.ipChain[].ip",
			okTargets: "target[]", okTargetID: "target[].id", okTargetAlt: "target[].alternateId", okTargetName: "target[].displayName", okTargetType: "target[].type",
			okSession:  "authenticationContext.externalSessionId",
			okDeviceID: "device.id", okDeviceName: "device.name",
			okSuspected:  "debugContext.debugData.threatSuspected",
			okRisk:       "debugContext.debugData.risk|debugContext.debugData.riskLevel",
			okThreats:    "debugContext.debugData.threatDetections",
			okReportedIP: "debugContext.debugData.suspiciousActivityEventIp",
		},
		clauses: []clause{has(okUUID), has(okType), has(okPublished), hasAny(okActor, okResult), hasAny(okMessage, okSeverity)},
		alert:   func(d *doc) bool { _, ok := oktaAlert(d); return ok },
		fill:    fillOkta,
	}
}

// lowerTop spells a path as shippers do that put the top-level names in lower
// case.
func lowerTop(path string) string {
	top, rest, found := strings.Cut(path, ".")
	if top = strings.ToLower(top); found {
		top += "."
	}
	return top + rest
}

// oktaAlert is the predicate: the least severity of an event that is an alert,
// ok false for the rest of the log.
func oktaAlert(d *doc) (least schema.Severity, ok bool) {
	switch event := d.str(okType); event {
	case "security.threat.detected", "user.account.report_suspicious_activity_by_enduser", "user.mfa.attempt_bypass",
		"security.breached_credential.detected", "app.oauth2.token.detect_reuse", "app.oauth2.as.token.detect_reuse",
		"user.session.impersonation.initiate":
		return schema.SeverityHigh, true
	case "user.risk.detect", "user.risk.change", "policy.entity_risk.action", "policy.auth_reevaluate.fail", "security.request.blocked",
		"app.generic.unauth_app_access_attempt", "user.session.impersonation.grant", "user.authentication.reject",
		"user.account.privilege.grant", "group.privilege.grant", "system.idp.lifecycle.create", "system.api_token.create",
		"user.mfa.factor.reset_all", "user.mfa.factor.suspend", "zone.make_blacklist":
		return schema.SeverityMedium, true
	case "user.account.lock", "user.account.lock.limit", "system.operation.rate_limit.violation", "system.org.rate_limit.violation":
		return schema.SeverityLow, true
	default:
		if strings.HasPrefix(event, "security.attack.") {
			return schema.SeverityHigh, true
		}
		if d.str(okSuspected) == "true" {
			return schema.SeverityHigh, true
		}
		if riskLevel(d.str(okRisk)) == schema.SeverityHigh {
			return schema.SeverityMedium, true
		}
		failed := d.str(okResult) == "FAILURE" || d.str(okResult) == "DENY"
		if failed && (event == "user.session.start" || strings.HasPrefix(event, "user.authentication.")) {
			return schema.SeverityLow, true
		}
	}
	return schema.SeverityUnknown, false
}

// riskLevel reads "HIGH" and Okta's "{reasons=..., level=HIGH}".
func riskLevel(s string) schema.Severity {
	if _, level, ok := strings.Cut(s, "level="); ok {
		s = cutPrefixOf(cutPrefixOf(level, ","), "}")
	}
	switch strings.TrimSpace(s) {
	case "HIGH":
		return schema.SeverityHigh
	case "MEDIUM":
		return schema.SeverityMedium
	case "LOW":
		return schema.SeverityLow
	}
	return schema.SeverityUnknown
}

func fillOkta(d *doc, a *schema.Alert) {
	a.VendorID, a.Type, a.RuleUID = d.str(okUUID), d.str(okType), d.str(okType)
	a.Title, a.Rule, a.Desc = d.firstOf(okMessage, okType), d.firstOf(okMessage, okType), d.firstOf(okThreats, okReason)
	a.Created = d.created(okPublished)
	a.Start, a.End = a.Created, a.Created
	least, _ := oktaAlert(d)
	said := schema.SeverityInformational
	switch d.str(okSeverity) {
	case "WARN":
		said = schema.SeverityMedium
	case "ERROR":
		said = schema.SeverityHigh
	}
	a.Severity = max(least, said, riskLevel(d.str(okRisk)))
	a.Blocked = d.str(okResult) == "DENY"

	// A sign-in that failed is something done to the account it names.
	actor := schema.RoleActor
	if a.Blocked || d.str(okResult) == "FAILURE" {
		actor = schema.RoleTarget
	}
	oktaUser(d, actor, d.str(okActorType), d.str(okActorAlt), d.str(okActorName), d.str(okActorID))
	d.ip(schema.RoleSource, d.str(okIP))
	d.reported(func() { // by X-Forwarded-For, and by the user
		for it := d.each(okChain); it.next(); {
			d.ip(schema.RoleSource, it.str(okChainIP))
		}
		d.ip(schema.RoleSource, d.str(okReportedIP))
	})
	for it := d.each(okTargets); it.next(); {
		oktaUser(d, schema.RoleTarget, it.str(okTargetType), it.str(okTargetAlt), it.str(okTargetName), it.str(okTargetID))
	}
	if id := d.str(okDeviceID); id != "" {
		// Okta's device name may be a model; only the id tells devices apart.
		d.add(schema.EntityHost, schema.RoleRelated, d.n.arena.lower(clean(id)), id, d.str(okDeviceName))
	}
	d.other(schema.EntitySession, schema.RoleRelated, d.str(okSession), "")
}

// oktaUser adds an actor or a target by its type.
func oktaUser(d *doc, role schema.Role, kind, alternate, display, id string) {
	switch kind {
	case "User", "AppUser", "SystemPrincipal", "PublicClientApp":
		name := clean(alternate)
		if name == "" {
			name = clean(display)
		}
		if name == "" {
			name = id
		}
		d.user(role, name, id)
		if kind == "User" {
			d.mailbox(schema.RoleRelated, alternate)
		}
	case "AppInstance":
		if id == "" {
			id = display
		}
		d.other(schema.EntityApplication, role, id, display)
	}
}
