package correlate

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/interdict/interdict/schema"
)

// The rules of docs/correlation.md by brute force, over a whole set of on-time
// documents. It shares nothing with the stage but its configuration.

type bruteObs struct {
	alert   *bruteAlert
	t       int64
	content uint64
	singles []string
	types   []string
	bases   []int64
	pairs   []string
}

type bruteAlert struct {
	id     schema.AlertID
	tenant string
	t      int64
	sev    schema.Severity
	obs    []*bruteObs
	comp   [5]*bruteAlert // founder of its component
}

type bruteRow struct {
	Incident schema.IncidentID
	Campaign schema.IncidentID
	Level    int8
	Reason   schema.ReasonKind
	Key      string
	Peer     schema.AlertID
	Distance int64
	Weight   int
}

func bruteLess(a, b *bruteAlert) bool {
	return a.t < b.t || a.t == b.t && strings.Compare(string(a.id[:]), string(b.id[:])) < 0
}

func brute(cfg Config, docs []schema.Alert) map[schema.AlertID]bruteRow {
	alerts := map[schema.AlertID]*bruteAlert{}
	var all []*bruteAlert
	for i := range docs {
		d := &docs[i]
		a := alerts[d.ID]
		if a == nil {
			a = &bruteAlert{id: d.ID, tenant: d.Tenant, t: int64(d.Created), sev: d.Severity}
			alerts[d.ID] = a
			all = append(all, a)
		}
		if slices.ContainsFunc(a.obs, func(o *bruteObs) bool { return o.content == d.Content }) {
			continue
		}
		a.t, a.sev = min(a.t, int64(d.Created)), min(a.sev, d.Severity)
		a.obs = append(a.obs, bruteObserve(cfg, a, d))
	}
	slices.SortFunc(all, func(x, y *bruteAlert) int {
		if bruteLess(x, y) {
			return -1
		}
		return 1
	})
	degrees := map[string][]int64{}
	for _, a := range all {
		for _, o := range a.obs {
			for _, k := range o.singles {
				degrees[k] = append(degrees[k], o.t)
			}
		}
	}
	const h = 3600_000
	floor := func(t, n int64) int64 { return t - ((t%n)+n)%n }
	window := func(level int, o *bruteObs, i int) int64 {
		s := floor(o.t, h) - h
		d := int64(0)
		for _, t := range degrees[o.singles[i]] {
			if t >= s-24*h && t < s {
				d++
			}
		}
		switch {
		case level == 0 && d <= int64(cfg.HubDegree):
			return o.bases[i] * 3 / (2 + d)
		case level == 1 && d <= int64(cfg.HubDegree):
			return o.bases[i] * 4 / (5 * (2 + d))
		case level == 2 && d <= int64(cfg.RareDegree):
			return o.bases[i] * 4 / (15 * (2 + d))
		}
		return -1
	}
	type link struct {
		to     *bruteAlert
		dist   int64
		single bool
		key    string
	}
	links := func(level int, a, b *bruteAlert) (out []link) {
		for _, x := range a.obs {
			for _, y := range b.obs {
				first, second := x, y
				if y.t < x.t || y.t == x.t && bruteLess(b, a) {
					first, second = y, x
				}
				dist := second.t - first.t
				for i, k := range first.singles {
					j := slices.Index(second.singles, k)
					if j < 0 {
						continue
					}
					if w := window(level, second, j); window(level, first, i) >= 0 && w >= 0 && dist <= w {
						out = append(out, link{b, dist, true, k})
					}
				}
				for _, k := range first.pairs {
					if !slices.Contains(second.pairs, k) {
						continue
					}
					slice := cfg.Slice.Milliseconds()
					if level < 4 && dist <= cfg.PairWindows[level].Milliseconds() || level == 4 && floor(x.t, slice) == floor(y.t, slice) {
						out = append(out, link{b, dist, false, k})
					}
				}
			}
		}
		return out
	}
	caps := append(slices.Clone(cfg.Caps), cfg.SliceWeight, 1<<31)
	for level := range 5 {
		group := map[*bruteAlert]*bruteAlert{}
		var find func(a *bruteAlert) *bruteAlert
		find = func(a *bruteAlert) *bruteAlert {
			if p := group[a]; p != nil {
				return find(p)
			}
			return a
		}
		for i, a := range all {
			for _, b := range all[:i] {
				if find(a) != find(b) && len(links(level, a, b)) > 0 {
					x, y := find(a), find(b)
					if bruteLess(x, y) {
						x, y = y, x
					}
					group[x] = y // the younger founder gives way
				}
			}
		}
		for _, a := range all {
			a.comp[level] = find(a)
		}
	}
	rows := map[schema.AlertID]bruteRow{}
	for _, a := range all {
		weightOf := func(x *bruteAlert) int {
			if x.sev >= schema.SeverityHigh {
				return 0
			}
			return 1
		}
		level, size := 0, 0
		for ; ; level++ {
			weight := uint32(0)
			size = 0
			for _, b := range all {
				if b.comp[level] == a.comp[level] {
					weight += uint32(weightOf(b))
					size++
				}
			}
			if weight <= caps[level] {
				break
			}
		}
		r := bruteRow{Incident: schema.NewIncidentID(a.tenant, a.comp[level].id), Campaign: schema.NewIncidentID(a.tenant, a.comp[0].id),
			Level: int8(level), Weight: weightOf(a)}
		if size == 1 {
			r.Level = -1
		}
		if a.comp[level] != a {
			var of []link
			for _, b := range all {
				if b != a && b.comp[level] == a.comp[level] && bruteLess(b, a) {
					of = append(of, links(level, a, b)...)
				}
			}
			if len(of) == 0 {
				for _, b := range all {
					if b != a && b.comp[level] == a.comp[level] {
						of = append(of, links(level, a, b)...)
					}
				}
			}
			best := slices.MinFunc(of, func(x, y link) int {
				single := func(l link) int {
					if l.single {
						return 1
					}
					return 0
				}
				return cmp.Or(cmp.Compare(x.dist, y.dist), cmp.Compare(single(x), single(y)), strings.Compare(x.key, y.key),
					strings.Compare(string(x.to.id[:]), string(y.to.id[:])))
			})
			r.Reason, r.Key, r.Peer, r.Distance = schema.ReasonLinked, best.key, best.to.id, best.dist
		}
		rows[a.id] = r
	}
	return rows
}

func bruteObserve(cfg Config, a *bruteAlert, d *schema.Alert) *bruteObs {
	order := []string{"host", "user", "ip", "mailbox", "cloud_resource", "cloud_account", "application", "file_hash", "domain", "url"}
	type one struct {
		rank int
		typ  string
		key  string
	}
	var ones []one
	for _, e := range d.Entities {
		x := one{slices.Index(order, e.Type.String()), e.Type.String(), e.Key}
		if x.rank < 0 || e.Role == schema.RoleSensor || e.Key == "" || len(e.Key) > 512 || slices.Contains(cfg.Allowlist, x.typ+":"+x.key) || slices.Contains(ones, x) {
			continue
		}
		ones = append(ones, x)
	}
	slices.SortFunc(ones, func(x, y one) int { return cmp.Or(cmp.Compare(x.rank, y.rank), strings.Compare(x.key, y.key)) })
	ones = ones[:min(len(ones), cfg.MaxEntities)]
	o := &bruteObs{alert: a, t: int64(d.Created), content: d.Content}
	b := cfg.Base
	inside := make([]bool, len(ones))
	for i, x := range ones {
		base := map[string]int64{"host": b.Host.Milliseconds(), "user": b.User.Milliseconds(), "mailbox": b.Mailbox.Milliseconds(),
			"cloud_resource": b.CloudResource.Milliseconds(), "cloud_account": b.CloudAccount.Milliseconds(), "application": b.Application.Milliseconds(),
			"file_hash": b.FileHash.Milliseconds(), "domain": b.Domain.Milliseconds(), "url": b.URL.Milliseconds(), "ip": b.ExternalIP.Milliseconds()}[x.typ]
		if x.typ == "ip" {
			for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "::1/128", "fe80::/10", "fc00::/7"} {
				if ip, err := netip.ParseAddr(x.key); err == nil && netip.MustParsePrefix(p).Contains(ip.Unmap()) {
					base, inside[i] = b.InternalIP.Milliseconds(), true
				}
			}
		}
		o.singles, o.types, o.bases = append(o.singles, x.typ+":"+x.key), append(o.types, x.typ), append(o.bases, base)
	}
	tells := func(i int) string { // of what kind of thing an entity tells
		switch o.types[i] {
		case "user", "mailbox":
			return "person"
		case "host":
			return "machine"
		case "file_hash", "domain":
			return "artifact"
		case "ip":
			if inside[i] {
				return "machine"
			}
			return "artifact"
		}
		return ""
	}
	for i := range ones {
		for j := range i {
			if tells(i) != "" && tells(j) != "" && tells(i) != tells(j) {
				o.pairs = append(o.pairs, fmt.Sprintf("%s|%s", min(o.singles[i], o.singles[j]), max(o.singles[i], o.singles[j])))
			}
		}
	}
	return o
}
