package normalize

import (
	"github.com/interdict/interdict/schema"
)

const (
	grODataType slot = iota
	grID
	grService
	grProduct
	grDetectionSource
	grDetector
	grPolicy
	grTitle
	grDesc
	grCategory
	grSeverity
	grStatus
	grClass
	grDetermination
	grCreated
	grUpdated
	grFirst
	grLast
	grTechniques

	grEvidence // one element of evidence[], and what is in it:
	grEvType
	grEvRoles
	grEvVerdict
	grEvRemediation
	grEvDetection
	grEvDevice
	grEvAADDevice
	grEvDNSName
	grEvHostName
	grEvLastIP
	grEvExternalIP
	grEvLoggedOn
	grEvLoggedOnName
	grEvLoggedOnDomain
	grEvAccount
	grEvSID
	grEvAAD
	grEvUPN
	grEvDisplay
	grEvIP
	grEvSrcIP
	grEvDestIP
	grEvSenderIP
	grEvURL
	grEvURLs
	grEvDomain
	grEvHash
	grEvFileName
	grEvFilePath
	grEvSHA1
	grEvSHA256
	grEvMD5
	grEvPID
	grEvCommand
	grEvParentPID
	grEvParentName
	grEvMailbox
	grEvMessage
	grEvSender
	grEvSender2
	grEvRecipient
	grEvApp
	grEvName
	grEvSPN
	grEvRegistry
	grEvHive
	grEvAzure
	grEvAmazon
	grEvAmazonAccount
	grEvGoogle
	grEvContainer
	grEvSession
)

// graph reads alerts_v2 of Microsoft Graph, which are also Defender XDR's.
func graph() format {
	f := format{
		FormatInfo: FormatInfo{"microsoft_graph_alerts_v2", "Microsoft", "Microsoft Graph security alerts_v2 (Defender XDR); every alert"},
		product:    "Microsoft Defender XDR",
		paths: []string{
			grODataType: `@odata\.type|at_sign_odata_type`, grID: "id", grService: "serviceSource", grProduct: "productName", grDetectionSource: "detectionSource",
			grDetector: "detectorId", grPolicy: "alertPolicyId", grTitle: "title", grDesc: "description", grCategory: "category",
			grSeverity: "severity", grStatus: "status", grClass: "classification", grDetermination: "determination",
			grCreated: "createdDateTime", grUpdated: "lastUpdateDateTime", grFirst: "firstActivityDateTime", grLast: "lastActivityDateTime",
			grTechniques: "mitreTechniques[]",
			grEvidence:   "evidence[]", grEvType: `@odata\.type|at_sign_odata_type`, grEvRoles: "roles[]", grEvVerdict: "verdict",
			grEvRemediation: "remediationStatus", grEvDetection: "detectionStatus",
			grEvDevice: "mdeDeviceId", grEvAADDevice: "azureAdDeviceId", grEvDNSName: "deviceDnsName|deviceName|host.deviceDnsName", grEvHostName: "hostName",
			grEvLastIP: "lastIpAddress", grEvExternalIP: "lastExternalIpAddress", grEvLoggedOn: "loggedOnUsers[]",
			grEvLoggedOnName: "loggedOnUsers[].accountName", grEvLoggedOnDomain: "loggedOnUsers[].domainName",
			grEvAccount: "userAccount.accountName|account.accountName|account.userAccount.accountName",
			grEvSID:     "userAccount.userSid|account.userSid|account.userAccount.userSid", grEvAAD: "userAccount.azureAdUserId|account.azureAdUserId|account.userAccount.azureAdUserId",
			grEvUPN: "userAccount.userPrincipalName|account.userPrincipalName|account.userAccount.userPrincipalName", grEvDisplay: "userAccount.displayName|account.displayName",
			grEvIP: "ipAddress|ipAddress.ipAddress", grEvSrcIP: "sourceAddress.ipAddress", grEvDestIP: "destinationAddress.ipAddress", grEvSenderIP: "senderIp",
			grEvURL: "url", grEvURLs: "urls[]", grEvDomain: "domainName", grEvHash: "value",
			grEvFileName: "fileDetails.fileName|imageFile.fileName", grEvFilePath: "fileDetails.filePath|imageFile.filePath",
			grEvSHA1: "fileDetails.sha1|imageFile.sha1", grEvSHA256: "fileDetails.sha256|imageFile.sha256", grEvMD5: "fileDetails.md5|imageFile.md5",
			grEvPID: "processId", grEvCommand: "processCommandLine", grEvParentPID: "parentProcessId", grEvParentName: "parentProcessImageFile.fileName",
			grEvMailbox: "primaryAddress", grEvMessage: "internetMessageId|networkMessageId", grEvSender: "p1Sender.emailAddress", grEvSender2: "p2Sender.emailAddress",
			grEvRecipient: "recipientEmailAddress", grEvApp: "appId", grEvName: "displayName|name|resourceName", grEvSPN: "servicePrincipalName",
			grEvRegistry: "registryKey", grEvHive: "registryHive", grEvAzure: "resourceId", grEvAmazon: "amazonResourceId", grEvAmazonAccount: "amazonAccountId",
			grEvGoogle: "fullResourceName", grEvContainer: "containerId", grEvSession: "sessionId",
		},
		clauses: []clause{has(grID), has(grCreated), has(grService), hasAny(grSeverity, grStatus), hasAny(grTitle, grCategory)},
		alert:   func(*doc) bool { return true },
		fill:    fillGraph,
	}
	for p := grEvType; p <= grEvSession; p++ {
		f.paths[p] = under("evidence[].", f.paths[p])
	}
	return f
}

func fillGraph(d *doc, a *schema.Alert) {
	a.VendorID, a.Title, a.Desc, a.Type = d.str(grID), d.str(grTitle), d.str(grDesc), d.str(grCategory)
	a.RuleUID, a.Rule, a.Product = d.firstOf(grDetector, grPolicy, grTitle), a.Title, d.firstOf(grProduct, grService)
	a.Created, a.Updated = d.created(grCreated), d.time(grUpdated)
	a.Start, a.End = d.time(grFirst), d.time(grLast)
	a.Severity = severityWord(d.str(grSeverity))
	switch d.str(grStatus) {
	case "new":
		a.Status = schema.AlertStatusNew
	case "inProgress":
		a.Status = schema.AlertStatusInProgress
	case "resolved":
		a.Status = schema.AlertStatusResolved
	}
	switch d.str(grClass) {
	case "falsePositive":
		a.Verdict = schema.VerdictFalsePositive
	case "truePositive":
		a.Verdict = schema.VerdictMalicious
	case "informationalExpectedActivity", "benignPositive":
		a.Verdict = schema.VerdictBenign
	default:
		if d.str(grDetermination) == "notMalicious" {
			a.Verdict = schema.VerdictBenign
		}
	}
	for it := d.each(grTechniques); it.next(); {
		d.technique(it.text(), "")
	}
	d.technique("", a.Type)

	// Stopped, if something was and nothing is said to go on.
	stopped, active := false, false
	for it := d.each(grEvidence); it.next(); {
		switch it.str(grEvRemediation) {
		case "prevented", "blocked":
			stopped = true
		case "active", "unremediated", "partiallyRemediated":
			active = true
		}
		switch it.str(grEvDetection) {
		case "prevented", "blocked":
			stopped = true
		case "detected":
			active = true
		}
		d.evidence(&it)
	}
	a.Blocked = stopped && !active
}

// severityWord reads the severities of Microsoft and OCSF.
func severityWord(s string) schema.Severity {
	var b [16]byte
	if len(s) > len(b) {
		return schema.SeverityUnknown
	}
	for i := range len(s) {
		b[i] = s[i] | 0x20
	}
	switch string(b[:len(s)]) {
	case "informational":
		return schema.SeverityInformational
	case "low":
		return schema.SeverityLow
	case "medium":
		return schema.SeverityMedium
	case "high":
		return schema.SeverityHigh
	case "critical":
		return schema.SeverityCritical
	case "fatal":
		return schema.SeverityFatal
	}
	return schema.SeverityUnknown
}
