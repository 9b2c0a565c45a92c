package normalize

import (
	"strings"

	"github.com/interdict/interdict/schema"
)

// under puts prefix before each of the alternatives in paths.
func under(prefix, paths string) string {
	return prefix + strings.ReplaceAll(paths, "|", "|"+prefix)
}

// evidence adds the entities of one element of Graph's evidence[]. It goes by
// the fields that are there: types share them, and new types reuse them.
func (d *doc) evidence(it *cursor) {
	role, said := graphRole(it)
	asset := role // of machines, accounts and mailboxes: they are what was hit
	if !said {
		asset = schema.RoleTarget
	}
	kind := strings.TrimPrefix(it.str(grEvType), "#microsoft.graph.security.")

	if kind == "deviceEvidence" || kind == "ioTDeviceEvidence" || kind == "" && it.firstOf(grEvDNSName, grEvHostName) != "" {
		d.host(asset, it.firstOf(grEvDNSName, grEvHostName), it.firstOf(grEvDevice, grEvAADDevice))
		d.ip(asset, it.str(grEvLastIP))
		d.ip(schema.RoleRelated, it.str(grEvExternalIP))
		for u := it.each(grEvLoggedOn); u.next(); {
			d.user(schema.RoleRelated, u.str(grEvLoggedOnName), "")
		}
	}
	d.user(asset, it.firstOf(grEvAccount, grEvUPN, grEvDisplay), it.firstOf(grEvSID, grEvAAD, grEvUPN))
	if kind == "userEvidence" || kind == "mailboxEvidence" {
		d.mailbox(asset, it.str(grEvUPN))
	}
	d.ip(role, it.str(grEvIP))
	d.ip(schema.RoleSource, it.str(grEvSrcIP))
	d.ip(schema.RoleTarget, it.str(grEvDestIP))
	d.url(role, it.str(grEvURL))
	d.domain(role, it.str(grEvDomain))
	if kind == "fileHashEvidence" {
		d.hash(role, it.str(grEvHash), "")
	}
	d.graphFile(role, it)
	d.graphMessage(role, asset, it)
	d.graphCloud(role, kind, it)
}

// graphFile adds a file, and the process whose image it may be.
func (d *doc) graphFile(role schema.Role, it *cursor) {
	name := it.str(grEvFileName)
	for _, p := range [...]slot{grEvSHA256, grEvSHA1, grEvMD5} {
		d.hash(role, it.str(p), name)
	}
	d.file(role, it.str(grEvFilePath), name)
	if it.str(grEvPID) != "" || it.str(grEvCommand) != "" {
		host := d.graphHost(it.str(grEvDevice))
		d.process(role, host, it.str(grEvPID), it.str(grEvCommand), name)
		if pid := it.str(grEvParentPID); host != "" && pid != "" {
			d.process(schema.RoleRelated, host, pid, "", it.str(grEvParentName))
		}
	}
	if key := clean(it.str(grEvRegistry)); key != "" {
		if hive := clean(it.str(grEvHive)); hive != "" && (len(key) < 4 || !strings.EqualFold(key[:4], "HKEY")) {
			key = d.n.arena.join(hive, `\`, key)
		}
		d.add(schema.EntityRegistryKey, role, d.n.arena.lower(key), "", key)
	}
}

// graphHost gives the key of the alert's device with that id, of its only
// device where the evidence names none.
func (d *doc) graphHost(id string) (key string) {
	for it := d.each(grEvidence); it.next(); {
		name := it.firstOf(grEvDNSName, grEvHostName)
		if name == "" {
			continue
		}
		switch dev := it.str(grEvDevice); {
		case id != "" && dev == id:
			return d.n.arena.host(name)
		case id != "" && dev != "":
		case key == "":
			key = d.n.arena.host(name)
		default:
			return ""
		}
	}
	return key
}

func (d *doc) graphMessage(role, asset schema.Role, it *cursor) {
	d.mailbox(asset, it.str(grEvMailbox))
	d.mailbox(asset, it.str(grEvRecipient))
	d.mailbox(schema.RoleSource, it.str(grEvSender2))
	d.mailbox(schema.RoleSource, it.str(grEvSender))
	d.ip(schema.RoleSource, it.str(grEvSenderIP))
	d.other(schema.EntityMessage, role, it.str(grEvMessage), "")
	for u := it.each(grEvURLs); u.next(); {
		d.url(schema.RoleRelated, u.text())
	}
}

func (d *doc) graphCloud(role schema.Role, kind string, it *cursor) {
	name := it.str(grEvName)
	d.other(schema.EntityApplication, role, it.str(grEvApp), name)
	if spn := it.str(grEvSPN); spn != "" {
		d.user(role, spn, it.str(grEvApp))
	}
	d.resource(role, it.str(grEvAzure), name)
	d.resource(role, it.str(grEvAmazon), name)
	d.other(schema.EntityCloudAccount, schema.RoleRelated, it.str(grEvAmazonAccount), "")
	d.resource(role, it.str(grEvGoogle), name)
	d.other(schema.EntityContainer, role, it.str(grEvContainer), name)
	if strings.HasSuffix(kind, "LogonSessionEvidence") || kind == "cloudLogonRequestEvidence" {
		d.other(schema.EntitySession, role, it.str(grEvSession), "")
	}
}

// graphRole gives the most telling of the evidence's roles.
func graphRole(it *cursor) (role schema.Role, said bool) {
	rank := 0
	take := func(n int, r schema.Role) {
		if n > rank {
			rank, role = n, r
		}
	}
	for r := it.each(grEvRoles); r.next(); {
		switch r.text() {
		case "commandAndControl":
			take(4, schema.RoleC2)
		case "attacker":
			take(3, schema.RoleActor)
		case "attacked", "compromised", "destination":
			take(2, schema.RoleTarget)
		case "source":
			take(1, schema.RoleSource)
		}
	}
	return role, rank > 0
}
