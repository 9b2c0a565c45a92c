package syntax

import (
	"strings"
	"testing"
)

var benchMessages = map[string]string{
	"cef": `<134>Oct 11 22:14:15 fw1 CEF:0|Acme|Sensor|1.0|100|Worm stopped|8|rt=1727820855000 src=192.0.2.1 spt=1024 dst=198.51.100.1 dpt=80 proto=TCP act=blocked ` +
		`cs1Label=Rule cs1=Beacon to a known server cs2Label=Policy cs2=default request=http://example.com/a?b\=c msg=a worm was stopped at the gate suser=jo dhost=pc1.example.com`,
	"pairs": `<189>date=2024-10-01 time=22:14:15 devname="fw1" devid="FG1" logid="0419016384" type="utm" subtype="ips" eventtype="signature" level="alert" vd="root" ` +
		`severity="critical" srcip=192.0.2.1 srccountry="Reserved" dstip=198.51.100.1 srcport=1024 dstport=80 action="dropped" proto=6 service="HTTP" attack="Acme.Worm" msg="web: Acme \"Worm\""`,
	"syslog": `<165>1 2024-10-01T22:14:15.003Z fw1.example.com evntslog 99 ID47 [acme@32473 iut="3" note="say \"hi\"" eventID="1011"] An event which has some words in its message`,
	"leef":   "LEEF:1.0|Acme|Sensor|1.0|100|src=192.0.2.1\tsrcPort=1024\tdst=198.51.100.1\tdstPort=80\tusrName=jo\tproto=TCP\tsev=8\tmsg=a worm was stopped at the gate",
	"cisco":  `<166>Oct 01 2024 22:14:15 fw1 : %ASA-4-106023: Deny tcp src outside:192.0.2.1/80 dst inside:198.51.100.1/8277 by access-group "inbound" [0x0, 0x0]`,
	"columns": `<14>Oct 11 22:14:15 pa1 1,2024/10/01 22:14:15,001801,THREAT,vulnerability,2562,2024/10/01 22:14:15,192.0.2.1,198.51.100.1,0.0.0.0,0.0.0.0,rule1,,,web-browsing,vsys1,` +
		`trust,untrust,eth1,eth2,fwd,2024/10/01 22:14:15,1,1,1024,80,0,0,0x80,tcp,reset-both,"a.exe, b",Acme Worm(12345),any,critical,client-to-server`,
	"line": `a line of text that is of no syntax at all, but has some words: and = signs`,
}

var benchPaths = []string{"@line", "@syslog.host", "@syslog.time", "@syslog.severity", "@syslog.sd.*.note", "@cef.vendor", "@cef.name", "@cef.severity", "@cef.ext.src", "@cef.ext.dst", "@cef.ext.request", "@cef.ext.act",
	"@cef.ext.rt", "@cef.custom.Rule", "@kv.srcip", "@kv.dstip", "@kv.action", "@kv.attack", "@kv.msg", "@kv.severity", "@leef.vendor", "@leef.ext.src", "@leef.ext.dst", "@leef.ext.usrName",
	"@cisco.code", "@cisco.text", "@col.3", "@col.7", "@col.8", "@col.30", "@col.32"}

func BenchmarkRead(b *testing.B) {
	for name, text := range benchMessages {
		b.Run(name, func(b *testing.B) {
			g := newRig(b, testLimits, benchPaths...)
			data := []byte(text)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				g.arena.Reset()
				g.tape.Reset()
				if f := g.Read(data, g.tape); f.Reason != 0 {
					b.Fatal(f)
				}
			}
		})
	}
}

// TestNoAllocations holds that text costs no garbage.
func TestNoAllocations(t *testing.T) {
	for name, text := range benchMessages {
		g := newRig(t, testLimits, benchPaths...)
		data := []byte(text)
		got := testing.AllocsPerRun(100, func() {
			g.arena.Reset()
			g.tape.Reset()
			g.Read(data, g.tape)
		})
		if len(g.tape.Values) == 0 || got != 0 {
			t.Errorf("%s: %v allocations, %d values", name, got, len(g.tape.Values))
		}
		if strings.Contains(g.dump(g.fault), "@line") != (name == "line") {
			t.Errorf("%s: not recognized", name)
		}
	}
}
