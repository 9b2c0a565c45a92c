package normalize

import (
	"github.com/interdict/interdict/schema"
)

// add notes an entity of the alert under its canonical key; "" is nothing. An
// entity seen before gets what it did not have yet: each (type, key) is there
// once, and attested if any of the fields that name it is.
func (d *doc) add(t schema.EntityType, role schema.Role, key, uid, name string) {
	if key == "" {
		return
	}
	uid = clean(uid)
	attested := !d.hearsay && d.n.attested&(1<<t) != 0
	for i := range d.a.Entities {
		e := &d.a.Entities[i]
		if e.Type != t || e.Key != key {
			continue
		}
		if e.Role == schema.RoleRelated {
			e.Role = role
		}
		e.Attested = e.Attested || attested
		if e.UID == "" {
			e.UID = uid
		}
		return
	}
	if len(d.a.Entities) == d.n.cfg.MaxEntities {
		d.fault = fault{reason: schema.ReasonTooLarge, what: "too many entities"}
		return
	}
	if name == key {
		name = ""
	}
	d.a.Entities = append(d.a.Entities, schema.Entity{Type: t, Role: role, Attested: attested, Key: key, UID: uid, Name: name})
}

func (d *doc) ip(role schema.Role, s string) {
	if s != "" {
		d.add(schema.EntityIP, role, d.n.arena.ip(s), "", s)
	}
}

// host adds a host, or an address where the vendor has no name for it.
func (d *doc) host(role schema.Role, s, uid string) {
	if isIP(s) {
		d.ip(role, s)
		return
	}
	key := d.n.arena.host(s)
	if key == "" {
		key = d.n.arena.lower(clean(uid))
	}
	d.add(schema.EntityHost, role, key, uid, s)
}

// user adds an account. uid is the most stable id the vendor gives: a SID,
// object id or UPN.
func (d *doc) user(role schema.Role, s, uid string) {
	d.add(schema.EntityUser, role, d.n.arena.user(s), uid, s)
}

// domain adds a domain, an address, or nothing for a bare name. An address in
// the place of a name is what somebody wrote, into a Host header or a URL: no
// source attests that it was there.
func (d *doc) domain(role schema.Role, s string) {
	if s == "" {
		return
	}
	if isIP(s) {
		d.reported(func() { d.ip(role, s) })
		return
	}
	d.add(schema.EntityDomain, role, d.n.arena.domain(s), "", s)
}

// url adds a URL and the domain or address in it.
func (d *doc) url(role schema.Role, s string) {
	u := d.n.arena.url(s)
	if u == "" {
		return
	}
	d.add(schema.EntityURL, role, u, "", s)
	d.domain(role, urlHost(u))
}

func (d *doc) hash(role schema.Role, s, fileName string) {
	if s != "" {
		d.add(schema.EntityFileHash, role, d.n.arena.hash(s), "", fileName)
	}
}

func (d *doc) mailbox(role schema.Role, s string) {
	if s != "" {
		d.add(schema.EntityMailbox, role, d.n.arena.mailbox(s), "", s)
	}
}

// file adds a file by its path, or by its name where there is no path.
func (d *doc) file(role schema.Role, folder, name string) {
	folder, name = clean(folder), clean(name)
	path := folder
	switch {
	case folder == "":
		path = name
	case name != "" && !hasSuffixFold(folder, name):
		sep := "/"
		for i := 0; i < len(folder); i++ {
			if folder[i] == '\\' {
				sep = `\`
			}
		}
		if last := folder[len(folder)-1]; last == '/' || last == '\\' {
			sep = ""
		}
		path = d.n.arena.join(folder, sep, name)
	}
	d.add(schema.EntityFile, role, d.n.arena.file(path), "", path)
}

// process adds a process: by host and number, else by its command line or
// image. host is a canonical host key.
func (d *doc) process(role schema.Role, host, pid, command, image string) {
	command, image = clean(command), clean(image)
	name := command
	if name == "" {
		name = image
	}
	switch {
	case host != "" && pid != "" && pid != "0":
		d.add(schema.EntityProcess, role, d.n.arena.join(host, ":", pid), "", name)
	case command != "":
		d.add(schema.EntityProcess, role, command, "", command)
	default:
		d.add(schema.EntityProcess, role, d.n.arena.file(image), "", image)
	}
}

// other adds an entity whose key the vendor assigns.
func (d *doc) other(t schema.EntityType, role schema.Role, key, name string) {
	d.add(t, role, clean(key), "", name)
}

func (d *doc) resource(role schema.Role, id, name string) {
	d.add(schema.EntityCloudResource, role, d.n.arena.resource(id), "", name)
}

// reported adds entities of fields that the sensor has only heard: a party to the
// traffic could have put anybody's name there. They are never attested, so that
// nobody can have another contained by naming it.
func (d *doc) reported(add func()) {
	before := d.hearsay
	d.hearsay = true
	add()
	d.hearsay = before
}

// maxTechniques bounds an alert's techniques and tactics. The wire form takes
// schema.MaxElements: an alert with more could be written and never read.
const maxTechniques = 256

// technique notes an ATT&CK technique or tactic that the vendor names, once.
func (d *doc) technique(id, tactic string) {
	id, tactic = techniqueID(id), tacticID(tactic)
	if id == "" && tactic == "" {
		return
	}
	for _, t := range d.a.Techniques {
		if t.ID == id && t.Tactic == tactic || id == "" && t.Tactic == tactic {
			return
		}
	}
	if len(d.a.Techniques) == maxTechniques {
		d.fault = fault{reason: schema.ReasonTooLarge, what: "too many techniques"}
		return
	}
	d.a.Techniques = append(d.a.Techniques, schema.Technique{ID: id, Tactic: tactic})
}

func hasSuffixFold(s, suffix string) bool {
	if len(s) < len(suffix) {
		return false
	}
	s = s[len(s)-len(suffix):]
	for i := 0; i < len(s); i++ {
		a, b := s[i], suffix[i]
		if a != b && (a|0x20 != b|0x20 || a|0x20 < 'a' || a|0x20 > 'z') {
			return false
		}
	}
	return true
}
