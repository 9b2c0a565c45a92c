package normalize

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// spot adds the entities of the objects that stand in the event (base ocSpot)
// or in one of its evidences (base ocEvidenceSpot).
func (d *doc) spot(it *cursor, base slot) {
	str := func(p slot) string { return it.str(base + p) }
	device := str(spDevHost)
	if device != "" || str(spDevUID) != "" {
		d.host(schema.RoleTarget, device, str(spDevUID))
	}
	d.ip(schema.RoleTarget, str(spDevIP))

	d.ip(schema.RoleSource, str(spSrcIP))
	if s := str(spSrcHost); s != "" {
		d.host(schema.RoleSource, s, str(spSrcUID))
	}
	d.ip(schema.RoleTarget, str(spDstIP))
	if s := str(spDstHost); s != "" {
		// A remote end with a name is a domain unless we know it as a machine.
		if key := d.n.arena.domain(s); key != "" && str(spDstUID) == "" {
			d.domain(schema.RoleTarget, s)
		} else {
			d.host(schema.RoleTarget, s, str(spDstUID))
		}
	}
	d.user(schema.RoleTarget, str(spUser), str(spUserUID))
	d.mailbox(schema.RoleRelated, str(spUserMail))
	d.user(schema.RoleActor, str(spActor), str(spActorUID))
	d.mailbox(schema.RoleRelated, str(spActorMail))
	d.other(schema.EntitySession, schema.RoleRelated, str(spSession), "")

	host := ""
	if !isIP(device) {
		host = d.n.arena.host(device)
	}
	if host == "" && base != ocSpot && !isIP(d.str(ocSpot+spDevHost)) {
		host = d.n.arena.host(d.str(ocSpot + spDevHost))
	}
	d.process(schema.RoleRelated, host, str(spPID), str(spCommand), it.firstOf(base+spProcess, base+spProcPath))
	d.process(schema.RoleActor, host, str(spActorPID), str(spActorCommand), str(spActorProcess))
	d.user(schema.RoleRelated, str(spProcUser), "")
	d.file(schema.RoleRelated, str(spProcPath), "")
	d.file(schema.RoleRelated, str(spFilePath), str(spFileName))
	for h := it.each(base + spProcHashes); h.next(); {
		d.hash(schema.RoleRelated, h.text(), str(spProcess))
	}
	for h := it.each(base + spFileHashes); h.next(); {
		d.hash(schema.RoleRelated, h.text(), str(spFileName))
	}
	d.url(schema.RoleRelated, str(spURL))
	d.domain(schema.RoleRelated, str(spQuery))
	d.mailbox(schema.RoleSource, str(spMailFrom))
	for m := it.each(base + spMailTo); m.next(); {
		d.mailbox(schema.RoleTarget, m.text())
	}
	d.other(schema.EntityMessage, schema.RoleRelated, str(spMailID), "")
	d.other(schema.EntityContainer, schema.RoleRelated, str(spContainer), "")
}

func ocsfResources(d *doc) {
	d.other(schema.EntityCloudAccount, schema.RoleRelated, d.str(ocAccount), "")
	for it := d.each(ocResources); it.next(); {
		d.ip(schema.RoleTarget, it.str(ocResIP))
		if s := it.str(ocResHost); s != "" {
			d.host(schema.RoleTarget, s, it.str(ocResUID))
		}
		uid, name := it.str(ocResUID), it.str(ocResName)
		switch {
		case strings.EqualFold(it.str(ocResType), "user"):
			d.user(schema.RoleTarget, it.firstOf(ocResName, ocResUID), uid)
		case isIP(uid):
			d.ip(schema.RoleTarget, uid)
		default:
			if uid == "" {
				uid = name
			}
			d.resource(schema.RoleTarget, uid, name)
		}
	}
}

// observable adds what observables[] says by OCSF's type_id. The objects that
// they repeat come first, so that their roles win.
func (d *doc) observable(name, typeID, value string) {
	related := schema.RoleRelated
	switch typeID {
	case "1": // hostname: of a machine or of a remote end; the attribute's path tells
		machine := strings.Contains(name, "device") || strings.Contains(name, "src_endpoint") || strings.Contains(name, "resource")
		if !machine && d.n.arena.domain(value) != "" {
			d.domain(related, value)
		} else {
			d.host(related, value, "")
		}
	case "2":
		d.ip(related, value)
	case "4", "21":
		d.user(related, value, "")
	case "5":
		d.mailbox(related, value)
	case "6", "23":
		d.url(related, value)
	case "7", "24", "45":
		d.file(related, value, "")
	case "8", "30":
		d.hash(related, value, "")
	case "10":
		d.resource(related, value, "")
	case "13":
		d.process(related, "", "", value, "")
	case "27":
		d.other(schema.EntityContainer, related, value, "")
	case "28", "46":
		d.add(schema.EntityRegistryKey, related, d.n.arena.lower(clean(value)), "", value)
	case "35":
		d.other(schema.EntityCloudAccount, related, value, "")
	case "42":
		d.other(schema.EntityMessage, related, value, "")
	}
}
