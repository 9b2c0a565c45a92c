package draft

import (
	"fmt"
	"slices"
	"strings"
)

// thing is one rule for entities.
type thing struct {
	kind, path, role string
	parts            []string // "uid: path" and so on
	check            string
	array            string
}

// maxThings bounds the rules of a draft.
const maxThings = 60

// entities writes the rules for entities: those of the document, then those of
// each array.
func (d *drafter) entities(p *page) {
	var things []thing
	paired := map[string]bool{} // paths that pairings explain
	for _, x := range d.pairOf {
		if x.mixed() {
			paired[x.array+"."+x.value] = true
		}
	}
	for _, f := range d.order {
		if paired[f.path] || d.used[f.path] && !strings.HasPrefix(f.path, "@") {
			continue
		}
		if t, ok := d.thing(f); ok && len(things) < maxThings {
			d.used[f.path] = true
			things = append(things, t)
		}
	}
	if len(things)+len(paired) == 0 {
		p.note("", "entities:  # check: no host, user, address, hash or the like was found")
		return
	}
	p.line("entities:", "")
	for _, t := range things {
		if t.array == d.split {
			d.rule(p, "  ", t, d.ref)
		}
	}
	for _, array := range d.arrays(things) {
		p.line("  - each: "+q(d.ref(array)), "")
		p.line("    entities:", "")
		inner := func(path string) string { return strings.TrimPrefix(path, array+".") }
		for _, t := range things {
			if t.array == array {
				d.rule(p, "      ", t, inner)
			}
		}
		for _, x := range d.pairOf {
			if x.array == array && x.mixed() {
				d.paired(p, x)
			}
		}
	}
}

// arrays lists the arrays of objects that rules are inside of.
func (d *drafter) arrays(things []thing) (all []string) {
	add := func(array string) {
		if array != d.split && !slices.Contains(all, array) {
			all = append(all, array)
		}
	}
	for _, t := range things {
		add(t.array)
	}
	for _, x := range d.pairOf {
		if x.mixed() {
			add(x.array)
		}
	}
	return slices.DeleteFunc(all, func(a string) bool { return a == "" && d.split == "" })
}

func (d *drafter) rule(p *page, indent string, t thing, ref func(string) string) {
	p.line(indent+"- "+t.kind+": "+q(ref(t.path)), t.check)
	for _, part := range t.parts {
		key, path, _ := strings.Cut(part, " ")
		if path != "true" {
			path = q(ref(path))
		}
		p.line(indent+"  "+key+" "+path, "")
	}
	if t.role != "" {
		p.line(indent+"  role: "+t.role, "")
	}
}

// paired writes the rules for an array whose elements say what they are.
func (d *drafter) paired(p *page, x *pairing) {
	d.used[x.array+"."+x.kind], d.used[x.array+"."+x.value] = true, true
	var shapes []string
	kinds := map[string][]string{}
	for _, k := range x.order {
		s := x.of(k)
		if s == "" {
			continue
		}
		if kinds[s] == nil {
			shapes = append(shapes, s)
		}
		kinds[s] = append(kinds[s], k)
	}
	for _, s := range shapes {
		p.line("      - "+s+": "+q(x.value), "")
		p.line("        when: {"+q(x.kind)+": "+list(kinds[s])+"}", "")
	}
}

// thing says what entity a field names.
func (d *drafter) thing(f *field) (t thing, ok bool) {
	t = thing{path: f.path, array: f.array}
	w, around := f.words(), f.around()
	if f.path == "@syslog.host" {
		t.kind, t.role = "host", "sensor"
		return t, f.all(func(s string) bool { return isName(s) || isIP(s) })
	}
	if len(f.order) == 0 || strings.HasPrefix(f.path, "@syslog") && !strings.HasPrefix(f.path, "@syslog.sd.") || f.path == "@line" ||
		has(w, "version", "port", "mac", "count", "country", "city", "latitude", "longitude", "mask", "reference", "references", "link", "href", "permalink", "portal",
			"type", "size", "domain", "group", "role") && !(has(w, "domain") && f.most(isDomain)) {
		return t, false
	}
	t.kind = kindOf(f, w, around)
	switch t.kind {
	case "":
		return t, false
	case "user":
		if f.share(isMailbox) > 0 {
			t.parts = append(t.parts, "mailbox: true")
		}
		d.uid(f, &t)
	case "ip":
		d.port(f, &t)
	case "host":
		if f.share(isIP) > 0 {
			t.kind, t.check = "address", "names and addresses"
			d.port(f, &t)
		} else {
			d.uid(f, &t)
		}
	case "process":
		parent := strings.TrimSuffix(f.path, escape(f.name()))
		if !has(w, "command") && d.commanded(parent) {
			return t, false // the image of what is known by its command line
		}
		for _, name := range [...]string{"image", "executable", "path", "image_path", "imagePath"} {
			d.beside(&t, parent, name, "image")
		}
		d.beside(&t, parent, "pid", "pid")
	}
	t.role = roleOf(t.kind, w, around)
	if t.check == "" {
		t.check = roleCheck(t.kind, t.role, w, around)
	}
	return t, true
}

// kindOf says what kind of entity the values of a field are, by what they look
// like and by the words around; "" for none.
func kindOf(f *field, w, around []string) string {
	named := has(w, "name") && len(w) == 1
	if kind := observed(f, w, around); kind != "" {
		return kind
	}
	switch {
	case f.most(isIP):
		return "ip"
	case f.most(isURL):
		if has(w, "console", "alert", "help", "description") || has(around, "reference", "references") {
			return "" // the vendor's own pages
		}
		return "url"
	case f.most(isMailbox):
		if has(w, "user", "actor", "owner") || has(around, "user", "actor") {
			return "user"
		}
		return "mailbox"
	case f.most(isHash) && (has(w, "hash") || has(around, "hash")):
		return "hash"
	case f.most(isRegistry):
		return "registry"
	case f.most(isResource):
		return "resource"
	case f.all(reAccount.MatchString) && has(w, "user", "account") && has(w, "id", "user"):
		return "account"
	case has(w, "id", "sid", "key", "time", "status", "reason", "description", "message", "title", "severity"):
		return ""
	case has(w, "command"):
		return "process"
	case has(w, "process") || has(around, "process") && (named || has(w, "path", "image", "executable")):
		if f.numeric() {
			return ""
		}
		return "process"
	case (has(w, "file", "path", "folder", "image", "executable") || has(around, "file") && (named || has(w, "path"))) && f.most(isFileName):
		return "file"
	case (has(w, "host") || (named || has(w, "name", "dns")) && has(around, "host", "sensor") || has(w, "sensor") && has(w, "name")) && f.most(isName):
		return "host"
	case (has(w, "user") || (named || has(w, "name")) && has(around, "user", "actor") || len(w) == 1 && has(w, "actor", "owner")) && !has(w, "app", "full") && f.most(isUserName):
		return "user"
	case has(w, "domain", "fqdn", "dns", "query", "qname") && f.most(isDomain):
		return "domain"
	}
	return ""
}

// uid adds the id beside a name, such as user.id for user.name and user_id for
// user_name.
func (d *drafter) uid(f *field, t *thing) {
	if f.name() == "" || strings.HasSuffix(f.path, "[]") {
		return
	}
	parent := strings.TrimSuffix(f.path, escape(f.name()))
	if parent == f.path || len(f.names) == 1 && !has(words(f.name()), "name") {
		return
	}
	for _, name := range [...]string{"uid", "id", "sid", "guid", "object_id", "objectId"} {
		d.beside(t, parent, name, "uid")
	}
	stem := strings.TrimSuffix(strings.TrimSuffix(f.name(), "name"), "Name")
	for _, name := range [...]string{"id", "uid", "sid", "Id", "ID"} {
		if stem != f.name() && strings.TrimRight(stem, "_-") != "" {
			d.beside(t, parent, stem+name, "uid")
		}
	}
}

// commanded reports whether a command line is a member of the object.
func (d *drafter) commanded(parent string) bool {
	return slices.ContainsFunc(d.order, func(f *field) bool {
		rest, ok := strings.CutPrefix(f.path, parent)
		return ok && parent != "" && rest == escape(f.name()) && has(f.words(), "command")
	})
}

// beside adds the member of a name as a part, if no other is it already.
func (d *drafter) beside(t *thing, parent, name, key string) {
	path := parent + escape(name)
	if x := d.fields[path]; parent != "" && x != nil && path != t.path && (x.all(isToken) || key == "image") && len(t.parts) < 2 && !slices.ContainsFunc(t.parts, func(p string) bool { return strings.HasPrefix(p, key+":") }) {
		if strings.HasPrefix(path, "@") && parent[len(parent)-1] != '.' || d.used[path] {
			return
		}
		d.used[path] = true
		t.parts = append(t.parts, key+": "+path)
	}
}

// roleOf guesses a role from names, the nearest first; "" for none.
func roleOf(kind string, w, around []string) string {
	all := append(slices.Clone(around), w...)
	slices.Reverse(all)
	for _, x := range all {
		switch x {
		case "c2", "cnc", "c2c":
			return "c2"
		case "source", "initiator", "from", "sender", "caller":
			if kind == "user" || kind == "mailbox" || kind == "process" {
				return "actor"
			}
			return "source"
		case "target", "recipient", "recipients", "affected", "impacted", "to", "server":
			return "target"
		case "sensor":
			switch kind {
			case "host", "ip", "address":
				return "sensor"
			}
			if kind == "user" {
				return "actor"
			}
		case "actor":
			if kind == "user" {
				return "actor"
			}
			return "source"
		}
	}
	if kind == "user" {
		return "actor"
	}
	return ""
}

// roleCheck says what to ask of a guessed role.
func roleCheck(kind, role string, w, around []string) string {
	switch {
	case role == "sensor":
		return "the sensor itself, or a machine it saw (target)?"
	case kind == "user" && !has(w, "actor", "source", "target") && !has(around, "actor", "source", "target"):
		return "actor, or target, as in a failed sign-in?"
	case role == "" && (kind == "ip" || kind == "host" || kind == "address"):
		return fmt.Sprintf("which role has this %s?", kind)
	}
	return ""
}
