package mapping

import (
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
	"github.com/interdict/interdict/stages/normalize/extract"
)

// make makes the entities that one text of a rule means: the i-th of n.
func (r *Runner) make(x *rule, role schema.Role, text string, i, n int) {
	switch x.kind {
	case kindHost:
		r.host(role, text, r.nth(x.uid, i, n), r.port(x, text, n))
	case kindUser:
		r.user(x, role, text, i, n)
	case kindIP:
		r.ip(role, text, r.port(x, text, n))
	case kindDomain:
		r.domain(role, text, r.port(x, text, n))
	case kindURL:
		r.url(role, text)
	case kindMailbox:
		r.put(schema.EntityMailbox, role, canon.Mailbox(r.arena, text), "", text)
	case kindAddress:
		switch {
		case canon.IsIP(text):
			r.ip(role, text, r.port(x, text, n))
		case canon.Domain(r.arena, text) != "":
			r.domain(role, text, r.port(x, text, n))
		case canon.IP(r.arena, text) != "": // with a port after it
			r.ip(role, text, r.port(x, text, n))
		default:
			r.host(role, text, "", r.port(x, text, n))
		}
	case kindHash:
		name := r.nth(x.name, i, n)
		if name == "" {
			name = r.nth(x.name, 0, 1) // several hashes of one file
		}
		canon.Hashes(r.arena, text, func(hash string) bool {
			r.put(schema.EntityFileHash, role, hash, "", name)
			return true
		})
	case kindFile:
		r.file(role, r.nth(x.folder, i, n), text)
	case kindProcess:
		r.process(role, r.nth(x.host, i, n), r.nth(x.pid, i, n), text, r.nth(x.image, i, n))
	case kindMessage:
		r.put(schema.EntityMessage, role, canon.Clean(text), "", r.nth(x.name, i, n))
	case kindResource:
		r.put(schema.EntityCloudResource, role, canon.Resource(r.arena, text), "", r.nth(x.name, i, n))
	case kindAccount:
		r.put(schema.EntityCloudAccount, role, canon.Clean(text), "", r.nth(x.name, i, n))
	case kindApplication:
		r.put(schema.EntityApplication, role, canon.Clean(text), "", r.nth(x.name, i, n))
	case kindRegistry:
		r.put(schema.EntityRegistryKey, role, canon.Registry(r.arena, text), "", text)
	case kindContainer:
		r.put(schema.EntityContainer, role, canon.Clean(text), "", r.nth(x.name, i, n))
	case kindSession:
		r.put(schema.EntitySession, role, canon.Clean(text), "", r.nth(x.name, i, n))
	case kindCertificate:
		name := r.nth(x.name, i, n)
		if name == "" {
			name = r.nth(x.name, 0, 1) // several fingerprints of one certificate
		}
		r.put(schema.EntityCertificate, role, canon.Certificate(r.arena, text), "", name)
	case kindJA3:
		r.fingerprint(role, "ja3:", canon.JA3(r.arena, text))
	case kindJA3S:
		r.fingerprint(role, "ja3s:", canon.JA3(r.arena, text))
	case kindJA4:
		r.fingerprint(role, "ja4:", canon.JA4(r.arena, text))
	case kindUserAgent:
		r.said(schema.EntityUserAgent, role, canon.UserAgent(r.arena, text))
	case kindMutex:
		r.put(schema.EntityMutex, role, canon.Mutex(r.arena, text), "", "")
	}
}

// put notes an entity of the alert under its canonical key; "" is nothing.
func (r *Runner) put(t schema.EntityType, role schema.Role, key, uid, name string) {
	r.putAt(t, role, key, uid, name, 0)
}

// putAt is put for what has a port. Each (type, key) is there once, under the name
// that came first. One seen before gets the role, the uid and the port that it did
// not have yet, and is attested if any of the fields that name it is.
func (r *Runner) putAt(t schema.EntityType, role schema.Role, key, uid, name string, port uint16) {
	if key == "" {
		return
	}
	uid = canon.Clean(uid)
	attested := !r.hearsay && r.trust[t]&(1<<role) != 0
	entities := r.alert.Entities
	for i := range entities {
		e := &entities[i]
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
		if e.Port == 0 && port != 0 {
			e.Port, r.ported = port, i
		}
		return
	}
	if len(entities) == r.max {
		r.fault = extract.Fault{Reason: schema.ReasonTooLarge, What: "too many entities"}
		return
	}
	if name == key {
		name = ""
	}
	r.alert.Entities = append(entities, schema.Entity{Type: t, Role: role, Attested: attested, Key: key, UID: uid, Name: name, Port: port})
}

// said is put for what nobody can attest: only whoever wrote it says so.
func (r *Runner) said(t schema.EntityType, role schema.Role, key string) {
	before := r.hearsay
	r.hearsay = true
	r.put(t, role, key, "", "")
	r.hearsay = before
}

// port gives the port of a text of a rule: what the rule says, else
// what stands after the address or name. Of several texts none has the rule's.
func (r *Runner) port(x *rule, text string, n int) uint16 {
	if x.port != nil && n == 1 {
		if p := canon.Port(x.port.text(r)); p != 0 {
			return p
		}
	}
	return canon.PortAfter(text)
}

// ip adds an address.
func (r *Runner) ip(role schema.Role, s string, port uint16) {
	r.putAt(schema.EntityIP, role, canon.IP(r.arena, s), "", s, port)
}

// host adds a host, or an address where the vendor has no name for it.
func (r *Runner) host(role schema.Role, name, uid string, port uint16) {
	if canon.IsIP(name) {
		r.ip(role, name, port)
		return
	}
	key := canon.Host(r.arena, name)
	if key == "" {
		key = canon.Lower(r.arena, canon.Clean(uid))
	}
	r.putAt(schema.EntityHost, role, key, uid, name, port)
}

// user adds an account. Its uid is the most stable id the vendor gives: a SID,
// object id or UPN.
func (r *Runner) user(x *rule, role schema.Role, name string, i, n int) {
	uid := r.nth(x.uid, i, n)
	full := name
	if domain := canon.Clean(r.nth(x.domain, i, n)); domain != "" && strings.IndexByte(name, '\\') < 0 && strings.IndexByte(name, '@') < 0 {
		full = r.arena.Join(domain, `\`, name)
	}
	r.put(schema.EntityUser, role, canon.User(r.arena, name), uid, full)
	if x.mailbox {
		r.put(schema.EntityMailbox, schema.RoleRelated, canon.Mailbox(r.arena, name), "", name)
	}
}

// domain adds a domain, an address, or nothing for a bare name. An address in
// the place of a name is what somebody wrote, into a Host header or a URL: no
// source attests that it was there.
func (r *Runner) domain(role schema.Role, s string, port uint16) {
	if canon.IsIP(s) {
		before := r.hearsay
		r.hearsay = true
		r.ip(role, s, port)
		r.hearsay = before
		return
	}
	r.putAt(schema.EntityDomain, role, canon.Domain(r.arena, s), "", s, port)
}

// url adds a URL, and the domain or address in it with the port it leads to.
func (r *Runner) url(role schema.Role, s string) {
	u := canon.URL(r.arena, s)
	if u == "" {
		return
	}
	r.put(schema.EntityURL, role, u, "", s)
	r.domain(role, canon.URLHost(u), canon.URLPort(u))
}

// fingerprint adds a fingerprint of a TLS hello, of a kind with its colon.
func (r *Runner) fingerprint(role schema.Role, kind, key string) {
	if key != "" {
		r.put(schema.EntityTLSFingerprint, role, r.arena.Join(kind, key), "", "")
	}
}

// file adds a file by its path, or by its name where there is no path.
func (r *Runner) file(role schema.Role, folder, name string) {
	folder, name = canon.Clean(folder), canon.Clean(name)
	path := folder
	switch {
	case folder == "":
		path = name
	case name != "" && !endsWith(folder, name):
		sep := "/"
		if strings.IndexByte(folder, '\\') >= 0 {
			sep = `\`
		}
		if last := folder[len(folder)-1]; last == '/' || last == '\\' {
			sep = ""
		}
		path = r.arena.Join(folder, sep, name)
	}
	r.put(schema.EntityFile, role, canon.File(r.arena, path), "", path)
}

// process adds a process: by host and number, else by its command line or image.
func (r *Runner) process(role schema.Role, host, pid, command, image string) {
	command, image = canon.Clean(command), canon.Clean(image)
	name := command
	if name == "" {
		name = image
	}
	if canon.IsIP(host) {
		host = ""
	}
	host, pid = canon.Host(r.arena, host), r.decimal(pid)
	switch {
	case host != "" && pid != "" && pid != "0":
		r.put(schema.EntityProcess, role, r.arena.Join(host, ":", pid), "", name)
	case command != "":
		r.put(schema.EntityProcess, role, command, "", command)
	default:
		r.put(schema.EntityProcess, role, canon.File(r.arena, image), "", image)
	}
}

// decimal gives a process number in decimal: Windows' audit log writes it as 0x1a4.
func (r *Runner) decimal(pid string) string {
	digits, hex := strings.CutPrefix(pid, "0x")
	if !hex {
		return pid
	}
	n, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return pid
	}
	mark := len(r.arena.Buf)
	r.arena.Buf = strconv.AppendUint(r.arena.Buf, n, 10)
	return r.arena.From(mark)
}

// endsWith is strings.HasSuffix without regard to the case of ASCII letters.
func endsWith(s, suffix string) bool {
	if len(s) < len(suffix) {
		return false
	}
	return strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
