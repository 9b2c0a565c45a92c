package match

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestNetworks adds and removes nested and neighboring prefixes, few and many at a
// time, and compares what addresses find with a scan.
func TestNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	prefix := func() netip.Prefix {
		if r.IntN(8) == 0 {
			a := [16]byte{0x20, 0x01, 0x0d, 0xb8, byte(r.IntN(2)), byte(r.IntN(4))}
			return netip.PrefixFrom(netip.AddrFrom16(a), 32+r.IntN(97)).Masked()
		}
		a := netip.AddrFrom4([4]byte{10, byte(r.IntN(3)), byte(r.IntN(4)), byte(r.IntN(256))})
		return netip.PrefixFrom(a, 8+r.IntN(25)).Masked()
	}
	x := build(t)
	there := map[netip.Prefix]bool{}
	for step := range 60 {
		n := 1 + r.IntN(8)
		if step%10 == 5 {
			n = 3 * bulk
		}
		var list []Change
		for range n {
			p := prefix()
			if p.IsSingleIP() {
				continue
			}
			op := Add
			if r.IntN(2) == 0 {
				op = Remove
			}
			there[p] = op == Add
			list = append(list, Change{op, ind(schema.ObservableCIDR, p.String())})
		}
		if step%20 == 19 { // all at once
			for p := range there {
				there[p] = false
				list = append(list, Change{Remove, ind(schema.ObservableCIDR, p.String())})
			}
		}
		var err error
		if x, _, err = x.Apply(list); err != nil {
			t.Fatal(err)
		}
		for range 200 {
			a := prefix().Addr()
			var want []string
			for p, is := range there {
				if is && p.Contains(a) {
					want = append(want, p.String())
				}
			}
			slices.Sort(want)
			if got := values(x, schema.Observable{Type: schema.ObservableIP, Value: a.String()}); !slices.Equal(got, want) {
				t.Fatalf("step %d, %s: %v, want %v", step, a, got, want)
			}
		}
		if step%20 == 19 && (x.Len() != 0 || x.nets.n != 0) {
			t.Fatalf("%d networks are left of none", x.nets.n)
		}
	}
}
