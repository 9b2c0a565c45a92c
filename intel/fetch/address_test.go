package fetch

import (
	"net/netip"
	"testing"
)

func TestSpecial(t *testing.T) {
	for _, c := range []struct{ addr, want string }{
		{"8.8.8.8", ""},
		{"1.1.1.1", ""},
		{"172.15.255.255", ""},
		{"172.32.0.0", ""},
		{"100.63.255.255", ""},
		{"100.128.0.0", ""},
		{"2606:4700::1111", ""},
		{"::ffff:8.8.8.8", ""},
		{"64:ff9b::808:808", ""},
		{"2002:808:808::1", ""},

		{"0.0.0.0", "unspecified"},
		{"0.1.2.3", "reserved"},
		{"127.0.0.1", "loopback"},
		{"127.255.0.9", "loopback"},
		{"10.0.0.1", "private network"},
		{"172.16.0.1", "private network"},
		{"172.31.255.255", "private network"},
		{"192.168.1.1", "private network"},
		{"169.254.169.254", "link-local"},
		{"100.64.0.1", "reserved"},
		{"100.127.255.255", "reserved"},
		{"192.0.0.8", "reserved"},
		{"198.18.0.1", "reserved"},
		{"224.0.0.1", "multicast"},
		{"239.255.255.250", "multicast"},
		{"240.0.0.1", "reserved"},
		{"255.255.255.255", "reserved"},
		{"::", "unspecified"},
		{"::1", "loopback"},
		{"fe80::1%eth0", "link-local"},
		{"fec0::1", "reserved"},
		{"fd00:ec2::254", "private network"},
		{"ff02::1", "multicast"},
		{"100::1", "reserved"},
		{"2001:0:1:2::3", "reserved"},
		{"64:ff9b:1::a00:1", "reserved"},
		{"::ffff:127.0.0.1", "loopback"},
		{"::ffff:169.254.169.254", "link-local"},
		{"64:ff9b::7f00:1", "loopback inside IPv6"},
		{"64:ff9b::a9fe:a9fe", "link-local inside IPv6"},
		{"2002:7f00:1::1", "loopback inside IPv6"},
		{"2002:a00:1::", "private network inside IPv6"},
		{"2002:6440:1::", "reserved inside IPv6"},
		{"::127.0.0.1", "loopback inside IPv6"},
		{"::ffff:0:127.0.0.1", "reserved"},
		{"2606:4700::5efe:10.0.0.1", "private network inside IPv6"},
		{"2606:4700::200:5efe:192.168.0.1", "private network inside IPv6"},
		{"2606:4700::5efe:8.8.8.8", ""},
	} {
		if have := special(netip.MustParseAddr(c.addr)); have != c.want {
			t.Errorf("%s: %q, want %q", c.addr, have, c.want)
		}
	}
}
