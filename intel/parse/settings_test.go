package parse

import (
	"strings"
	"testing"
)

// wanted splits expectations into values and, with "!" in front, parts of reasons.
func wanted(want []string) (values, reasons []string) {
	for _, w := range want {
		if reason, ok := strings.CutPrefix(w, "!"); ok {
			reasons = append(reasons, reason)
		} else {
			values = append(values, w)
		}
	}
	return values, reasons
}

// TestSettings: what resolvers, firewalls and servers are told to block is what they
// are told to block, and what they let pass is nothing of a feed.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"dnsmasq", "address=/a.example/#\naddress=/b.example/0.0.0.0\naddress=/c.example/\naddress=/d.example/e.example/::\nserver=/f.example/\nlocal=/g.example/\n",
			[]string{"domain=a.example", "domain=b.example", "domain=c.example", "domain=d.example", "domain=e.example", "domain=f.example", "domain=g.example"}},
		{"dnsmasq answers", "address=/a.example/192.0.2.1\nserver=/b.example/192.0.2.1\nserver=/c.example/#\naddress=/#/0.0.0.0\n", []string{"!answered", "!answered", "!answered", "!neither"}},
		{"unbound", "server:\nlocal-zone: \"a.example\" always_null\n  local-zone: \"b.example.\" static\nlocal-data: \"c.example A 0.0.0.0\"\nlocal-data: \"d.example. 60 IN AAAA ::\"\n",
			[]string{"domain=a.example", "domain=b.example", "domain=c.example", "domain=d.example"}},
		{"unbound answers", "local-zone: \"a.example\" transparent\nlocal-zone: \"b.example\"\nlocal-data: \"c.example A 192.0.2.1\"\n", []string{"!answered", "!answered", "!answered"}},
		{"bind", "zone \"a.example\" { type master; file \"null.zone\"; };\nzone \"b.example\" IN {type primary; notify no;};\nzone \"c.example\" { type forward; };\n",
			[]string{"domain=a.example", "domain=b.example", "!answered"}},
		{"policy zone", "$TTL 2h\n$ORIGIN rpz.example.\n@ IN SOA localhost. root.localhost. (1 1h 15m 30d 2h)\n  IN NS localhost.\n; rules\na.example CNAME .\n*.b.example 300 IN CNAME *.\nc.example\tIN\tCNAME\trpz-drop.\n" +
			"d.example CNAME rpz-passthru.\n24.0.113.0.203.rpz-ip CNAME .\n128.1.zz.db8.2001.rpz-ip CNAME .\n32.zz.db8.2001.rpz-ip CNAME .\n32.7.113.0.203.rpz-client-ip CNAME .\n33.7.113.0.203.rpz-ip CNAME .\n",
			[]string{"domain=a.example", "domain=b.example", "domain=c.example", "cidr=203.0.113.0/24", "ip=2001:db8::1", "cidr=2001:db8::/32", "!exception", "!neither a name nor", "!no address"}},
		{"iptables", "iptables -A INPUT -s 203.0.113.7 -j DROP\n-A FORWARD -d 198.51.100.0/24 -j REJECT\n-A INPUT -s 203.0.113.8 -j ACCEPT\n-A INPUT ! -s 203.0.113.9 -j DROP\n-A INPUT -s 203.0.113.10 -p tcp --dport 25 -j DROP\n-A INPUT -s 203.0.113.11 -d 192.0.2.1 -j DROP\n",
			[]string{"ip=203.0.113.7", "cidr=198.51.100.0/24", "!exception", "!conditions", "!conditions", "!conditions"}},
		{"iptables blocks nobody", "iptables -t nat -A POSTROUTING -s 203.0.113.7 -j SNAT --to-source 192.0.2.1\n-A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE\n-A PREROUTING -d 203.0.113.8/32 -j DNAT --to-destination 192.0.2.9\n" +
			"-A INPUT -s 203.0.113.9 -j trusted\n-A INPUT -s 203.0.113.10 -j MARK --set-mark 1\niptables -D INPUT -s 203.0.113.11 -j DROP\n-A INPUT -s 203.0.113.12 -j LOGDROP\n",
			[]string{"ip=203.0.113.12", "!blocks nobody", "!blocks nobody", "!blocks nobody", "!blocks nobody", "!blocks nobody", "!blocks nobody"}},
		{"ipset", "create bad hash:net family inet\nadd bad 203.0.113.7\nadd bad 198.51.100.0/24 timeout 300\nipset add bad 203.0.113.8\n", []string{"ip=203.0.113.7", "cidr=198.51.100.0/24", "ip=203.0.113.8"}},
		{"RouterOS", "/ip firewall address-list add list=bad address=203.0.113.7 comment=x\nadd address=198.51.100.0/24 list=bad\n", []string{"ip=203.0.113.7", "cidr=198.51.100.0/24"}},
		{"nginx", "deny 203.0.113.7;\ndeny 198.51.100.0/24;\nallow 192.0.2.1;\n", []string{"ip=203.0.113.7", "cidr=198.51.100.0/24", "!exception"}},
		{"Apache", "Deny from 203.0.113.7 203.0.113.8\nRequire not ip 198.51.100.0/24\ndeny from bad.example\n", []string{"ip=203.0.113.7", "ip=203.0.113.8", "cidr=198.51.100.0/24", "domain=bad.example"}},
		{"IOS", "access-list 10 deny 198.51.100.0 0.0.0.255\ndeny ip host 203.0.113.7 any\naccess-list 101 deny ip any host 203.0.113.8 log\nip route 203.0.113.9 255.255.255.255 Null0\naccess-list 10 permit 192.0.2.1\naccess-list 10 remark never deny 192.0.2.2\ndeny tcp host 203.0.113.7 any eq 25\ndeny ip host 203.0.113.7 host 192.0.2.1\n",
			[]string{"cidr=198.51.100.0/24", "ip=203.0.113.7", "ip=203.0.113.8", "ip=203.0.113.9", "!exception", "!blocks nobody", "!conditions", "!conditions"}},
		{"pf", "block drop from 203.0.113.7 to any\nblock in quick from 198.51.100.0/24\n", []string{"ip=203.0.113.7", "cidr=198.51.100.0/24"}},
		{"filter lists", "||a.example^$important\n||b.example^$document,all\n||c.example^$third-party\nd.example##.ad\ne.example#@#.x/y\nf.example##^script\n",
			[]string{"domain=a.example", "domain=b.example", "!options", "!hides", "!hides", "!hides"}},
		{"prose is none of it", "In the wild the server was x\nAllow updates from everywhere\nBlock them\nIP addresses follow\nAdd more\nserver=x\nzone of interest\ndeny it\n",
			[]string{"!neither", "!neither", "!neither", "!neither", "!neither", "!neither", "!neither", "!neither"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			values, reasons := wanted(c.want)
			read(t, c.text).want(t, values...).wantRefused(t, reasons...)
		})
	}
}

// TestSensorRules: a rule about addresses names them, one about traffic names nothing.
func TestSensorRules(t *testing.T) {
	sha := strings.Repeat("0f", 20)
	pairs := strings.TrimSuffix(strings.Repeat("0f:", 20), ":")
	for _, c := range []struct {
		text string
		want []string
	}{
		{`alert ip [203.0.113.7, 198.51.100.0/24] any -> $HOME_NET any (msg:"list; of the day"; reference:url,feeds.example/x; threshold: type limit, track by_src, seconds 3600, count 1; classtype:misc-attack; sid:1; rev:1;)`, []string{"ip=203.0.113.7", "cidr=198.51.100.0/24"}},
		{`alert tcp $HOME_NET any -> 203.0.113.7 443 (msg:"c2"; flow:established,to_server; sid:2;)`, []string{"socket=203.0.113.7:443"}},
		{`drop tcp any any -> [203.0.113.7,2001:db8::1] [80,443] (msg:"c2"; sid:3;)`, []string{"socket=203.0.113.7:80", "socket=203.0.113.7:443", "socket=[2001:db8::1]:80", "socket=[2001:db8::1]:443"}},
		{`alert tls any any -> any any (msg:"x"; tls.fingerprint:"` + pairs + `"; sid:4;)`, []string{"certificate=" + sha}},
		{`alert dns any any -> any any (msg:"x"; dns.query; content:"bad.example"; sid:5;)`, []string{"!in the traffic"}},
		{`alert http $HOME_NET any -> 203.0.113.7 any (msg:"x \"(y)\""; content:"/gate"; sid:6;)`, []string{"!in the traffic"}},
		{`alert ip [203.0.113.7,203.0.113.8,203.0.113.9] any -> $HOME_NET any (msg:"x"; sid:14;)`, []string{"ip=203.0.113.7", "ip=203.0.113.8", "ip=203.0.113.9"}},
		{`alert tcp 203.0.113.7 any -> $HOME_NET 22 (msg:"x"; sid:15;)`, []string{"!conditions"}},
		{`alert ip 203.0.113.7 any -> $HOME_NET any (msg:"x"; flowbits:set,seen; sid:16;)`, []string{"ip=203.0.113.7"}},
		{`alert ip 203.0.113.7 any -> $HOME_NET any (msg:"x"; flowbits:isset,seen; sid:17;)`, []string{"!in the traffic"}},
		{`alert ip !203.0.113.7 any -> $HOME_NET any (msg:"x"; sid:7;)`, []string{"!conditions"}},
		{`alert ip 203.0.113.7 any -> 192.0.2.1 any (msg:"x"; sid:8;)`, []string{"!conditions"}},
		{`alert tcp 198.51.100.0/24 any -> any any (msg:"x"; sid:9;)`, []string{"cidr=198.51.100.0/24"}},
		{`alert tcp 198.51.100.0/24 80 -> any any (msg:"x"; sid:10;)`, []string{"!conditions"}},
		{`alert tcp 203.0.113.7 1024: -> any any (msg:"x"; sid:11;)`, []string{"!conditions"}},
		{`pass ip 203.0.113.7 any -> any any (msg:"x"; sid:12;)`, []string{"!exception"}},
		{`alert something (else)`, []string{"!neither"}},
		{`# alert ip 203.0.113.7 any -> any any (msg:"off"; sid:13;)`, nil},
	} {
		values, reasons := wanted(c.want)
		read(t, c.text+"\n").want(t, values...).wantRefused(t, reasons...)
	}
	many := "alert ip [" + strings.Repeat("203.0.113.7,", maxRule) + "203.0.113.8] any -> any any (sid:1;)"
	if len(many) < maxLine {
		t.Fatal("the rule is too short for the test")
	}
	read(t, many).want(t).wantRefused(t, "longer than")
}
