package gen

const (
	awsTime   = "2006-01-02T15:04:05.000Z"
	awsRegion = "eu-central-1"
)

var guardDutySeverity = [...]string{"1", "1", "2", "5", "8", "9"}

// guardDuty writes a finding of schema 2.0 as the service exports it to S3 and
// EventBridge: camel case, while its API answers with capitals.
func (w *World) guardDuty(e *enc, ev *event, ru *rule) {
	e.obj("")
	e.str("schemaVersion", "2.0")
	e.str("accountId", w.ids.awsAccount)
	e.str("region", awsRegion)
	e.str("partition", "aws")
	e.begin("id")
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.begin("arn")
	e.b = append(e.b, "arn:aws:guardduty:"+awsRegion+":"...)
	e.b = append(e.b, w.ids.awsAccount...)
	e.b = append(e.b, ":detector/"...)
	e.b = appendHex(e.b, w.ids.detector, 32)
	e.b = append(e.b, "/finding/"...)
	e.b = appendVendorID(e.b, ev, ru)
	e.finish()
	e.str("type", ru.id)
	e.obj("resource")
	if ru.has&hasHost != 0 {
		e.str("resourceType", "Instance")
		w.instance(e, ev)
	} else {
		if ru.has&hasBucket != 0 {
			e.str("resourceType", "S3Bucket")
		} else {
			e.str("resourceType", "AccessKey")
		}
		w.accessKey(e, ev)
		if ev.carries&hasBucket != 0 {
			w.bucket(e, ev)
		}
	}
	e.endObj()
	e.obj("service")
	e.str("serviceName", "guardduty")
	e.hex("detectorId", w.ids.detector, 32)
	w.guardDutyAction(e, ev, ru)
	if ru.tactic == commandAndControl || ru.tactic == impact {
		e.str("resourceRole", "ACTOR")
	} else {
		e.str("resourceRole", "TARGET")
	}
	e.raw("additionalInfo", "{}")
	e.instant("eventFirstSeen", ev.at, awsTime)
	e.instant("eventLastSeen", ev.at, awsTime)
	e.boolean("archived", false)
	e.unum("count", 1+ev.id%4)
	e.endObj()
	e.raw("severity", guardDutySeverity[ru.severity])
	e.instant("createdAt", ev.created, awsTime)
	e.instant("updatedAt", ev.created, awsTime)
	e.str("title", ru.title)
	e.begin("description")
	e.text(ru.title)
	e.text(". This differs from what is usual for the resource.")
	e.finish()
	e.endObj()
}

func (w *World) accessKey(e *enc, ev *event) {
	e.obj("accessKeyDetails")
	e.begin("accessKeyId")
	e.b = append(e.b, "AKIA"...)
	e.b = appendBase36(e.b, w.userID(ev.user), 16)
	e.finish()
	e.begin("principalId")
	e.b = append(e.b, "AIDA"...)
	e.b = appendBase36(e.b, w.userID(ev.user)^1, 17)
	e.finish()
	e.str("userType", "IAMUser")
	e.str("userName", w.accounts.list[ev.user].name)
	e.endObj()
}

var bucketNames = [...]string{"corp-invoices", "corp-backups", "corp-models", "corp-exports", "corp-web-assets", "corp-hr-archive"}

func (w *World) bucket(e *enc, ev *event) {
	name := bucketNames[ev.id%uint64(len(bucketNames))]
	e.arr("s3BucketDetails")
	e.obj("")
	e.begin("arn")
	e.text("arn:aws:s3:::")
	e.text(name)
	e.finish()
	e.str("name", name)
	e.str("type", "Destination")
	e.endObj()
	e.endArr()
}

func (w *World) instance(e *enc, ev *event) {
	h := &w.fleet.hosts[ev.host]
	ip := w.fleet.addrAt(ev.host, ev.at)
	e.obj("instanceDetails")
	e.begin("instanceId")
	e.b = append(e.b, "i-0"...)
	e.b = appendHex(e.b, w.hostID(ev.host), 16)
	e.finish()
	e.str("instanceType", "m7g.large")
	e.instant("launchTime", w.start-40*24*hour, awsTime)
	e.str("availabilityZone", awsRegion+"a")
	e.arr("networkInterfaces")
	e.obj("")
	e.begin("networkInterfaceId")
	e.b = append(e.b, "eni-0"...)
	e.b = appendHex(e.b, w.hostID(ev.host)^2, 16)
	e.finish()
	e.ip("privateIpAddress", ip)
	e.endObj()
	e.endArr()
	e.arr("tags")
	e.obj("")
	e.str("key", "Name")
	e.str("value", h.name)
	e.endObj()
	e.endArr()
	e.endObj()
}

func (w *World) guardDutyAction(e *enc, ev *event, ru *rule) {
	e.obj("action")
	switch ru.detail {
	case "DNS_REQUEST":
		e.str("actionType", "DNS_REQUEST")
		e.obj("dnsRequestAction")
		if ev.carries&hasDomain != 0 {
			e.domain("domain", ev.domain)
		}
		e.str("protocol", "UDP")
		e.boolean("blocked", false)
		e.endObj()
	case "NETWORK_CONNECTION":
		e.str("actionType", "NETWORK_CONNECTION")
		e.obj("networkConnectionAction")
		local, remote, direction := 49152+ev.id%16384, uint64(ru.port), "OUTBOUND"
		if ru.has&inbound != 0 {
			local, remote, direction = remote, local, "INBOUND"
		}
		e.str("connectionDirection", direction)
		e.str("protocol", "TCP")
		e.obj("localPortDetails")
		e.unum("port", local)
		e.endObj()
		e.obj("remotePortDetails")
		e.unum("port", remote)
		e.endObj()
		remoteIP(e, ev)
		e.boolean("blocked", false)
		e.endObj()
	default:
		e.str("actionType", "AWS_API_CALL")
		e.obj("awsApiCallAction")
		e.str("api", ru.detail)
		e.str("serviceName", ru.image)
		e.str("callerType", "Remote IP")
		remoteIP(e, ev)
		e.endObj()
	}
	e.endObj()
}

func remoteIP(e *enc, ev *event) {
	if ev.carries&hasRemote == 0 {
		return
	}
	_, name, city := country(ev.remote)
	e.obj("remoteIpDetails")
	e.ip("ipAddressV4", ev.remote)
	e.obj("organization")
	e.unum("asn", 64512+uint64(ev.remote>>9)%1000) // from the numbers for private use
	e.str("asnOrg", "Example Network")
	e.endObj()
	e.obj("country")
	e.str("countryName", name)
	e.endObj()
	e.obj("city")
	e.str("cityName", city)
	e.endObj()
	e.endObj()
}
