package match

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// TestOracle compares what is found for an entity with a scan of all indicators,
// over values of every type that collide as often as possible.
func TestOracle(t *testing.T) {
	hits := [schema.ObservableTypes]int{}
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(anyIndicator(), 40, 120).Draw(t, "indicators")
		x, err := Build(DefaultConfig(), list)
		if err != nil {
			t.Fatal(err)
		}
		counts := typeCounts{}
		for i := range x.All() {
			counts.add(i.Type, 1)
		}
		if counts != x.types {
			t.Fatalf("types %v, there are %v", x.types, counts)
		}
		r := NewReader()
		for range 30 {
			e := anyEntity(list).Draw(t, "entity")
			var got, want []string
			o, ok := r.FindEntity(x, &e, func(i *schema.Indicator) { got = append(got, identity(*i)) })
			for _, i := range list {
				if ok && oracleNames(e, o, i) {
					want = append(want, identity(i))
					hits[i.Type]++
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if want = slices.Compact(want); !slices.Equal(got, want) {
				t.Fatalf("%+v: got %v, want %v of %v", e, got, want, list)
			}
		}
	})
	for typ := schema.ObservableUnknown + 1; int(typ) < schema.ObservableTypes; typ++ {
		if hits[typ] == 0 && typ != schema.ObservableSSDeep { // no entity has one
			t.Errorf("no %s was ever to be found: the test says nothing of it", typ)
		}
	}
}

var (
	oracleLabel  = rapid.SampledFrom([]string{"a", "b"})
	oracleDomain = rapid.Custom(func(t *rapid.T) string {
		return strings.Join(append(rapid.SliceOfN(oracleLabel, 1, 3).Draw(t, "labels"), "example"), ".")
	})
	oracleAddr = rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.IntRange(0, 3).Draw(t, "v6") == 0 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(rapid.IntRange(0, 2).Draw(t, "low"))})
		}
		return netip.AddrFrom4([4]byte{10, byte(rapid.IntRange(0, 1).Draw(t, "b")), 0, byte(rapid.IntRange(0, 2).Draw(t, "d"))})
	})
	oraclePort = rapid.SampledFrom([]uint16{0, 80, 443, 8080})
	oraclePath = rapid.Custom(func(t *rapid.T) string {
		path := "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"gate", "gate", "b", ""}), 0, 3).Draw(t, "parts"), "/")
		return path + rapid.SampledFrom([]string{"", "", "?q/1"}).Draw(t, "query")
	})
	oracleURL = rapid.Custom(func(t *rapid.T) string {
		host := oracleDomain.Draw(t, "host")
		if a := oracleAddr.Draw(t, "address"); rapid.IntRange(0, 2).Draw(t, "numeric") == 0 {
			if host = a.String(); a.Is6() {
				host = "[" + host + "]"
			}
		}
		scheme := rapid.SampledFrom([]string{"http", "https"}).Draw(t, "scheme")
		if port := oraclePort.Draw(t, "port"); port == 8080 {
			host += ":8080"
		}
		user := rapid.SampledFrom([]string{"", "", "", "u:p@"}).Draw(t, "user")
		return scheme + "://" + user + host + oraclePath.Draw(t, "path")
	})
	oracleWord = rapid.SampledFrom([]string{"x", "y", "z"})
	oracleHex  = rapid.SampledFrom([]string{strings.Repeat("ab", 16), strings.Repeat("cd", 16)})
)

const oracleJA4 = "t13d1516h2_8daaf6152771_02713d6af862"

// anyIndicator gives indicators that Check accepts.
func anyIndicator() *rapid.Generator[schema.Indicator] {
	return rapid.Custom(func(t *rapid.T) schema.Indicator {
		i := schema.Indicator{Feed: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "feed"), Verdict: schema.VerdictMalicious, Exact: rapid.Bool().Draw(t, "exact")}
		i.Type = schema.ObservableType(rapid.IntRange(1, schema.ObservableTypes-1).Draw(t, "type"))
		i.Value = oracleValue(t, i.Type)
		return i
	}).Filter(func(i schema.Indicator) bool { return Check(i) == nil })
}

func oracleValue(t *rapid.T, typ schema.ObservableType) string {
	cut := func(u string) string {
		if rapid.Bool().Draw(t, "any scheme") {
			u = u[strings.Index(u, "//"):]
		}
		return u
	}
	switch typ {
	case schema.ObservableIP:
		return oracleAddr.Draw(t, "ip").String()
	case schema.ObservableCIDR:
		a := oracleAddr.Draw(t, "net")
		return netip.PrefixFrom(a, rapid.IntRange(a.BitLen()/4, a.BitLen()).Draw(t, "bits")).Masked().String()
	case schema.ObservableDomain, schema.ObservableSender:
		return oracleDomain.Draw(t, "domain")
	case schema.ObservableURL:
		return cut(oracleURL.Draw(t, "url"))
	case schema.ObservableURLPrefix:
		u, _, _ := strings.Cut(oracleURL.Draw(t, "url"), "?")
		return cut(u[:strings.LastIndexByte(u, '/')+1])
	case schema.ObservableURLPath:
		return oraclePath.Draw(t, "path")
	case schema.ObservableEmail:
		return oracleWord.Draw(t, "local") + "@" + oracleDomain.Draw(t, "domain")
	case schema.ObservableSocket:
		return netip.AddrPortFrom(oracleAddr.Draw(t, "ip"), oraclePort.Draw(t, "port")).String()
	case schema.ObservableHash, schema.ObservableCertificate, schema.ObservableJA3, schema.ObservableJA3S:
		return oracleHex.Draw(t, "hex")
	case schema.ObservableJA4:
		return oracleJA4
	}
	return oracleWord.Draw(t, "text")
}

// anyEntity gives an entity, of URLs often one that an indicator is about.
func anyEntity(list []schema.Indicator) *rapid.Generator[schema.Entity] {
	var known []string
	for _, i := range list {
		if i.Type == schema.ObservableURL || i.Type == schema.ObservableURLPrefix {
			known = append(known, i.Value)
		}
	}
	return rapid.Custom(func(t *rapid.T) schema.Entity {
		e := schema.Entity{Port: oraclePort.Draw(t, "port"), Role: rapid.SampledFrom([]schema.Role{schema.RoleSource, schema.RoleTarget}).Draw(t, "role")}
		e.Type = rapid.SampledFrom([]schema.EntityType{schema.EntityHost, schema.EntityIP, schema.EntityDomain, schema.EntityURL, schema.EntityFileHash, schema.EntityMailbox,
			schema.EntityCertificate, schema.EntityTLSFingerprint, schema.EntityUserAgent, schema.EntityMutex, schema.EntityRegistryKey}).Draw(t, "type")
		switch e.Type {
		case schema.EntityTLSFingerprint:
			e.Key = rapid.SampledFrom([]string{"ja3:", "ja3s:", "ja4:", "ja5:"}).Draw(t, "kind")
			if e.Key == "ja4:" {
				e.Key += oracleJA4
			} else {
				e.Key += oracleHex.Draw(t, "hex")
			}
		case schema.EntityURL:
			e.Key = oracleURL.Draw(t, "url")
			if len(known) > 0 && rapid.Bool().Draw(t, "known") {
				e.Key = rapid.SampledFrom(known).Draw(t, "url") + rapid.SampledFrom([]string{"", "", "b/", "gate?q/1"}).Draw(t, "more")
				if strings.HasPrefix(e.Key, "//") {
					e.Key = "https:" + e.Key
				}
			}
		default:
			o, ok := schema.Entity{Type: e.Type}.Observable()
			if !ok {
				o.Type = schema.ObservableDomain
			}
			e.Key = oracleValue(t, o.Type)
		}
		return e
	})
}

// oracleNames says by other means than the index whether an indicator is found for an
// entity.
func oracleNames(e schema.Entity, o schema.Observable, i schema.Indicator) bool {
	if o.Type == i.Type && o.Value == i.Value {
		return true
	}
	below := func(name string) bool { return name == i.Value || strings.HasSuffix(name, "."+i.Value) }
	switch o.Type {
	case schema.ObservableIP:
		return oracleAddress(netip.MustParseAddr(o.Value), e.Port, i)
	case schema.ObservableDomain:
		return i.Type == schema.ObservableDomain && below(o.Value)
	case schema.ObservableEmail:
		_, host, _ := strings.Cut(o.Value, "@")
		return e.Role != schema.RoleTarget && (i.Type == schema.ObservableDomain || i.Type == schema.ObservableSender) && below(host)
	case schema.ObservableURL:
		u, err := url.Parse(o.Value)
		if err != nil {
			panic(fmt.Sprintf("the test made a URL that is none: %v", err))
		}
		noQuery, _, _ := strings.Cut(o.Value, "?")
		noScheme := strings.TrimPrefix(o.Value, u.Scheme+":")
		switch i.Type {
		case schema.ObservableURL:
			return i.Value == noScheme
		case schema.ObservableURLPrefix:
			return strings.HasPrefix(noQuery, i.Value) || strings.HasPrefix(strings.TrimPrefix(noQuery, u.Scheme+":"), i.Value)
		case schema.ObservableURLPath:
			return i.Value == u.Path || i.Value == u.RequestURI()
		case schema.ObservableDomain:
			return below(u.Hostname())
		}
		a, err := netip.ParseAddr(u.Hostname())
		if err != nil {
			return false
		}
		port := map[string]uint64{"http": 80, "https": 443}[u.Scheme]
		if u.Port() != "" {
			port, _ = strconv.ParseUint(u.Port(), 10, 16)
		}
		return oracleAddress(a, uint16(port), i)
	}
	return false
}

func oracleAddress(a netip.Addr, port uint16, i schema.Indicator) bool {
	switch i.Type {
	case schema.ObservableIP:
		return i.Value == a.String()
	case schema.ObservableCIDR:
		return netip.MustParsePrefix(i.Value).Contains(a)
	case schema.ObservableSocket:
		return i.Value == netip.AddrPortFrom(a, port).String()
	}
	return false
}
