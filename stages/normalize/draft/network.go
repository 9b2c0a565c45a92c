package draft

import (
	"slices"
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// observed says which of the things that only threat intelligence asks for a field
// holds; "" for none. They have the shapes of others, so that names decide.
func observed(f *field, w, around []string) string {
	near := append(slices.Clone(around), w...)
	switch {
	case has(near, "ja3") && f.most(isJA3):
		return "ja3"
	case has(near, "ja3s") && f.most(isJA3):
		return "ja3s"
	case has(near, "ja4") && f.most(isJA4):
		return "ja4"
	case (has(w, "fingerprint", "thumbprint") || has(near, "certificate", "certificates", "cert", "certs", "x509")) && !has(near, "serial") && f.most(isCertificate):
		return "certificate"
	case has(w, "mutex", "mutexes", "mutant") || has(around, "mutex", "mutexes", "mutant") && has(w, "name"):
		return "mutex"
	case isAgentName(f) && !f.numeric():
		return "user_agent"
	}
	return ""
}

func isJA3(s string) bool         { return canon.JA3(&arena.Arena{}, s) != "" }
func isJA4(s string) bool         { return canon.JA4(&arena.Arena{}, s) != "" }
func isCertificate(s string) bool { return canon.Certificate(&arena.Arena{}, s) != "" }
func isPort(s string) bool        { return canon.Port(s) != 0 }

// isAgentName reports the names of a User-Agent header: "agent" alone is a sensor.
func isAgentName(f *field) bool {
	name := letters(f.name())
	if len(f.names) > 1 && (name == "original" || name == "raw" || name == "value") {
		name = letters(f.names[len(f.names)-2])
	}
	return strings.HasSuffix(name, "useragent") || strings.HasPrefix(name, "rawuseragent") || name == "requestclientapplication"
}

// letters are those of a name, in lower case.
func letters(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return -1
	}, name)
}

// port adds the port beside an address: src_port for src_ip, sourcePort for
// sourceAddress, spt for CEF's src.
func (d *drafter) port(f *field, t *thing) {
	if f.name() == "" || strings.HasSuffix(f.path, "[]") {
		return
	}
	parent, ok := strings.CutSuffix(f.path, escape(f.name()))
	if !ok || strings.HasPrefix(f.path, "@") && !strings.HasSuffix(parent, ".") {
		return
	}
	for _, name := range portNames(f.name()) {
		x := d.fields[parent+escape(name)]
		if x == nil || x == f || x.array != f.array || len(x.order) == 0 || !x.most(isPort) || d.used[x.path] {
			continue
		}
		d.used[x.path] = true
		t.parts = append(t.parts, "port: "+x.path)
		return
	}
}

// portNames gives the names that the port of an address of a name may have.
func portNames(name string) []string {
	switch name {
	case "src":
		return []string{"spt", "src_port", "srcPort", "sport", "s_port"}
	case "dst":
		return []string{"dpt", "dst_port", "dstPort", "dport", "d_port"}
	case "dest":
		return []string{"dest_port", "destPort"}
	}
	for _, ending := range [...]string{"_ip_address", "_ipaddress", "_address", "_addr", "_ip", "_host", "-address", "-ip", "IpAddress", "IPAddress", "Address", "Addr", "Ip", "IP", "address", "addr", "ip", "_h"} {
		stem, ok := strings.CutSuffix(name, ending)
		switch {
		case !ok:
		case stem == "":
			return []string{"port"}
		case ending == "_h": // Zeek
			return []string{stem + "_p"}
		default:
			return []string{stem + "_port", stem + "Port", stem + "port", stem + "-port"}
		}
	}
	return nil
}
