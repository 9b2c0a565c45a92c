package gen

import "strings"

const oktaTime = "2006-01-02T15:04:05.000Z"

var oktaSeverity = [...]string{"INFO", "INFO", "WARN", "WARN", "ERROR", "ERROR"}

// okta writes a System Log event.
func (w *World) okta(e *enc, ev *event, ru *rule) {
	threat := ru.id == "security.threat.detected"
	e.obj("")
	e.obj("actor")
	w.oktaUser(e, ev.user)
	e.endObj()
	w.oktaClient(e, ev)
	e.obj("authenticationContext")
	e.null("authenticationProvider")
	e.null("credentialProvider")
	e.null("credentialType")
	e.null("issuer")
	e.num("authenticationStep", 0)
	e.begin("externalSessionId")
	e.b = append(e.b, "idx"...)
	e.b = appendBase36(e.b, ev.id^5, 20)
	e.finish()
	e.endObj()
	e.str("displayMessage", ru.title)
	e.str("eventType", ru.id)
	result, reason, _ := strings.Cut(ru.detail, "/")
	if threat {
		result, reason = "DENY", ""
	}
	e.obj("outcome")
	e.str("result", result)
	orNull(e, "reason", reason)
	e.endObj()
	e.instant("published", ev.created, oktaTime)
	e.obj("securityContext")
	e.unum("asNumber", 64512+uint64(ev.remote>>9)%1000)
	e.str("asOrg", "example network")
	e.str("isp", "example network")
	e.str("domain", "isp.example")
	e.boolean("isProxy", threat && ev.id%3 == 0)
	e.endObj()
	e.str("severity", oktaSeverity[ru.severity])
	e.obj("debugContext")
	e.obj("debugData")
	e.hex("requestId", ev.id^7, 32)
	e.str("requestUri", "/idp/idx/identify")
	e.str("url", "/idp/idx/identify?")
	if threat {
		e.str("threatSuspected", "true")
		e.begin("threatDetections")
		e.text(`{"`)
		e.text(ru.detail)
		e.text(`":"HIGH"}`)
		e.finish()
	} else {
		e.str("threatSuspected", "false")
	}
	e.endObj()
	e.endObj()
	if ru.id == "user.session.start" {
		if result == "SUCCESS" {
			e.str("legacyEventType", "core.user_auth.login_success")
		} else {
			e.str("legacyEventType", "core.user_auth.login_failed")
		}
	} else {
		e.null("legacyEventType")
	}
	e.obj("transaction")
	e.str("type", "WEB")
	e.hex("id", ev.id^9, 32)
	e.raw("detail", "{}")
	e.endObj()
	e.begin("uuid")
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.str("version", "0")
	e.obj("request")
	e.arr("ipChain")
	if ev.carries&hasRemote != 0 {
		e.obj("")
		e.ip("ip", ev.remote)
		geo(e, ev.remote)
		e.str("version", "V4")
		e.null("source")
		e.endObj()
	}
	e.endArr()
	e.endObj()
	e.arr("target")
	if ru.id == "user.authentication.sso" {
		e.obj("")
		e.str("id", "0oa4example5App6name7")
		e.str("type", "AppInstance")
		e.str("alternateId", "Intranet")
		e.str("displayName", "Intranet")
		e.null("detailEntry")
		e.endObj()
	}
	e.endArr()
	e.endObj()
}

func orNull(e *enc, k, v string) {
	if v == "" {
		e.null(k)
	} else {
		e.str(k, v)
	}
}

func (w *World) oktaUser(e *enc, user int32) {
	a := &w.accounts.list[user]
	e.begin("id")
	e.b = append(e.b, "00u"...)
	e.b = appendBase36(e.b, w.userID(user)^3, 17)
	e.finish()
	e.str("type", "User")
	e.str("alternateId", a.upn)
	e.str("displayName", a.display)
	e.null("detailEntry")
}

func (w *World) oktaClient(e *enc, ev *event) {
	e.obj("client")
	e.obj("userAgent")
	e.str("rawUserAgent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36")
	e.str("os", "Windows 10")
	e.str("browser", "CHROME")
	e.endObj()
	e.str("zone", "null") // the service really sends the word
	e.str("device", "Computer")
	e.null("id")
	if ev.carries&hasRemote != 0 {
		e.ip("ipAddress", ev.remote)
		geo(e, ev.remote)
	} else {
		e.null("ipAddress")
		e.null("geographicalContext")
	}
	e.endObj()
}

func geo(e *enc, a addr) {
	_, name, city := country(a)
	e.obj("geographicalContext")
	e.str("city", city)
	e.null("state")
	e.str("country", name)
	e.null("postalCode")
	e.obj("geolocation")
	e.raw("lat", "50.11")
	e.raw("lon", "8.68")
	e.endObj()
	e.endObj()
}
