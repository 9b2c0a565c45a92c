package gen

var ocsfSeverity = [...]string{"Unknown", "Informational", "Low", "Medium", "High", "Critical"}

// edr writes an OCSF Detection Finding (class 2004), as an endpoint sensor that
// speaks OCSF itself sends it.
func (w *World) edr(e *enc, ev *event, ru *rule) {
	e.obj("")
	e.num("activity_id", 1)
	e.str("activity_name", "Create")
	e.num("category_uid", 2)
	e.str("category_name", "Findings")
	e.num("class_uid", 2004)
	e.str("class_name", "Detection Finding")
	e.num("type_uid", 200401)
	e.str("type_name", "Detection Finding: Create")
	e.num("time", ev.created/1_000_000)
	e.num("severity_id", int64(ru.severity))
	e.str("severity", ocsfSeverity[ru.severity])
	e.num("status_id", 1)
	e.str("status", "New")
	e.num("confidence_id", int64(min(3, 1+ru.severity/2)))
	e.boolean("is_alert", true)
	e.str("message", ru.title)
	e.obj("metadata")
	e.str("version", "1.8.0")
	e.arr("profiles")
	e.str("", "host")
	e.endArr()
	e.obj("product")
	e.str("name", "Endpoint Sensor")
	e.str("vendor_name", "Example EDR")
	e.str("version", "6.2.1")
	e.endObj()
	e.uuid("uid", ev.id^0x6d657461)
	e.num("logged_time", ev.created/1_000_000)
	e.endObj()
	w.findingInfo(e, ev, ru)
	if ev.carries&hasHost != 0 {
		w.ocsfDevice(e, "device", ev.host, ev.at)
	}
	e.arr("evidences")
	e.obj("")
	w.ocsfEvidence(e, ev, ru)
	e.endObj()
	if ev.carries&hasPeer != 0 && ev.carries&hasRemote != 0 {
		e.obj("") // the controller that steered the move
		w.outside(e, ev)
		e.endObj()
	}
	e.endArr()
	e.endObj()
}

func (w *World) findingInfo(e *enc, ev *event, ru *rule) {
	e.obj("finding_info")
	e.begin("uid")
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.str("title", ru.title)
	e.begin("desc")
	e.text(ru.title)
	e.text(" on a managed endpoint.")
	e.finish()
	e.num("created_time", ev.created/1_000_000)
	e.num("first_seen_time", ev.at/1_000_000)
	e.num("last_seen_time", ev.at/1_000_000)
	e.obj("analytic")
	e.str("uid", ru.id)
	e.str("name", ru.title)
	e.num("type_id", analyticType(ru.detail))
	e.str("type", ru.detail)
	e.endObj()
	e.arr("attacks")
	if ru.technique != "" {
		t := &tactics[ru.tactic]
		e.obj("")
		e.str("version", "18")
		e.obj("tactic")
		e.str("uid", t.uid)
		e.str("name", t.name)
		e.endObj()
		parent := ru.technique[:5]
		e.obj("technique")
		e.str("uid", parent)
		e.str("name", techniqueNames[parent])
		e.endObj()
		if ru.technique != parent {
			e.obj("sub_technique")
			e.str("uid", ru.technique)
			e.str("name", techniqueNames[ru.technique])
			e.endObj()
		}
		e.endObj()
	}
	e.endArr()
	e.endObj()
}

// analyticType is OCSF's number for a kind of analytic.
func analyticType(name string) int64 {
	switch name {
	case "Rule":
		return 1
	case "Behavioral":
		return 2
	case "Statistical":
		return 3
	case "Learning (ML/DL)":
		return 4
	case "Fingerprinting":
		return 5
	default:
		return 0
	}
}

// ocsfDevice writes a machine; this sensor spells names as NetBIOS does.
func (w *World) ocsfDevice(e *enc, k string, i int32, at int64) {
	h := &w.fleet.hosts[i]
	e.obj(k)
	e.hex("uid", w.hostID(i)^0x6f, 32)
	e.begin("hostname")
	e.upper(h.name)
	e.finish()
	e.str("domain", dnsSuffix)
	e.ip("ip", w.fleet.addrAt(i, at))
	if h.class == Workstation {
		e.num("type_id", 2)
		e.str("type", "Desktop")
	} else {
		e.num("type_id", 1)
		e.str("type", "Server")
	}
	e.obj("os")
	e.str("name", h.os())
	e.num("type_id", [...]int64{100, 100, 200}[osIndex(h)])
	e.endObj()
	e.endObj()
}

func (w *World) ocsfUser(e *enc, user int32) {
	a := &w.accounts.list[user]
	e.obj("user")
	e.str("name", a.name)
	w.sid(e, "uid", user)
	e.str("domain", w.domainOf(user))
	if a.upn != "" {
		e.str("email_addr", a.upn)
	}
	e.endObj()
}

func (w *World) ocsfEvidence(e *enc, ev *event, ru *rule) {
	c := ev.carries
	if c&hasUser != 0 || c&hasProcess != 0 {
		e.obj("actor")
		if c&hasProcess != 0 {
			e.obj("process")
			e.unum("pid", 1000+ev.id%30_000)
			e.str("name", ru.image)
			e.str("cmd_line", ru.command)
			e.num("created_time", (ev.at-second)/1_000_000)
			e.obj("file")
			e.str("name", ru.image)
			e.begin("path")
			e.text(`C:\Windows\System32\`)
			e.text(ru.image)
			e.finish()
			e.num("type_id", 1)
			hashes(e, imageHash(ru.image))
			e.endObj()
			e.endObj()
		}
		if c&hasUser != 0 {
			w.ocsfUser(e, ev.user)
		}
		e.endObj()
	}
	if c&hasFile != 0 {
		e.obj("file")
		e.begin("name")
		e.b = appendFileName(e.b, ev.hash)
		e.finish()
		e.begin("path")
		e.text(`C:\Users\Public\`)
		e.b = appendFileName(e.b, ev.hash)
		e.finish()
		e.num("type_id", 1)
		e.unum("size", 40_000+ev.hash%900_000)
		hashes(e, ev.hash)
		e.endObj()
	}
	if c&hasHost != 0 && c&(hasPeer|hasRemote) != 0 {
		e.obj("src_endpoint")
		e.begin("hostname")
		e.upper(w.fleet.hosts[ev.host].name)
		e.finish()
		e.ip("ip", w.fleet.addrAt(ev.host, ev.at))
		e.unum("port", 49152+ev.id%16384)
		e.endObj()
	}
	switch {
	case c&hasPeer != 0:
		e.obj("dst_endpoint")
		e.begin("hostname")
		e.upper(w.fleet.hosts[ev.peer].name)
		e.finish()
		e.ip("ip", w.fleet.addrAt(ev.peer, ev.at))
		e.unum("port", uint64(ru.port))
		e.endObj()
	case c&(hasRemote|hasDomain) != 0:
		w.outside(e, ev)
	}
}

// outside writes the far end of a connection that left the company.
func (w *World) outside(e *enc, ev *event) {
	e.obj("dst_endpoint")
	if ev.carries&hasDomain != 0 {
		e.domain("hostname", ev.domain)
	}
	if ev.carries&hasRemote != 0 {
		e.ip("ip", ev.remote)
	}
	e.num("port", 443)
	e.endObj()
}

func hashes(e *enc, id uint64) {
	e.arr("hashes")
	for _, h := range [...]struct {
		id     int64
		name   string
		digits int
	}{{3, "SHA-256", sha256Digits}, {1, "MD5", md5Digits}} {
		e.obj("")
		e.num("algorithm_id", h.id)
		e.str("algorithm", h.name)
		e.hex("value", id, h.digits)
		e.endObj()
	}
	e.endArr()
}
