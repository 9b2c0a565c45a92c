package gen

import (
	"fmt"
	"strings"
)

type account struct {
	name    string // logon name, without domain
	display string
	upn     string
	host    int32 // own workstation, -1 for accounts that have none
	sid     uint32
}

// accounts lists people first, then admins, then service accounts, then SYSTEM.
type accounts struct {
	list    []account
	people  int
	admins  int // count, from index people
	service int // count, from index people+admins
	system  int32
	domain  [3]uint32 // the domain part of SIDs
}

var (
	firstNames = [...]string{
		"anna", "ben", "carla", "david", "elena", "frank", "greta", "hugo", "ines", "jonas", "karin", "leo",
		"mara", "nils", "olga", "paul", "rita", "samir", "tess", "umar", "vera", "walter", "yara", "zoe",
	}
	lastNames = [...]string{
		"adler", "berg", "costa", "dunn", "ekman", "ferris", "grant", "haas", "ivers", "jansen", "kraus", "lund",
		"moreno", "nagel", "okafor", "petrov", "quinn", "rossi", "stein", "tanaka", "ulrich", "vogel", "weiss", "young",
	}
	serviceNames = [...]string{"svc-backup", "svc-deploy", "svc-scan", "svc-sql", "svc-monitor", "svc-sync"}
)

func newAccounts(cfg Config, f *fleet) *accounts {
	a := &accounts{people: cfg.Users, admins: 2 + cfg.Users/250, service: len(serviceNames)}
	for i := range a.domain {
		a.domain[i] = uint32(mix(cfg.Seed, 0x736964+uint64(i)))
	}
	r := rng{s: mix(cfg.Seed, 0x75736572)}
	desks := len(f.hosts) - f.desks
	shift := r.intN(desks)
	for i := range cfg.Users {
		first, last := firstNames[i%len(firstNames)], lastNames[(i/len(firstNames)+i)%len(lastNames)]
		name := first + "." + last
		if round := i / (len(firstNames) * len(lastNames)); round > 0 {
			name = fmt.Sprintf("%s%d", name, round+1)
		}
		at := int32(f.desks + (i+shift)%desks)
		a.add(name, strings.ToUpper(first[:1])+first[1:]+" "+strings.ToUpper(last[:1])+last[1:], at)
		if f.hosts[at].owner < 0 {
			f.hosts[at].owner = int32(i)
		}
	}
	for i := range a.admins {
		a.add(fmt.Sprintf("adm-%s", a.list[i*7%cfg.Users].name), "Administrator "+fmt.Sprint(i+1), -1)
	}
	for _, n := range serviceNames {
		a.add(n, "Service "+n[4:], -1)
	}
	a.system = int32(len(a.list))
	a.list = append(a.list, account{name: "SYSTEM", display: "SYSTEM", host: -1})
	return a
}

func (a *accounts) add(name, display string, host int32) {
	a.list = append(a.list, account{
		name: name, display: display, upn: name + "@" + dnsSuffix, host: host, sid: 1100 + uint32(len(a.list)),
	})
}

func (a *accounts) person(r *rng) int32 { return int32(r.intN(a.people)) }
func (a *accounts) admin(r *rng) int32  { return int32(a.people + r.intN(a.admins)) }
func (a *accounts) helper(r *rng) int32 { return int32(a.people + a.admins + r.intN(a.service)) }
