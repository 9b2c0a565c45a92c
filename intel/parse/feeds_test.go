package parse

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// named reads a text as the file of a name.
func named(t *testing.T, name, text string, set ...func(*fact.Feed)) *sink {
	t.Helper()
	var s sink
	if err := Read(context.Background(), strings.NewReader(text), feed(set...), fact.Part{Name: name}, now, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// TestKnownCSV: the columns of feeds that many have, and what they say of a value.
func TestKnownCSV(t *testing.T) {
	md5, sha1, sha := strings.Repeat("0f", 16), strings.Repeat("0f", 20), strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, text string
		want       []string
		labels     []string // of the first value
		threats    []string
		check      func(i schema.Indicator) bool
	}{
		{name: "URLhaus", text: "################\r\n# URLhaus Database Dump (CSV - recent URLs only) #\r\n# Terms: https://feeds.example/api/\r\n#\r\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\r\n" +
			`"7","2026-05-01 10:00:05","http://203.0.113.7:8080/bin.sh","online","2026-05-02 11:00:00","malware_download","32-bit,elf","https://feeds.example/url/7/","x"` + "\r\n",
			want: []string{"url=http://203.0.113.7:8080/bin.sh"}, labels: []string{"32-bit", "elf"}, check: func(i schema.Indicator) bool { return i.Fresh.String() == "2026-05-02T11:00:00.000Z" }},
		{name: "ThreatFox", text: "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\",\"threat_type\",\"fk_malware\",\"malware_alias\",\"malware_printable\",\"last_seen_utc\",\"confidence_level\",\"is_compromised\",\"reference\",\"tags\",\"anonymous\",\"reporter\"\n" +
			`"2026-05-01 10:00:05", "1", "203.0.113.7:443", "ip:port", "botnet_cc", "win.bad", "None", "Bad Bot", "2026-05-02 11:00:00", "60", "False", "None", "c2,x", "0", "y"` + "\n" +
			`"2026-05-01 10:00:05", "2", "` + sha + `", "sha256_hash", "payload", "win.bad", "None", "Bad Bot", "", "100", "False", "None", "", "0", "y"` + "\n",
			want: []string{"socket=203.0.113.7:443", "hash=" + sha}, labels: []string{"botnet_cc", "c2", "x"}, threats: []string{"Bad Bot"}, check: func(i schema.Indicator) bool { return i.Confidence == 60 && i.Fresh != 0 }},
		{name: "Feodo", text: "# \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n\"2026-05-01 10:00:05\",\"203.0.113.7\",\"443\",\"online\",\"2026-05-02\",\"Bad\"\n",
			want: []string{"ip=203.0.113.7"}, threats: []string{"Bad"}},
		{name: "SSLBL", text: "#\n# Listingdate,SHA1,Listingreason\n2026-05-01 10:00:05," + sha1 + ",Bad C&C\n", want: []string{"certificate=" + sha1}, labels: []string{"Bad C&C"}},
		{name: "JA3 of SSLBL", text: "# ja3_md5,Firstseen,Lastseen,Listingreason\n" + md5 + ",2026-05-01 10:00:05,2026-05-02 10:00:05,Bad\n", want: []string{"ja3=" + md5}, labels: []string{"Bad"}},
		{name: "MalwareBazaar", text: "# \"first_seen_utc\",\"sha256_hash\",\"md5_hash\",\"sha1_hash\",\"reporter\",\"file_name\",\"signature\",\"imphash\"\n\"2026-05-01\", \"" + sha + "\", \"" + md5 + "\", \"" + sha1 + "\", \"x\", \"x.exe\", \"Bad\", \"" + strings.Repeat("ab", 16) + "\"\n",
			want: []string{"hash=" + sha, "hash=" + md5, "hash=" + sha1}, threats: []string{"Bad"}},
		{name: "PhishTank", text: "phish_id,url,phish_detail_url,submission_time,verified,verification_time,online,target\n1,http://bad.example/login,http://feeds.example/1,2026-05-01T10:00:00+00:00,yes,2026-05-01T10:00:00+00:00,yes,Other\n", want: []string{"url=http://bad.example/login"}},
		{name: "MISP", text: "uuid,event_id,category,type,value,comment,to_ids,date\n" + "x,1,Payload delivery,filename|sha256,\"a.exe|" + sha + "\",\"\",1,20260501\nx,1,Network activity,ip-dst|port,203.0.113.7|443,\"\",1,20260501\nx,1,Network activity,domain|ip,bad.example|203.0.113.8,\"\",1,20260501\nx,1,Network activity,domain,seen.example,\"\",0,20260501\nx,1,Other,comment,bad.example,\"\",1,20260501\n",
			want: []string{"hash=" + sha, "socket=203.0.113.7:443", "domain=bad.example", "ip=203.0.113.8", "!to_ids", "!\"comment\" is no type"}, labels: []string{"Payload delivery"}},
		{name: "AbuseIPDB", text: "IP,Country,Abuse Confidence Score,Last Reported At\n203.0.113.7,XX,90,2026-05-01T10:00:00+00:00\n", want: []string{"ip=203.0.113.7"}, check: func(i schema.Indicator) bool { return i.Confidence == 90 && i.Fresh != 0 }},
		{name: "GreyNoise", text: "ip,classification,name,last_seen,tags\n203.0.113.7,benign,x,2026-05-01,scanner\n", want: []string{"ip=203.0.113.7"}, check: func(i schema.Indicator) bool { return i.Verdict == schema.VerdictBenign }},
		{name: "Anomali", text: "value,itype,confidence\nbad.example,c2_domain,70\n203.0.113.7,mal_ip,60\n" + md5 + ",apt_md5,50\n", want: []string{"domain=bad.example", "ip=203.0.113.7", "hash=" + md5}, check: func(i schema.Indicator) bool { return i.Confidence == 70 }},
		{name: "patterns", text: "IOC, Valid From, Valid Until, Link\nbad.example,2026-01-01T00:00:00Z,2026-07-01T00:00:00Z,https://feeds.example/1\n[file:hashes.MD5 = '" + md5 + "' OR file:hashes.'SHA-512' = '" + sha + sha + "'],2026-01-01T00:00:00Z,2026-01-01T00:00:00Z,x\n[network-traffic:dst_ip = '203.0.113.7' AND network-traffic:dst_port = 80],2026-01-01T00:00:00Z,,x\n",
			want: []string{"domain=bad.example", "hash=" + md5, "socket=203.0.113.7:80"},
			check: func(i schema.Indicator) bool {
				return i.ValidFrom != 0 && i.ValidUntil.String() == "2026-07-01T00:00:00.000Z"
			}},
		{name: "kinds by their headers", text: "domain,ip,md5\nbad.example,,\n,203.0.113.7,\n-,n/a," + md5 + "\n", want: []string{"domain=bad.example", "ip=203.0.113.7", "hash=" + md5}},
		{name: "where to read of it", text: "ioc,link\nbad.example,https://vendor.example/1\n,https://vendor.example/2\n", want: []string{"domain=bad.example", "!no value"}},
		{name: "a header says domain", text: "Domain,Malware\nrat.exe,Bad\n", want: []string{"domain=rat.exe"}},
		{name: "several in a field", text: "value,entity_type\n\"" + sha + "," + sha1 + "," + md5 + "\",file\n\"203.0.113.7\n203.0.113.8\",ipaddress\n", want: []string{"hash=" + sha, "hash=" + sha1, "hash=" + md5, "ip=203.0.113.7", "ip=203.0.113.8"}},
		{name: "types that are none", text: "Prefix,Type\n198.51.100.0/24,Public Address Block\n", want: []string{"cidr=198.51.100.0/24"}, labels: []string{"Public Address Block"}},
		{name: "types that narrow", text: "type,ioc\nip,203.0.113.7:443\ndomain,bad.example/x\nurl_path,http://bad.example/y\nsha256,SHA256: " + sha + "\ndomain,203.0.113.8\nip,bad.example\n",
			want: []string{"socket=203.0.113.7:443", "url=//bad.example/x", "url=http://bad.example/y", "hash=" + sha, "ip=203.0.113.8", "!single machine"}},
		{name: "tabs by looks", text: "# family, domain\nbad\tbad.example\t2026-05-01\nbad\tb.example\t2026-05-01\n", want: []string{"domain=bad.example", "domain=b.example"}},
		{name: "Spamhaus", text: "; list\n198.51.100.0/24 ; SBL1\n", want: []string{"cidr=198.51.100.0/24"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			values, reasons := wanted(c.want)
			s := named(t, strings.ReplaceAll(c.name, " ", "-"), c.text).want(t, values...).wantRefused(t, reasons...)
			if len(s.said) == 0 {
				return
			}
			i := s.said[0].Indicator
			var threats []string
			for _, x := range i.Threats {
				threats = append(threats, x.Name)
			}
			if c.labels != nil && !slices.Equal(i.Labels, c.labels) || c.threats != nil && !slices.Equal(threats, c.threats) || c.check != nil && !c.check(i) {
				t.Errorf("labels %q, threats %q of %+v", i.Labels, threats, i)
			}
		})
	}
}

// TestKnownJSON: the same for feeds in JSON.
func TestKnownJSON(t *testing.T) {
	md5, sha := strings.Repeat("0f", 16), strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, text string
		want       []string
		labels     []string
		threats    []string
	}{
		{"DROP", `{"cidr":"198.51.100.0/24","sblid":"SBL1","rir":"x"}` + "\n" + `{"cidr":"203.0.113.0/24","sblid":"SBL2","rir":"x"}` + "\n" + `{"type":"metadata","timestamp":1780272000,"size":2,"records":2,"copyright":"x"}` + "\n",
			[]string{"cidr=198.51.100.0/24", "cidr=203.0.113.0/24", "!no field"}, nil, nil},
		{"ThreatFox", `{"7":[{"ioc_value":"203.0.113.7:443","ioc_type":"ip:port","threat_type":"botnet_cc","malware":"win.bad","malware_printable":"Bad","confidence_level":75,"tags":["a","b"]}]}`, []string{"socket=203.0.113.7:443"}, []string{"botnet_cc", "a", "b"}, []string{"Bad"}},
		{"ThreatFox API", `{"query_status":"ok","data":[{"ioc":"bad.example","ioc_type":"domain","tags":null}]}`, []string{"domain=bad.example"}, nil, nil},
		{"URLhaus", `{"7":[{"dateadded":"2026-05-01 10:00:05 UTC","url":"http://bad.example/x","url_status":"online","threat":"malware_download","tags":["elf","x"]}]}`, []string{"url=http://bad.example/x"}, []string{"elf", "x"}, nil},
		{"Feodo", `[{"ip_address":"203.0.113.7","port":443,"status":"online","hostname":null,"as_number":1,"malware":"Bad"}]`, []string{"ip=203.0.113.7"}, nil, []string{"Bad"}},
		{"OTX", `{"results":[{"id":"1","name":"Pulse","adversary":"APT0","tags":["x","y"],"malware_families":["Bad"],"TLP":"green","references":["https://vendor.example/report"],"indicators":[{"id":1,"indicator":"bad.example","type":"domain"},{"indicator":"` + sha + `","type":"FileHash-SHA256"},{"indicator":"CVE-2026-0001","type":"CVE"}]}],"count":1}`,
			[]string{"domain=bad.example", "hash=" + sha, "!\"CVE\" is no type"}, []string{"x", "y"}, []string{"Bad", "APT0"}},
		{"lists by name", `{"source":"x","timestamp":"2026-05-01","count":2,"ips":["203.0.113.7","203.0.113.8"],"notes":["bad.example"]}`, []string{"ip=203.0.113.7", "ip=203.0.113.8"}, nil, nil},
		{"in an envelope", `{"status":200,"data":{"items":[{"ipAddress":"203.0.113.7","abuseConfidenceScore":100}]}}`, []string{"ip=203.0.113.7"}, nil, nil},
		{"digests", `{"data":[{"sha256_hash":"` + sha + `","md5_hash":"` + md5 + `","imphash":"` + strings.Repeat("ab", 16) + `"}]}`, []string{"hash=" + sha, "hash=" + md5}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			values, reasons := wanted(c.want)
			s := read(t, c.text).want(t, values...).wantRefused(t, reasons...)
			if len(s.said) == 0 {
				return
			}
			var threats []string
			for _, x := range s.said[0].Threats {
				threats = append(threats, x.Name)
			}
			if c.labels != nil && !slices.Equal(s.said[0].Labels, c.labels) || !slices.Equal(threats, c.threats) {
				t.Errorf("labels %q, threats %q", s.said[0].Labels, threats)
			}
		})
	}
	if s := read(t, `{"results":[{"tlp":"red","indicators":[{"indicator":"bad.example"},{"indicator":"b.example","tlp":"green"}]}]}`); !slices.Equal(s.values(), []string{"domain=b.example"}) {
		t.Errorf("said %v: a report's marking must hold for what it does not mark itself", s.values())
	}
}
