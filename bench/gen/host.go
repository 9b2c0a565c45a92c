package gen

import (
	"fmt"
	"time"
)

// Class is what a machine is for.
type Class string

// Classes of Asset rows.
const (
	Workstation      Class = "workstation"
	Server           Class = "server"
	DomainController Class = "domain_controller"
	CloudInstance    Class = "cloud_instance"
	NATGateway       Class = "nat_gateway"
	VulnScanner      Class = "vulnerability_scanner"
)

// Asset is one row of the host inventory.
type Asset struct {
	Name        string    `json:"name"`
	DNSName     string    `json:"dns_name"`
	Class       Class     `json:"class"`
	Criticality string    `json:"criticality"` // low, medium, high or critical
	Owner       string    `json:"owner,omitempty"`
	Addresses   []string  `json:"addresses"` // at Updated; workstations move
	OS          string    `json:"os"`
	Updated     time.Time `json:"updated"`
}

const dnsSuffix = "corp.example"

// A site's workstations share a block of 512 addresses. The first half of them
// keep theirs, the others move through the second half of the pool, one shift
// per lease: an address that was one machine's in the morning is another's at
// night, and no two machines ever hold the same one at a time.
const (
	siteHosts   = 400
	siteRoamers = siteHosts / 2
	sitePool    = 250
	siteBlock   = 512
)

type host struct {
	name  string
	class Class
	fixed addr  // 0 for roaming workstations
	site  int32 // workstations only
	slot  int32 // place among the site's roaming machines
	owner int32 // account, -1 for none
}

// fleet is the machines of a world. The order is: domain controllers, shared
// servers, the scanner, cloud instances, workstations.
type fleet struct {
	hosts   []host
	nat     [4]addr
	seed    uint64
	lease   int64
	dcs     int
	servers int // count, from index dcs
	scanner int
	clouds  int // count, from index scanner+1
	desks   int // index of the first workstation
	popular weights
}

var serverRoles = [...]string{"file", "sql", "app", "web", "mail", "backup", "print", "build"}

func newFleet(cfg Config) *fleet {
	f := &fleet{seed: mix(cfg.Seed, 0x686f7374), lease: int64(cfg.LeaseTime)}
	f.dcs = 2 + cfg.Hosts/1250
	f.servers = max(4, cfg.Hosts/160)
	f.scanner = f.dcs + f.servers
	f.clouds = max(2, cfg.Hosts/150)
	f.desks = f.scanner + 1 + f.clouds
	f.popular = zipf(f.servers)
	f.hosts = make([]host, cfg.Hosts)
	for i := range f.hosts {
		h := host{owner: -1}
		switch {
		case i < f.dcs:
			h.class, h.name, h.fixed = DomainController, fmt.Sprintf("dc-%02d", i+1), ipv4(10, 8, 0, 10)+addr(i)
		case i < f.scanner:
			n := i - f.dcs
			h.class, h.fixed = Server, ipv4(10, 8, 4, 10)+addr(n)
			h.name = fmt.Sprintf("srv-%s-%02d", serverRoles[n%len(serverRoles)], n/len(serverRoles)+1)
		case i == f.scanner:
			h.class, h.name, h.fixed = VulnScanner, "scan-01", ipv4(10, 8, 2, 5)
		case i < f.desks:
			n := i - f.scanner - 1
			h.class, h.name, h.fixed = CloudInstance, fmt.Sprintf("cloud-app-%03d", n+1), ipv4(172, 31, 0, 16)+addr(n)
		default:
			n := i - f.desks
			h.class, h.name = Workstation, fmt.Sprintf("ws-%05d", n+1)
			h.site = int32(n / siteHosts)
			if at := n % siteHosts; at < siteRoamers {
				h.fixed = sitebase(h.site) + addr(at)
			} else {
				h.slot = int32(at - siteRoamers)
			}
		}
		f.hosts[i] = h
	}
	for i := range f.nat {
		f.nat[i] = ipv4(203, 0, 113, 10) + addr(i)
	}
	return f
}

func sitebase(site int32) addr { return ipv4(10, 16, 0, 4) + addr(site)*siteBlock }

// addrAt returns the address of host i at a moment.
func (f *fleet) addrAt(i int32, ns int64) addr {
	h := &f.hosts[i]
	if h.fixed != 0 {
		return h.fixed
	}
	s := mix(f.seed, uint64(h.site))
	epoch := (ns + int64(s%uint64(f.lease))) / f.lease
	shift := mix(s, uint64(epoch)) % sitePool
	return sitebase(h.site) + sitePool + addr((uint64(h.slot)+shift)%sitePool)
}

// egress returns the NAT address behind which host i leaves; sites share four.
func (f *fleet) egress(i int32) addr { return f.nat[int(f.hosts[max(i, 0)].site)%len(f.nat)] }

func (f *fleet) server(r *rng) int32 { return int32(f.dcs + f.popular.draw(r)) }
func (f *fleet) dc(r *rng) int32     { return int32(r.intN(f.dcs)) }
func (f *fleet) cloud(r *rng) int32  { return int32(f.scanner + 1 + r.intN(f.clouds)) }
func (f *fleet) desk(r *rng) int32   { return int32(f.desks + r.intN(len(f.hosts)-f.desks)) }

// webServer returns a server that faces the outside.
func (f *fleet) webServer(r *rng) int32 {
	n := f.servers / len(serverRoles)
	at := 3 // the role "web"
	if n > 0 {
		at += len(serverRoles) * r.intN(n)
	}
	return int32(f.dcs + min(at, f.servers-1))
}

func (h *host) criticality() string {
	switch h.class {
	case DomainController:
		return "critical"
	case Server, NATGateway:
		return "high"
	case CloudInstance:
		return "medium"
	default:
		return "low"
	}
}

func (h *host) os() string {
	switch h.class {
	case Workstation:
		return "Windows 11"
	case CloudInstance, VulnScanner:
		return "Linux"
	default:
		return "Windows Server 2022"
	}
}

// Assets returns the inventory: every host and NAT gateway, with the addresses
// they held when the world began. Workstations that roam go stale, as in life.
func (w *World) Assets() []Asset {
	start := w.cfg.Start.UnixNano()
	rows := make([]Asset, 0, len(w.fleet.hosts)+len(w.fleet.nat))
	for i := range w.fleet.hosts {
		h := &w.fleet.hosts[i]
		a := Asset{
			Name: h.name, DNSName: h.name + "." + dnsSuffix, Class: h.class, Criticality: h.criticality(), OS: h.os(),
			Addresses: []string{string(appendIP(nil, w.fleet.addrAt(int32(i), start)))}, Updated: w.cfg.Start,
		}
		if h.owner >= 0 {
			a.Owner = w.accounts.list[h.owner].upn
		}
		rows = append(rows, a)
	}
	for i, ip := range w.fleet.nat {
		h := host{class: NATGateway}
		rows = append(rows, Asset{
			Name: fmt.Sprintf("nat-%02d", i+1), DNSName: fmt.Sprintf("nat-%02d.%s", i+1, dnsSuffix), Class: NATGateway,
			Criticality: h.criticality(), OS: "Linux", Addresses: []string{string(appendIP(nil, ip))}, Updated: w.cfg.Start,
		})
	}
	return rows
}
