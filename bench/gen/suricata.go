package gen

import (
	"encoding/base64"
	"strconv"
)

// EVE writes microseconds and a numeric zone.
const eveTime = "2006-01-02T15:04:05.000000-0700"

// flowID is 51 bits wide, as the sensor's are.
func flowID(ev *event) uint64 { return ev.id >> 13 }

// endpoints gives the two sides as the sensor saw them.
func (w *World) endpoints(ev *event, ru *rule) (src, dst addr, srcPort, dstPort uint64) {
	src = w.fleet.addrAt(ev.host, ev.at)
	if ev.nat {
		src = w.fleet.egress(ev.host)
	}
	switch {
	case ev.peer >= 0:
		dst = w.fleet.addrAt(ev.peer, ev.at)
	default:
		dst = ev.remote
	}
	if ru.has&inbound != 0 {
		src, dst = dst, src
	}
	return src, dst, 49152 + ev.id%16384, uint64(ru.port)
}

// suricata writes one line of eve.json.
func (w *World) suricata(e *enc, ev *event, ru *rule) {
	src, dst, srcPort, dstPort := w.endpoints(ev, ru)
	app, proto := ru.detail, "TCP"
	if app == "dns" {
		proto = "UDP"
	}
	e.obj("")
	e.instant("timestamp", ev.created, eveTime)
	e.unum("flow_id", flowID(ev))
	e.str("in_iface", "ens5")
	eventType := "alert"
	if ev.kind == kindTelemetry {
		eventType = app
	}
	e.str("event_type", eventType)
	e.ip("src_ip", src)
	e.unum("src_port", srcPort)
	e.ip("dest_ip", dst)
	e.unum("dest_port", dstPort)
	e.str("proto", proto)
	e.str("pkt_src", "wire/pcap")
	switch {
	case ev.kind != kindTelemetry:
		eveAlert(e, ev, ru)
		eveApp(e, ev, ru, app)
		if app != "" {
			e.str("app_proto", app)
		}
		e.str("direction", "to_server")
		w.eveFlow(e, ev, src, dst, srcPort, dstPort)
		evePayload(e, ev)
	case app == "flow":
		e.str("app_proto", "tls")
		w.eveFlow(e, ev, src, dst, srcPort, dstPort)
	default:
		eveApp(e, ev, ru, app)
	}
	e.str("host", "sensor-01")
	e.endObj()
}

func eveAlert(e *enc, ev *event, ru *rule) {
	e.obj("alert")
	e.str("action", "allowed")
	e.num("gid", 1)
	e.raw("signature_id", ru.id)
	e.num("rev", 1+int64(len(ru.title)%5))
	e.str("signature", ru.title)
	e.str("category", classification(ru.tactic))
	e.num("severity", min(3, int64(5-min(ru.severity, 4))))
	if ru.technique != "" {
		t := &tactics[ru.tactic]
		e.obj("metadata")
		list(e, "confidence", [...]string{"Low", "Low", "Medium", "Medium", "High", "High"}[ru.severity])
		list(e, "mitre_tactic_id", t.uid)
		spelled(e, "mitre_tactic_name", t.name)
		list(e, "mitre_technique_id", ru.technique)
		spelled(e, "mitre_technique_name", techniqueNames[ru.technique])
		e.endObj()
	}
	e.endObj()
}

func list(e *enc, k, v string) { e.arr(k); e.str("", v); e.endArr() }

// spelled writes a name as rule metadata spells it: with underscores, because
// that metadata is separated by spaces.
func spelled(e *enc, k, v string) {
	e.arr(k)
	e.begin("")
	for i := range len(v) {
		if v[i] == ' ' {
			e.b = append(e.b, '_')
		} else {
			e.b = append(e.b, v[i])
		}
	}
	e.finish()
	e.endArr()
}

func eveApp(e *enc, ev *event, ru *rule, app string) {
	named := ev.carries&hasDomain != 0
	switch app {
	case "http":
		e.num("tx_id", 0)
		e.obj("http")
		if named {
			e.domain("hostname", ev.domain)
		} else if ru.has&inbound != 0 {
			e.str("hostname", "www."+dnsSuffix)
		}
		e.begin("url")
		e.b = append(e.b, "/api/v"...)
		e.b = strconv.AppendUint(e.b, ev.id%4, 10)
		e.b = append(e.b, "/item?id="...)
		e.b = appendHex(e.b, ev.id, 8)
		e.finish()
		e.str("http_user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/128.0")
		e.str("http_content_type", "text/html")
		e.str("http_method", [...]string{"GET", "GET", "POST"}[ev.id%3])
		e.str("protocol", "HTTP/1.1")
		e.num("status", [...]int64{200, 200, 200, 302, 404}[ev.id%5])
		e.unum("length", 300+ev.id%60_000)
		e.endObj()
		if ev.carries&hasFile != 0 {
			e.arr("files")
			e.obj("")
			e.begin("filename")
			e.b = append(e.b, '/')
			e.b = appendFileName(e.b, ev.hash)
			e.finish()
			e.str("state", "CLOSED")
			e.hex("md5", ev.hash, md5Digits)
			e.hex("sha256", ev.hash, sha256Digits)
			e.boolean("stored", false)
			e.unum("size", 40_000+ev.hash%900_000)
			e.endObj()
			e.endArr()
		}
	case "tls":
		e.obj("tls")
		if named {
			e.domain("sni", ev.domain)
		}
		e.str("version", "TLS 1.2")
		e.obj("ja3")
		e.hex("hash", uint64(ru.port)+ev.id%7, md5Digits)
		e.endObj()
		e.endObj()
	case "dns":
		e.obj("dns")
		e.num("version", 2)
		e.str("type", "query")
		e.unum("id", ev.id&0xffff)
		e.num("tx_id", 0)
		if named {
			e.arr("query")
			e.obj("")
			e.str("type", "query")
			e.unum("id", ev.id&0xffff)
			e.begin("rrname")
			e.b = appendHex(e.b, ev.id, 6)
			e.b = append(e.b, '.')
			e.b = appendDomain(e.b, ev.domain)
			e.finish()
			e.str("rrtype", "A")
			e.num("tx_id", 0)
			e.endObj()
			e.endArr()
		}
		e.endObj()
	case "smb":
		e.obj("smb")
		e.unum("id", ev.id%90)
		e.str("dialect", "3.11")
		e.str("command", "SMB2_COMMAND_CREATE")
		e.str("status", "STATUS_SUCCESS")
		e.str("share", `\\*\ADMIN$`)
		e.endObj()
	case "ssh":
		e.obj("ssh")
		e.obj("client")
		e.str("proto_version", "2.0")
		e.str("software_version", "libssh_0.9.6")
		e.endObj()
		e.endObj()
	}
}

func (w *World) eveFlow(e *enc, ev *event, src, dst addr, srcPort, dstPort uint64) {
	e.obj("flow")
	e.unum("pkts_toserver", 3+ev.id%40)
	e.unum("pkts_toclient", 2+ev.id%50)
	e.unum("bytes_toserver", 400+ev.id%9000)
	e.unum("bytes_toclient", 300+ev.id%70_000)
	e.instant("start", ev.at-int64(ev.id%2000)*1_000_000, eveTime)
	e.ip("src_ip", src)
	e.ip("dest_ip", dst)
	e.unum("src_port", srcPort)
	e.unum("dest_port", dstPort)
	e.endObj()
}

// evePayload adds 96 to 223 bytes of payload, which makes the mean record 1.2 KB.
func evePayload(e *enc, ev *event) {
	var raw [224]byte
	n := 96 + int(ev.id%128)
	r := rng{s: ev.id}
	for i := 0; i < n; i += 8 {
		v := r.next()
		for j := i; j < min(i+8, n); j++ {
			raw[j] = byte(v)
			v >>= 8
		}
	}
	e.begin("payload")
	e.b = base64.StdEncoding.AppendEncode(e.b, raw[:n])
	e.finish()
	e.num("stream", 1)
	e.obj("packet_info")
	e.num("linktype", 1)
	e.endObj()
}
