package normalize

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

const (
	eveTimestamp slot = iota
	eveType
	eveFlowID
	eveInIface
	eveStats
	eveSrcIP
	eveDestIP
	eveDirection
	eveHost
	eveSig
	eveSID
	eveGID
	eveCategory
	eveSeverity
	eveAction
	eveVerdict
	eveAlertSource
	eveAlertTarget
	eveMetaTechnique
	eveMetaTactic
	eveMetaConfidence
	eveFlowSrc
	eveFlowDest
	eveFlowStart
	eveHTTPHost
	eveHTTPURL
	eveHTTPPort
	eveDNSName
	eveDNSQueryName
	eveDNSQueries
	eveSNI
	eveFileInfo
	eveFiles
	eveFileName
	eveFileMD5
	eveFileSHA1
	eveFileSHA256
	eveMailFrom
	eveMailTo
	eveSMBUser
	eveKrbUser
)

func suricata() format {
	return format{
		FormatInfo: FormatInfo{"suricata_eve", "OISF", "Suricata EVE JSON; event_type alert"},
		product:    "Suricata",
		paths: []string{
			eveTimestamp: "timestamp", eveType: "event_type", eveFlowID: "flow_id", eveInIface: "in_iface", eveStats: "stats",
			eveSrcIP: "src_ip", eveDestIP: "dest_ip", eveDirection: "direction", eveHost: "host",
			eveSig: "alert.signature", eveSID: "alert.signature_id", eveGID: "alert.gid", eveCategory: "alert.category",
			eveSeverity: "alert.severity", eveAction: "alert.action", eveVerdict: "verdict.action",
			eveAlertSource: "alert.source.ip", eveAlertTarget: "alert.target.ip",
			eveMetaTechnique: "alert.metadata.mitre_technique_id[]", eveMetaTactic: "alert.metadata.mitre_tactic_id[]",
			eveMetaConfidence: "alert.metadata.confidence[]",
			eveFlowSrc:        "flow.src_ip", eveFlowDest: "flow.dest_ip", eveFlowStart: "flow.start",
			eveHTTPHost: "http.hostname", eveHTTPURL: "http.url", eveHTTPPort: "http.http_port",
			eveDNSName: "dns.rrname", eveDNSQueryName: "dns.query[].rrname", eveDNSQueries: "dns.queries[].rrname", eveSNI: "tls.sni",
			eveFileInfo: "fileinfo", eveFiles: "files[]", eveFileName: "fileinfo.filename|files[].filename", eveFileMD5: "fileinfo.md5|files[].md5",
			eveFileSHA1: "fileinfo.sha1|files[].sha1", eveFileSHA256: "fileinfo.sha256|files[].sha256",
			eveMailFrom: "smtp.mail_from", eveMailTo: "smtp.rcpt_to[]", eveSMBUser: "smb.ntlmssp.user", eveKrbUser: "krb5.cname",
		},
		// stats events have no flow; alerts decoded from a single bad packet have no address.
		clauses: []clause{has(eveTimestamp), has(eveType), hasAny(eveFlowID, eveInIface, eveStats, eveSID, eveDestIP)},
		alert:   func(d *doc) bool { return d.str(eveType) == "alert" && d.has(eveSID) },
		fill:    fillSuricata,
	}
}

func fillSuricata(d *doc, a *schema.Alert) {
	a.Title, a.Rule, a.Type = d.str(eveSig), d.str(eveSig), d.str(eveCategory)
	a.RuleUID = d.str(eveSID)
	if gid := d.str(eveGID); gid != "" && gid != "1" {
		a.RuleUID = d.n.arena.join(gid, ":", a.RuleUID)
	}
	a.Created = d.created(eveTimestamp)
	a.Start = d.time(eveFlowStart)
	a.End = a.Created
	switch d.str(eveSeverity) {
	case "1":
		a.Severity = schema.SeverityHigh
	case "2":
		a.Severity = schema.SeverityMedium
	case "3":
		a.Severity = schema.SeverityLow
	case "4":
		a.Severity = schema.SeverityInformational
	}
	a.Confidence = confidence(d.str(eveMetaConfidence))
	switch d.str(eveVerdict) {
	case "drop", "reject":
		a.Blocked = true
	default:
		a.Blocked = d.str(eveAction) == "blocked"
	}
	for it := d.each(eveMetaTechnique); it.next(); {
		d.technique(it.text(), "")
	}
	for it := d.each(eveMetaTactic); it.next(); {
		d.technique("", it.text())
	}

	from, to := flowEnds(d)
	far := schema.RoleTarget
	if isC2(a.Type) {
		far = schema.RoleC2
	}
	d.ip(schema.RoleSource, from)
	d.ip(far, to)
	if host := d.str(eveHTTPHost); host != "" {
		d.domain(far, host)
		d.httpURL(far, host)
	}
	for _, p := range [...]slot{eveDNSName, eveDNSQueryName, eveDNSQueries} {
		for it := d.each(p); it.next(); {
			d.domain(far, it.text())
		}
	}
	d.domain(far, d.str(eveSNI))
	for _, p := range [...]slot{eveFiles, eveFileInfo} {
		for it := d.each(p); it.next(); {
			name := it.str(eveFileName)
			if !strings.HasPrefix(name, "/") { // over HTTP it is the request's path
				d.file(schema.RoleRelated, "", name)
			}
			for _, h := range [...]slot{eveFileSHA256, eveFileSHA1, eveFileMD5} {
				d.hash(schema.RoleRelated, it.str(h), name)
			}
		}
	}
	d.reported(func() { // by the client, before anybody has let it in
		d.mailbox(schema.RoleActor, d.str(eveMailFrom))
		for it := d.each(eveMailTo); it.next(); {
			d.mailbox(schema.RoleTarget, it.text())
		}
		d.user(schema.RoleRelated, d.firstOf(eveSMBUser, eveKrbUser), "")
	})
	d.host(schema.RoleSensor, d.str(eveHost), "")
}

// flowEnds gives the client and the server of the flow. src_ip and dest_ip are
// those of the packet that matched, which may be the answer. A rule's own view
// (keyword target) comes first.
func flowEnds(d *doc) (client, server string) {
	src, dest := d.str(eveSrcIP), d.str(eveDestIP)
	switch {
	case d.has(eveAlertSource) && d.has(eveAlertTarget):
		return d.str(eveAlertSource), d.str(eveAlertTarget)
	case d.has(eveFlowSrc) && d.has(eveFlowDest):
		return d.str(eveFlowSrc), d.str(eveFlowDest)
	case d.str(eveDirection) == "to_client":
		return dest, src
	}
	return src, dest
}

// isC2 reports whether the rule's class says that the server is the attacker's.
func isC2(category string) bool {
	return category == "Malware Command and Control Activity Detected" || category == "Domain Observed Used for C2 Detected"
}

// httpURL joins what EVE keeps apart.
func (d *doc) httpURL(role schema.Role, host string) {
	path := d.str(eveHTTPURL)
	switch {
	case path == "" || path[0] != '/':
		d.url(role, path) // a proxy's absolute form, or nothing
		return
	case strings.ContainsAny(host, "/?#@ "):
		return
	}
	sep, port := "", ""
	if p := d.str(eveHTTPPort); p != "" && p != "80" && strings.IndexByte(host, ':') < 0 {
		sep, port = ":", p
	}
	d.url(role, d.n.arena.join("http://", host, sep, port, path))
}

// confidence gives the middle of a third for a word.
func confidence(word string) uint8 {
	switch {
	case strings.EqualFold(word, "high"):
		return 85
	case strings.EqualFold(word, "medium"):
		return 50
	case strings.EqualFold(word, "low"):
		return 15
	}
	return 0
}
