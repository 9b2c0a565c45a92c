package gen

import "strconv"

// Indicator is one line of a threat feed.
type Indicator struct {
	Value    string `json:"value"`
	Type     string `json:"type"`               // ip, domain or sha256
	Campaign string `json:"campaign,omitempty"` // empty for decoys, which occur in no record
}

// Indicators lists the campaigns' controllers, domains and files, and after them
// the decoys. Decoys are made to catch sloppy matching: addresses beside hostile
// ones, names that only end or begin like a hostile name, subdomains of one,
// hashes that differ in the last digits. A record may hold a hostile name only as
// the parent of a subdomain, or within a URL.
func (w *World) Indicators() []Indicator {
	out := make([]Indicator, 0, 4*len(w.campaigns)+w.cfg.Decoys)
	for i := range w.campaigns {
		c := &w.campaigns[i]
		for _, h := range c.hashes {
			out = append(out, Indicator{string(appendHex(nil, h, sha256Digits)), "sha256", c.ID})
		}
		if c.SharesC2 != "" {
			continue // listed with its lender
		}
		out = append(out,
			Indicator{string(appendIP(nil, c.c2)), "ip", c.ID},
			Indicator{string(appendDomain(nil, c.domain)), "domain", c.ID})
	}
	for i := range w.cfg.Decoys {
		out = append(out, w.decoy(i))
	}
	return out
}

func (w *World) decoy(i int) Indicator {
	d, h := uint32(hostileDomains), mix(w.cfg.Seed, 0x6465636f)
	if n := len(w.campaigns); n > 0 {
		d, h = w.campaigns[i/5%n].domain, w.campaigns[i/5%n].hashes[0]
	}
	name, label := string(appendDomain(nil, d)), strconv.Itoa(i)
	// The campaigns take the hostile addresses from below, the decoys from above.
	ip := hostileIPs - 1 - i/5
	switch {
	case i%5 == 0 && ip >= popularIPs+2*len(w.campaigns):
		return Indicator{Value: string(appendIP(nil, outsideIP(ip))), Type: "ip"}
	case i%5 <= 1:
		return Indicator{Value: "x" + label + name, Type: "domain"}
	case i%5 == 2:
		return Indicator{Value: "deep" + label + "." + name, Type: "domain"}
	case i%5 == 3:
		return Indicator{Value: name + ".x" + label + ".example", Type: "domain"}
	default:
		const same = sha256Digits - 16
		sum := appendHex(nil, h, sha256Digits)[:same]
		return Indicator{Value: string(appendHex(sum, mix(h, uint64(i)), 16)), Type: "sha256"}
	}
}
