package syntax

import (
	"strconv"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// places are the trie's nodes of the fixed names; 0 where nobody wants them.
type places struct {
	line, kv uint16
	syslog   struct{ host, app, pid, msgid, time, facility, severity, message, sd uint16 }
	cef      struct{ vendor, product, version, class, name, severity, ext, custom uint16 }
	leef     struct{ vendor, product, version, event, ext uint16 }
	cisco    struct{ facility, severity, code, text uint16 }
	snort    struct{ gid, sid, rev, title, class, priority, proto, srcIP, srcPort, dstIP, dstPort, time uint16 }
	columns  uint16
	column   [maxPlaced]uint16
}

// maxPlaced is how many columns have their place looked up once; those behind
// cost a look-up each.
const maxPlaced = 256

func newPlaces(t *extract.Trie) (p places) {
	below := func(node uint16, name string) uint16 {
		if node == 0 {
			return 0
		}
		return t.Child(node, name)
	}
	p.line, p.kv = below(extract.Root, "@line"), below(extract.Root, "@kv")

	n := below(extract.Root, "@syslog")
	p.syslog.host, p.syslog.app, p.syslog.pid = below(n, "host"), below(n, "app"), below(n, "pid")
	p.syslog.msgid, p.syslog.time = below(n, "msgid"), below(n, "time")
	p.syslog.facility, p.syslog.severity = below(n, "facility"), below(n, "severity")
	p.syslog.message, p.syslog.sd = below(n, "message"), below(n, "sd")

	n = below(extract.Root, "@cef")
	p.cef.vendor, p.cef.product, p.cef.version = below(n, "vendor"), below(n, "product"), below(n, "version")
	p.cef.class, p.cef.name, p.cef.severity = below(n, "class"), below(n, "name"), below(n, "severity")
	p.cef.ext, p.cef.custom = below(n, "ext"), below(n, "custom")

	n = below(extract.Root, "@leef")
	p.leef.vendor, p.leef.product, p.leef.version = below(n, "vendor"), below(n, "product"), below(n, "version")
	p.leef.event, p.leef.ext = below(n, "event"), below(n, "ext")

	n = below(extract.Root, "@cisco")
	p.cisco.facility, p.cisco.severity = below(n, "facility"), below(n, "severity")
	p.cisco.code, p.cisco.text = below(n, "code"), below(n, "text")

	n = below(extract.Root, "@snort")
	p.snort.gid, p.snort.sid, p.snort.rev = below(n, "gid"), below(n, "sid"), below(n, "rev")
	p.snort.title, p.snort.class, p.snort.priority = below(n, "title"), below(n, "class"), below(n, "priority")
	p.snort.proto, p.snort.time = below(n, "proto"), below(n, "time")
	p.snort.srcIP, p.snort.srcPort = below(n, "src_ip"), below(n, "src_port")
	p.snort.dstIP, p.snort.dstPort = below(n, "dst_ip"), below(n, "dst_port")

	p.columns = below(extract.Root, "@col")
	for i := range p.column {
		p.column[i] = below(p.columns, strconv.Itoa(i))
	}
	return p
}
