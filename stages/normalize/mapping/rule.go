package mapping

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/interdict/interdict/schema"
)

// kind is what an entity rule makes.
type kind uint8

const (
	kindHost kind = iota
	kindUser
	kindIP
	kindDomain
	kindURL
	kindMailbox
	kindAddress
	kindHash
	kindFile
	kindProcess
	kindMessage
	kindResource
	kindAccount
	kindApplication
	kindRegistry
	kindContainer
	kindSession
	kindCertificate
	kindJA3
	kindJA3S
	kindJA4
	kindUserAgent
	kindMutex
)

func kindNames() []string {
	return []string{"host", "user", "ip", "domain", "url", "mailbox", "address", "hash", "file", "process", "message", "resource", "account",
		"application", "registry", "container", "session", "certificate", "ja3", "ja3s", "ja4", "user_agent", "mutex"}
}

// partsOf gives the keys that a kind takes besides its own.
func partsOf(k kind) []string {
	switch k {
	case kindHost:
		return []string{"uid", "port"}
	case kindIP, kindDomain, kindAddress:
		return []string{"port"}
	case kindUser:
		return []string{"uid", "domain", "mailbox"}
	case kindHash:
		return []string{"name"}
	case kindFile:
		return []string{"folder"}
	case kindProcess:
		return []string{"image", "pid", "host"}
	case kindMessage, kindResource, kindAccount, kindApplication, kindRegistry, kindContainer, kindSession, kindCertificate:
		return []string{"name"}
	}
	return nil
}

// rule makes entities: of one kind, or, with each, by other rules in each element.
type rule struct {
	kind kind
	main *value

	uid, name, folder, domain, image, pid, host, port *value
	mailbox                                           bool

	role     schema.Role
	roles    *value // instead of role
	said     bool   // the rule has a role of its own
	when     *cond
	reported bool

	each  *ref
	sub   []rule
	needs ref // see needed
	line  int
}

func (c *compiler) rules(n *yaml.Node, from scope) (all []rule) {
	for _, x := range c.list(n) {
		all = append(all, c.rule(x, from))
	}
	return all
}

func (c *compiler) rule(n *yaml.Node, from scope) rule {
	t := c.table(n)
	x := rule{line: n.Line, reported: c.bool(t.at["reported"])}
	if e := t.at["each"]; e != nil {
		c.only(t, "each", "when", "role", "reported", "entities")
		ref, inner := c.each(e, from)
		x.each, x.needs = &ref, ref
		x.when = c.cond(t.at["when"], inner)
		c.role(&x, t.at["role"], inner)
		x.sub = c.rules(t.at["entities"], inner)
		return x
	}
	names := kindNames()
	found := 0
	for _, k := range t.keys {
		i := slices.Index(names, k)
		if i < 0 || i == int(kindHost) && t.at["process"] != nil || i == int(kindDomain) && t.at["user"] != nil || i == int(kindMailbox) && t.at["user"] != nil {
			continue
		}
		found++
		x.kind = kind(i)
		x.main = c.value(t.at[k], from)
	}
	// A process may be known by its number or image alone.
	if found != 1 {
		c.bad(n, "an entity rule names one of each, %s", strings.Join(names, ", "))
		return x
	}
	c.only(t, append(partsOf(x.kind), names[x.kind], "when", "role", "reported")...)
	part := func(key string) *value {
		if t.at[key] == nil || !slices.Contains(partsOf(x.kind), key) {
			return nil
		}
		return c.value(t.at[key], from)
	}
	x.uid, x.name, x.folder, x.image, x.pid, x.port = part("uid"), part("name"), part("folder"), part("image"), part("pid"), part("port")
	c.onePort(t.at["port"], x.port)
	if x.kind == kindProcess {
		x.host = part("host")
	}
	if x.kind == kindUser {
		x.domain = part("domain")
		x.mailbox = c.bool(t.at["mailbox"])
	}
	x.when = c.cond(t.at["when"], from)
	c.role(&x, t.at["role"], from)
	if x.kind == kindProcess {
		x.needs = needed(x.main, x.image, x.pid)
	} else {
		x.needs = needed(x.main)
	}
	return x
}

// onePort reports a port that may have several values: which of them is whose can
// only be told within the element. A wrong pair would match what nobody connected
// to.
func (c *compiler) onePort(n *yaml.Node, v *value) {
	if v == nil {
		return
	}
	var several func(n *yaml.Node) bool
	several = func(n *yaml.Node) bool {
		switch n.Kind {
		case yaml.ScalarNode:
			return strings.Contains(n.Value, "[]") || strings.Contains(n.Value, ".*")
		case yaml.SequenceNode:
			return slices.ContainsFunc(n.Content, several)
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				switch n.Content[i].Value {
				case "all", "split":
					return true
				case "path", "first", "text":
					if several(n.Content[i+1]) {
						return true
					}
				}
			}
		}
		return false
	}
	if several(n) {
		c.bad(n, "a port of several: write the address and its port within each")
	}
}

func (c *compiler) role(x *rule, n *yaml.Node, from scope) {
	if n == nil {
		return
	}
	x.said = true
	if n.Kind == yaml.ScalarNode {
		role, ok := roleNamed(c.string(n))
		if !ok {
			c.bad(n, "%q is no role; a value with map, or one of related, actor, source, target, sensor, c2", n.Value)
		}
		x.role = role
		return
	}
	x.roles = c.value(n, from)
	outs, open := x.roles.outs()
	for _, w := range outs {
		if _, ok := roleNamed(w); w != "" && !ok {
			c.bad(n, "%q is no role", w)
		}
	}
	if open {
		c.bad(n, "role needs a map to roles")
	}
}

func roleNamed(s string) (schema.Role, bool) {
	for role := schema.RoleRelated; role <= schema.RoleC2; role++ {
		if role.String() == s {
			return role, true
		}
	}
	return 0, false
}

// telling orders roles: of several that are said of an entity the higher counts.
func telling(role schema.Role) int {
	switch role {
	case schema.RoleC2:
		return 5
	case schema.RoleActor:
		return 4
	case schema.RoleTarget:
		return 3
	case schema.RoleSource:
		return 2
	case schema.RoleSensor:
		return 1
	}
	return 0
}

// apply runs entity rules in scope.
func (r *Runner) apply(rules []rule, outer schema.Role, hearsay bool) {
	for i := range rules {
		if r.fault.Reason != 0 {
			return
		}
		x := &rules[i]
		if x.needs != nil && !r.has(x.needs) {
			continue
		}
		if x.each != nil {
			r.in(*x.each, func() {
				if x.when.holds(r) {
					r.apply(x.sub, r.roleOf(x, outer), hearsay || x.reported)
				}
			})
			continue
		}
		if x.when.holds(r) {
			r.entity(x, r.roleOf(x, outer), hearsay || x.reported)
		}
	}
}

// roleOf gives the role of a rule in scope: its own, else that around it.
func (r *Runner) roleOf(x *rule, outer schema.Role) schema.Role {
	if !x.said {
		return outer
	}
	if x.roles == nil {
		return x.role
	}
	mark := len(r.texts)
	r.collect(x.roles)
	role, any := schema.RoleRelated, false
	for _, s := range r.texts[mark:] {
		if v, ok := roleNamed(s); ok && (!any || telling(v) > telling(role)) {
			role, any = v, true
		}
	}
	r.texts = r.texts[:mark]
	if !any {
		return outer
	}
	return role
}

// entity makes the entities of one rule.
func (r *Runner) entity(x *rule, role schema.Role, hearsay bool) {
	r.hearsay, r.ported = hearsay, -1
	before := len(r.alert.Entities)
	if x.main.plain && x.uid == nil && x.name == nil && x.folder == nil && x.domain == nil && x.port == nil && x.kind != kindProcess {
		for t, at := r.firstText(x.main.ref); at >= 0 && r.fault.Reason == 0; at = r.nextText(t, at) {
			r.make(x, role, r.tape.Values[at].Text, 0, 1)
		}
	} else {
		mark := len(r.texts)
		r.collect(x.main)
		n := len(r.texts) - mark
		for i := 0; i < n && r.fault.Reason == 0; i++ {
			r.make(x, role, r.texts[mark+i], i, n)
		}
		if n == 0 && x.kind == kindProcess {
			r.make(x, role, "", 0, 1)
		}
		r.texts, r.parts = r.texts[:mark], r.parts[:0]
	}
	r.hearsay = false
	if r.Trace != nil {
		if r.ported >= 0 && r.ported < before {
			r.traceEntity(x, r.ported)
		}
		for i := before; i < len(r.alert.Entities); i++ {
			r.traceEntity(x, i)
		}
	}
}

// traceEntity tells what a rule did to an entity.
func (r *Runner) traceEntity(x *rule, i int) {
	e := &r.alert.Entities[i]
	key := e.Key
	if e.Port != 0 {
		key += " port " + strconv.Itoa(int(e.Port))
	}
	r.Trace(Step{x.line, "entity " + e.Type.String() + " " + e.Role.String(), key})
}

// collected are all texts of a part. They are collected once for a rule, and stay
// in Runner.texts until it is done.
type collected struct {
	of      *value
	from, n int
}

// nth gives the text of a part for the i-th of n values: its own i-th where it
// has as many, its first where the rule has one value.
func (r *Runner) nth(v *value, i, n int) string {
	if v == nil {
		return ""
	}
	if n == 1 && len(r.parts) == 0 {
		return v.text(r)
	}
	at := slices.IndexFunc(r.parts, func(p collected) bool { return p.of == v })
	if at < 0 {
		at = len(r.parts)
		from := len(r.texts)
		r.collect(v)
		r.parts = append(r.parts, collected{v, from, len(r.texts) - from})
	}
	if p := r.parts[at]; p.n == n {
		return r.texts[p.from+i]
	}
	return ""
}
