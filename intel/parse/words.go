package parse

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// column says what a column of a CSV, or a member of a flat object, holds.
type column uint8

const (
	colNone column = iota
	colValue
	colType
	colVerdict
	colSeverity
	colConfidence
	colTLP
	colLabel
	colMalware
	colActor
	colFirst
	colUntil
	colSeen
	colIDs  // MISP's mark for detection
	columns // count
)

func (c column) String() string {
	names := [...]string{"none", "value", "type", "verdict", "severity", "confidence", "tlp", "label", "malware", "actor", "first", "until", "seen", "to_ids"}
	return names[c]
}

// word brings a feed's word into a form that is alike whatever its case and signs.
func word(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z':
			b = append(b, c|0x20)
		case c >= 'a' && c <= 'z', c-'0' <= 9, c == '|':
			b = append(b, c)
		}
	}
	return string(b)
}

// columnNamed tells by its header what a column holds, where the feed's settings do
// not say. Of dates only those are among them that say themselves what they are:
// whether "date" is the beginning of an indicator's validity only who knows the feed
// can tell.
func columnNamed(header string) column {
	switch word(header) {
	case "indicator", "indicatorvalue", "ioc", "iocvalue", "value", "observable", "observablevalue", "threat", "artifact",
		"domain", "domainname", "hostname", "host", "fqdn", "url", "uri", "link",
		"ip", "ipaddress", "ipaddr", "ipv4", "ipv6", "dstip", "dst", "srcip", "address", "addr", "network", "cidr", "subnet", "netblock",
		"hash", "filehash", "md5", "md5hash", "md5sum", "filemd5", "sha1", "sha1hash", "sha1sum", "filesha1", "sha256", "sha256hash", "sha256sum", "filesha256",
		"email", "emailaddress", "ja3", "ja3md5", "ja3hash", "ja4", "pattern", "stixpattern", "indicatorpattern", "prefix", "ipprefix", "ipv4prefix", "ipv6prefix",
		"c2", "c2server", "c2domain", "c2ip", "c2url", "cnc", "domains", "hostnames", "urls", "ips", "ipaddresses", "hashes", "iocs", "indicators", "observables":
		return colValue
	case "type", "indicatortype", "ioctype", "observabletype", "valuetype", "kind":
		return colType
	case "tlp", "trafficlightprotocollevel", "tlplevel", "marking":
		return colTLP
	case "confidence", "confidencelevel", "confidencescore", "maliciousconfidence", "abuseconfidencescore", "abuseconfidence":
		return colConfidence
	case "severity":
		return colSeverity
	case "verdict", "classification":
		return colVerdict
	case "malware", "malwarefamily", "malwarefamilies", "family", "malwareprintable", "malwarename", "signature":
		return colMalware
	case "actor", "actors", "threatactor", "threatactors", "actorname", "adversary", "intrusionset", "activitygroupnames":
		return colActor
	case "label", "labels", "tag", "tags", "threattype", "threattypes", "category", "listingreason", "killchain", "killchains":
		return colLabel
	case "validfrom":
		return colFirst
	case "validuntil", "validto", "expirationdatetime", "expirationdate", "expiration", "expires", "expiresat", "endofvalidity":
		return colUntil
	case "lastseen", "lastseenutc", "lastonline", "lastseentime", "lastreportedat":
		return colSeen
	case "toids":
		return colIDs
	}
	return colNone
}

// typeNamed tells the kind of a value by a feed's word for it; unknown where
// the word leaves it open. ok is false for words of kinds that are not matched.
func typeNamed(text string) (t schema.ObservableType, ok bool) {
	w := word(text)
	for _, about := range [...]string{"c2", "cnc", "mal", "malware", "malicious", "apt", "bot", "phish", "phishing", "exploit", "scan", "spam", "compromised", "suspicious", "payload", "delivery"} {
		if rest, ok := strings.CutPrefix(w, about); ok && isPlainKind(rest) { // c2_domain, Malicious URL
			w = rest
			break
		}
	}
	switch w {
	case "ip", "ips", "ipv4", "ipv6", "ipaddr", "ipaddress", "ipv4addr", "ipv6addr", "ipsrc", "ipdst", "networkip", "networkipv4", "networkipv6",
		"networkdestinationipv4", "networksourceipv4", "destip", "srcip":
		return schema.ObservableIP, true
	case "cidr", "network", "subnet", "netblock", "ipv4cidr", "ipv6cidr", "iprange":
		return schema.ObservableCIDR, true
	case "ipport", "ip|port", "ipdst|port", "ipsrc|port", "socket", "ipv4port", "ipv6port":
		return schema.ObservableSocket, true
	case "domain", "domains", "domainname", "hostname", "fqdn", "dns", "dnsname", "networkdns":
		return schema.ObservableDomain, true
	case "url", "urls", "uri", "link", "fileurl", "phishingurl", "networkuri":
		return schema.ObservableURL, true
	case "urlprefix":
		return schema.ObservableURLPrefix, true
	case "urlpath", "path", "uripath":
		return schema.ObservableURLPath, true
	case "hash", "filehash", "md5", "md5hash", "md5sum", "sha1", "sha1hash", "sha1sum", "sha256", "sha256hash", "sha256sum", "filehashmd5", "filehashsha1", "filehashsha256",
		"filemd5", "filesha1", "filesha256", "fileitemmd5sum", "fileitemsha1sum", "fileitemsha256sum":
		return schema.ObservableHash, true
	case "email", "emails", "emailaddress", "emailaddr", "envelopefrom", "bodyfrom", "emailsrc", "emaildst", "emailsender", "emailsenderaddress", "mailbox":
		return schema.ObservableEmail, true
	case "sender", "senderdomain", "emailsourcedomain":
		return schema.ObservableSender, true
	case "certificate", "cert", "certsha1", "certificatesha1", "certificatesha256", "sslcertsha1", "certificatethumbprint", "sslcertfingerprint",
		"x509fingerprintmd5", "x509fingerprintsha1", "x509fingerprintsha256":
		return schema.ObservableCertificate, true
	case "ja3", "ja3fingerprintmd5", "ja3hash", "ja3md5":
		return schema.ObservableJA3, true
	case "ja3s", "ja3sfingerprintmd5", "ja3shash", "ja3smd5":
		return schema.ObservableJA3S, true
	case "ja4", "ja4fingerprint":
		return schema.ObservableJA4, true
	case "useragent", "httpuseragent":
		return schema.ObservableUserAgent, true
	case "mutex", "mutexname":
		return schema.ObservableMutex, true
	case "regkey", "registry", "registrykey", "windowsregistrykey":
		return schema.ObservableRegistry, true
	case "ssdeep", "filessdeep", "filehashssdeep":
		return schema.ObservableSSDeep, true
	case "host", "address", "indicator", "ioc", "observable", "pattern", "stixpattern", "indicatorpattern", "c2", "c2server", "cnc":
		return schema.ObservableUnknown, true
	}
	return schema.ObservableUnknown, false
}

// isOtherKind reports a word for kinds of indicators that are not matched, by which a
// column of types is told from one that merely has that name.
func isOtherKind(text string) bool {
	switch word(text) {
	case "file", "filename", "filepath", "filepathname", "filesize", "process", "processname", "command", "commandline", "text", "comment", "other", "description", "info",
		"yara", "sigma", "snort", "cve", "vulnerability", "port", "username", "account", "asn", "as", "service", "servicename", "scheduledtask", "pipe", "namedpipe", "guid",
		"imphash", "pehash", "tlsh", "authentihash", "domainport", "hostport", "registryvalue", "registrypath", "certificateserial", "btc", "xmr", "bitcoinaddress", "phonenumber":
		return true
	}
	return false
}

// isPlainKind reports a word for a kind behind a word for what is done with it.
func isPlainKind(w string) bool {
	switch w {
	case "ip", "ipv4", "ipv6", "ipaddress", "domain", "hostname", "url", "email", "md5", "sha1", "sha256":
		return true
	}
	return false
}

// verdictNamed reads a word for how bad a value is.
func verdictNamed(text string) (schema.Verdict, bool) {
	switch word(text) {
	case "malicious", "bad", "black", "block", "maliciousactivity", "compromised", "attribution", "c2", "phishing", "malware":
		return schema.VerdictMalicious, true
	case "suspicious", "anomalousactivity", "anonymization", "grey", "gray", "greyware":
		return schema.VerdictSuspicious, true
	case "benign", "good", "clean", "allow", "white", "whitelist", "allowlist", "falsepositive", "harmless":
		return schema.VerdictBenign, true
	}
	return schema.VerdictUnknown, false
}

// tlpNamed reads a marking of TLP 1.0 or 2.0.
func tlpNamed(text string) (schema.TLP, bool) {
	text = strings.ToLower(strings.TrimSpace(text))
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(text, "tlp"), ":"))
	switch text {
	case "clear", "white":
		return schema.TLPClear, true
	case "green":
		return schema.TLPGreen, true
	case "amber":
		return schema.TLPAmber, true
	case "amber+strict", "amber strict", "amber-strict", "amber_strict":
		return schema.TLPAmberStrict, true
	case "red", "ex:chr":
		return schema.TLPRed, true
	}
	return schema.TLPClear, false
}
