package draft

import (
	"slices"
	"strings"
	"unicode"
)

// words takes a name apart: srcIpAddr, src_ip_addr and srcip are the same words.
func words(name string) (all []string) {
	var word []rune
	flush := func() {
		if len(word) > 0 {
			all = append(all, spoken(strings.ToLower(string(word)))...)
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, c := range runes {
		switch {
		case !unicode.IsLetter(c) && !unicode.IsDigit(c):
			flush()
			continue
		case unicode.IsUpper(c) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(runes[i-1])):
			flush()
		}
		word = append(word, c)
	}
	flush()
	return all
}

// spoken gives the words of one that vendors run together or cut short.
func spoken(word string) []string {
	switch word {
	case "src", "source", "client", "attacker", "origin", "originator":
		return []string{"source"}
	case "dst", "dest", "destination", "target", "victim", "responder", "dhost":
		if word == "dhost" {
			return []string{"target", "host"}
		}
		return []string{"target"}
	case "srcip", "sip", "saddr", "srcaddr", "sourceip", "clientip", "attackerip":
		return []string{"source", "ip"}
	case "dstip", "destip", "dip", "daddr", "dstaddr", "destinationip", "targetip", "victimip":
		return []string{"target", "ip"}
	case "remip", "remoteip":
		return []string{"remote", "ip"}
	case "ipaddress", "ipaddr", "ipv4", "ipv6", "ips":
		return []string{"ip"}
	case "shost", "srchost", "srcname", "srchostname":
		return []string{"source", "host"}
	case "dsthost", "desthost", "dstname", "dsthostname":
		return []string{"target", "host"}
	case "dvc":
		return []string{"sensor"}
	case "dvchost", "devname", "devicename", "sensorname", "agentname":
		return []string{"sensor", "host"}
	case "device", "devices", "sensor", "sensors", "observer", "reporter", "appliance", "probe", "collector", "agent":
		return []string{"sensor"}
	case "suser", "srcuser":
		return []string{"source", "user"}
	case "duser", "dstuser", "targetuser":
		return []string{"target", "user"}
	case "user", "users", "usr", "username", "usrname", "account", "accountname", "login", "logon", "loginname", "samaccountname", "upn",
		"userprincipalname", "principal":
		return []string{"user"}
	case "host", "hosts", "hostname", "computer", "computername", "machine", "machinename", "workstation", "endpoint", "fqdn":
		return []string{"host"}
	case "fname", "filename":
		return []string{"file", "name"}
	case "filepath", "filepaths":
		return []string{"file", "path"}
	case "filehash":
		return []string{"file", "hash"}
	case "files":
		return []string{"file"}
	case "cmd", "cmdline", "commandline", "command":
		return []string{"command"}
	case "proc", "sproc", "dproc", "process", "processes", "processname":
		return []string{"process"}
	case "sev", "severity":
		return []string{"severity"}
	case "msg":
		return []string{"message"}
	case "desc", "descr", "details":
		return []string{"description"}
	case "act", "acttaken":
		return []string{"action"}
	case "cat", "categoryname":
		return []string{"category"}
	case "rt", "devtime", "ts", "timestamp", "datetime", "eventtime":
		return []string{"time"}
	case "createdat", "creationtime", "createtime", "createddate":
		return []string{"created", "time"}
	case "updatedat", "modifiedat", "lastmodified":
		return []string{"updated", "time"}
	case "starttime", "firstseen":
		return []string{"start", "time"}
	case "endtime", "lastseen":
		return []string{"end", "time"}
	case "externalid", "alertid", "detectionid", "incidentid":
		return []string{"alert", "id"}
	case "eventid":
		return []string{"event", "id"}
	case "userid":
		return []string{"user", "id"}
	case "alerts", "alertname", "detection", "detections", "incident", "finding", "findings":
		if word == "alertname" {
			return []string{"alert", "name"}
		}
		return []string{"alert"}
	case "addr":
		return []string{"address"}
	case "mail", "email", "emails", "emailaddress", "mailbox":
		return []string{"mail"}
	case "hashes", "checksum", "md5", "sha1", "sha256", "sha":
		return []string{"hash"}
	case "urls", "uri", "request":
		return []string{"url"}
	case "domains", "domainname", "sni", "rrname":
		return []string{"domain"}
	case "guid", "uuid", "uid":
		return []string{"id"}
	case "ruleid", "sid":
		return []string{"rule", "id"}
	case "rulename":
		return []string{"rule", "name"}
	}
	if stem, ok := strings.CutSuffix(word, "id"); ok && len(stem) > 2 {
		switch word {
		case "valid", "invalid", "android", "avoid", "hybrid", "rapid", "solid", "fluid":
		default:
			return append(spoken(stem), "id")
		}
	}
	return []string{word}
}

func has(all []string, any ...string) bool {
	return slices.ContainsFunc(all, func(w string) bool { return slices.Contains(any, w) })
}
