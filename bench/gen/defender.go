package gen

import "strconv"

const graphTime = "2006-01-02T15:04:05.0000000Z"

var graphSeverity = [...]string{"unknown", "informational", "low", "medium", "high", "high"}

// productName goes with a serviceSource.
func productName(service string) string {
	switch service {
	case "microsoftDefenderForOffice365":
		return "Microsoft Defender for Office 365"
	case "microsoftDefenderForIdentity":
		return "Microsoft Defender for Identity"
	case "microsoftDefenderForCloudApps":
		return "Microsoft Defender for Cloud Apps"
	case "azureAdIdentityProtection":
		return "Microsoft Entra ID Protection"
	default:
		return "Microsoft Defender for Endpoint"
	}
}

// defender writes a microsoft.graph.security.alert (alerts_v2). incidentId is the
// vendor's own grouping; here it is noise, since it would give the truth away.
func (w *World) defender(e *enc, ev *event, ru *rule) {
	incident := strconv.FormatUint(1000+ev.id%900_000, 10)
	e.obj("")
	e.str("@odata.type", "#microsoft.graph.security.alert")
	e.begin("id")
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.begin("providerAlertId")
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.str("incidentId", incident)
	e.str("status", "new")
	e.str("severity", graphSeverity[ru.severity])
	e.null("classification")
	e.null("determination")
	e.str("serviceSource", ru.detail)
	e.str("detectionSource", detectionSource(ru))
	e.str("productName", productName(ru.detail))
	e.str("detectorId", ru.id)
	e.uuid("tenantId", w.ids.azureTenant)
	e.str("title", ru.title)
	e.begin("description")
	e.text(ru.title)
	e.text(". This may be part of an attack; check whether the activity was expected.")
	e.finish()
	e.str("recommendedActions", "Ask the owner; if the activity was not expected, contain the device and the account.")
	e.str("category", graphCategory(ru))
	e.null("assignedTo")
	e.begin("alertWebUrl")
	e.b = append(e.b, "https://security.microsoft.com/alerts/"...)
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.null("actorDisplayName")
	e.null("threatDisplayName")
	e.null("threatFamilyName")
	e.arr("mitreTechniques")
	if ru.technique != "" {
		e.str("", ru.technique)
	}
	e.endArr()
	e.instant("createdDateTime", ev.created, graphTime)
	e.instant("lastUpdateDateTime", ev.created, graphTime)
	e.null("resolvedDateTime")
	e.instant("firstActivityDateTime", ev.at, graphTime)
	e.instant("lastActivityDateTime", ev.at, graphTime)
	e.raw("systemTags", "[]")
	e.raw("comments", "[]")
	e.arr("evidence")
	w.graphEvidence(e, ev, ru)
	e.endArr()
	e.endObj()
}

func graphCategory(ru *rule) string {
	if ru.technique == "T1486" {
		return "Ransomware"
	}
	return tactics[ru.tactic].category
}

func detectionSource(ru *rule) string {
	if ru.has&hasFile != 0 && ru.severity <= 2 {
		return "antivirus"
	}
	return ru.detail
}

// graphEvidence writes the evidence that was not lost.
func (w *World) graphEvidence(e *enc, ev *event, ru *rule) {
	c := ev.carries
	if c&hasHost != 0 {
		w.deviceEvidence(e, ev, ev.host, "attacked")
	}
	if c&hasPeer != 0 {
		w.deviceEvidence(e, ev, ev.peer, "destination")
	}
	if c&hasUser != 0 {
		w.evidence(e, ev, "user", "compromised")
		w.userAccount(e, ev.user)
		e.endObj()
	}
	if c&hasProcess != 0 {
		w.processEvidence(e, ev, ru)
	}
	if c&hasFile != 0 {
		w.evidence(e, ev, "file", "")
		e.str("detectionStatus", "detected")
		if c&hasHost != 0 {
			e.hex("mdeDeviceId", w.hostID(ev.host), sha1Digits)
		}
		e.obj("fileDetails")
		fileDetails(e, ev.hash, `C:\Users\Public`)
		e.endObj()
		e.endObj()
	}
	if c&hasRemote != 0 {
		w.evidence(e, ev, "ip", "")
		e.ip("ipAddress", ev.remote)
		code, _, _ := country(ev.remote)
		e.str("countryLetterCode", code)
		e.endObj()
	}
	if c&hasDomain != 0 {
		w.evidence(e, ev, "url", "")
		e.begin("url")
		e.b = append(e.b, "https://dl."...)
		e.b = appendDomain(e.b, ev.domain)
		e.b = append(e.b, "/s/"...)
		e.b = appendHex(e.b, ev.id, 8)
		e.finish()
		e.endObj()
	}
	if c&hasMailbox != 0 {
		w.mailEvidence(e, ev)
	}
}

// evidence opens one element and writes what all kinds share.
func (w *World) evidence(e *enc, ev *event, kind, role string) {
	e.obj("")
	e.begin("@odata.type")
	e.b = append(e.b, "#microsoft.graph.security."...)
	e.b = append(e.b, kind...)
	e.b = append(e.b, "Evidence"...)
	e.finish()
	e.instant("createdDateTime", ev.created, graphTime)
	e.str("verdict", "suspicious")
	e.str("remediationStatus", "none")
	e.null("remediationStatusDetails")
	e.arr("roles")
	if role != "" {
		e.str("", role)
	}
	e.endArr()
	e.raw("tags", "[]")
}

func (w *World) deviceEvidence(e *enc, ev *event, i int32, role string) {
	h := &w.fleet.hosts[i]
	w.evidence(e, ev, "device", role)
	e.instant("firstSeenDateTime", w.start-30*24*hour, graphTime)
	e.hex("mdeDeviceId", w.hostID(i), sha1Digits)
	e.uuid("azureAdDeviceId", w.hostID(i))
	e.begin("deviceDnsName")
	e.text(h.name)
	e.text("." + dnsSuffix)
	e.finish()
	e.str("hostName", h.name)
	e.str("ntDomain", "CORP")
	e.str("dnsDomain", dnsSuffix)
	e.str("osPlatform", [...]string{"Windows11", "WindowsServer2022", "Linux"}[osIndex(h)])
	e.str("healthStatus", "active")
	e.str("riskScore", graphSeverity[w.rule(ev).severity])
	e.str("onboardingStatus", "onboarded")
	e.str("defenderAvStatus", "updated")
	e.arr("loggedOnUsers")
	if ev.carries&hasUser != 0 {
		e.obj("")
		e.str("accountName", w.accounts.list[ev.user].name)
		e.str("domainName", w.domainOf(ev.user))
		e.endObj()
	}
	e.endArr()
	e.arr("ipInterfaces")
	e.ip("", w.fleet.addrAt(i, ev.at))
	e.endArr()
	e.ip("lastIpAddress", w.fleet.addrAt(i, ev.at))
	e.ip("lastExternalIpAddress", w.fleet.egress(i))
	e.endObj()
}

func osIndex(h *host) int {
	switch h.class {
	case Workstation:
		return 0
	case CloudInstance, VulnScanner:
		return 2
	default:
		return 1
	}
}

func (w *World) userAccount(e *enc, user int32) {
	a := &w.accounts.list[user]
	e.obj("userAccount")
	e.str("accountName", a.name)
	e.str("domainName", w.domainOf(user))
	w.sid(e, "userSid", user)
	if a.upn != "" {
		e.uuid("azureAdUserId", w.userID(user))
		e.str("userPrincipalName", a.upn)
	}
	e.str("displayName", a.display)
	e.endObj()
}

func (w *World) processEvidence(e *enc, ev *event, ru *rule) {
	w.evidence(e, ev, "process", "")
	e.unum("processId", 1000+ev.id%30_000)
	e.unum("parentProcessId", 600+ev.id%5_000)
	e.str("processCommandLine", ru.command)
	e.instant("processCreationDateTime", ev.at-second, graphTime)
	e.str("detectionStatus", "detected")
	if ev.carries&hasHost != 0 {
		e.hex("mdeDeviceId", w.hostID(ev.host), sha1Digits)
	}
	e.obj("imageFile")
	id := imageHash(ru.image)
	e.hex("sha1", id, sha1Digits)
	e.hex("sha256", id, sha256Digits)
	e.str("fileName", ru.image)
	e.str("filePath", `C:\Windows\System32`)
	e.unum("fileSize", 20_000+id%900_000)
	e.endObj()
	if ev.carries&hasUser != 0 {
		w.userAccount(e, ev.user)
	}
	e.endObj()
}

func fileDetails(e *enc, hash uint64, folder string) {
	e.hex("sha1", hash, sha1Digits)
	e.hex("sha256", hash, sha256Digits)
	e.hex("md5", hash, md5Digits)
	e.begin("fileName")
	e.b = appendFileName(e.b, hash)
	e.finish()
	e.str("filePath", folder)
	e.unum("fileSize", 40_000+hash%900_000)
}

// mailEvidence writes the mailbox and the message behind an alert about mail.
func (w *World) mailEvidence(e *enc, ev *event) {
	if ev.carries&hasUser != 0 {
		w.evidence(e, ev, "mailbox", "")
		e.str("primaryAddress", w.accounts.list[ev.user].upn)
		e.str("displayName", w.accounts.list[ev.user].display)
		w.userAccount(e, ev.user)
		e.endObj()
	}
	w.evidence(e, ev, "analyzedMessage", "")
	e.uuid("networkMessageId", ev.id^0x6d)
	e.str("subject", "Your document is ready")
	e.str("deliveryAction", "delivered")
	e.str("antiSpamDirection", "inbound")
	if ev.carries&hasRemote != 0 {
		e.ip("senderIp", ev.remote)
	}
	if ev.carries&hasUser != 0 {
		e.str("recipientEmailAddress", w.accounts.list[ev.user].upn)
	}
	if ev.carries&hasDomain != 0 {
		e.obj("p1Sender")
		e.begin("emailAddress")
		e.b = append(e.b, "notice@"...)
		e.b = appendDomain(e.b, ev.domain)
		e.finish()
		e.domain("domainName", ev.domain)
		e.endObj()
	}
	e.endObj()
}
