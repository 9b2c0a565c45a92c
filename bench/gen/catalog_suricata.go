package gen

// suricataRules: id is the signature id, from the range left for local rules;
// detail is "app-protocol" or empty; severity 4 and 5 become priority 1, 3
// becomes 2, the rest 3.
var suricataRules = [...]rule{
	{suricata, "9100001", "LOCAL SCAN Web scanner user agent", "http", "T1595.002", reconnaissance, 2, 60, hasHost | hasRemote | inbound, "", "", 80},
	{suricata, "9100002", "LOCAL SCAN Burst of requests for backup and admin paths", "http", "T1595.002", reconnaissance, 3, 25, hasHost | hasRemote | inbound, "", "", 443},
	{suricata, "9100003", "LOCAL SCAN Many ports tried by one inside host", "", "T1046", discovery, 2, 70, hasHost | hasPeer, "", "", 445},
	{suricata, "9100004", "LOCAL SCAN SSH tried from outside", "ssh", "T1110", credentialAccess, 2, 50, hasHost | hasRemote | inbound, "", "", 22},
	{suricata, "9100005", "LOCAL WEB Template expression in a request parameter", "http", "T1190", initialAccess, 4, 12, hasHost | hasRemote | inbound, "", "", 443},
	{suricata, "9100006", "LOCAL WEB Serialized object in a request body", "http", "T1190", initialAccess, 4, 8, hasHost | hasRemote | inbound, "", "", 8080},
	{suricata, "9100007", "LOCAL WEB Command output in a response of a script", "http", "T1505.003", persistence, 4, 3, hasHost | hasRemote | inbound, "", "", 443},
	{suricata, "9100008", "LOCAL C2 Regular small posts to a young domain", "http", "T1071.001", commandAndControl, 4, 14, hasHost | hasRemote | hasDomain, "", "", 80},
	{suricata, "9100009", "LOCAL C2 TLS server name of a listed controller", "tls", "T1071.001", commandAndControl, 4, 6, hasHost | hasRemote | hasDomain, "", "", 443},
	{suricata, "9100010", "LOCAL POLICY TLS to a rare server with a self-signed certificate", "tls", "T1071.001", commandAndControl, 2, 70, hasHost | hasRemote | hasDomain, "", "", 443},
	{suricata, "9100011", "LOCAL DNS Long random labels under one domain", "dns", "T1071.004", commandAndControl, 3, 45, hasHost | hasPeer | hasDomain, "", "", 53},
	{suricata, "9100012", "LOCAL DNS Query for a domain under a cheap top level", "dns", "T1071.004", commandAndControl, 1, 120, hasHost | hasPeer | hasDomain, "", "", 53},
	{suricata, "9100013", "LOCAL SMB Program written to an admin share", "smb", "T1021.002", lateralMovement, 3, 22, hasHost | hasPeer, "", "", 445},
	{suricata, "9100014", "LOCAL SMB Remote service creation", "smb", "T1021.002", lateralMovement, 4, 9, hasHost | hasPeer, "", "", 445},
	{suricata, "9100015", "LOCAL RDP Session between workstations", "rdp", "T1021.001", lateralMovement, 2, 35, hasHost | hasPeer, "", "", 3389},
	{suricata, "9100016", "LOCAL EXFIL Large upload to a rare server", "tls", "T1041", exfiltration, 3, 24, hasHost | hasRemote | hasDomain, "", "", 443},
	{suricata, "9100017", "LOCAL EXFIL Steady upload in equal parts", "http", "T1030", exfiltration, 3, 10, hasHost | hasRemote | hasDomain, "", "", 80},
	{suricata, "9100018", "LOCAL POLICY Remote help program on the wire", "tls", "T1219", commandAndControl, 2, 55, hasHost | hasRemote | hasDomain, "", "", 443},
	{suricata, "9100019", "LOCAL FILE Windows program over plain HTTP", "http", "T1204.002", execution, 3, 60, hasHost | hasRemote | hasDomain | hasFile, "", "", 80},
	{suricata, "9100020", "LOCAL POLICY Old TLS version offered", "tls", "", noTactic, 1, 160, hasHost | hasRemote | hasDomain, "", "", 443},
	{suricata, "9100021", "LOCAL INFO Request with a script runtime user agent", "http", "", noTactic, 1, 130, hasHost | hasRemote | hasDomain, "", "", 80},
	{suricata, "9100022", "LOCAL SPRAY Many logon posts from one outside address", "http", "T1110.003", credentialAccess, 3, 15, hasHost | hasRemote | inbound, "", "", 443},
}

// suricataTelemetry: events that are no alerts. detail is the event type.
var suricataTelemetry = [...]rule{
	{suricata, "", "", "flow", "", noTactic, 0, 45, hasHost | hasRemote, "", "", 443},
	{suricata, "", "", "dns", "", noTactic, 0, 40, hasHost | hasPeer | hasDomain, "", "", 53},
	{suricata, "", "", "tls", "", noTactic, 0, 15, hasHost | hasRemote | hasDomain, "", "", 443},
}

// classification gives the class text that the sensor's configuration attaches.
func classification(t tactic) string {
	switch t {
	case reconnaissance, discovery:
		return "Attempted Information Leak"
	case initialAccess:
		return "Web Application Attack"
	case commandAndControl:
		return "Malware Command and Control Activity Detected"
	case execution, persistence, lateralMovement:
		return "A Network Trojan was detected"
	case credentialAccess:
		return "Attempted User Privilege Gain"
	case exfiltration:
		return "Potential Corporate Privacy Violation"
	default:
		return "Potentially Bad Traffic"
	}
}
