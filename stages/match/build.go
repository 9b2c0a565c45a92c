package match

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/bits-and-blooms/bloom/v3"
	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
	"golang.org/x/net/publicsuffix"
)

// Build makes an index of indicators whose values are in canonical form. The
// order of the argument does not matter; equal indicators of one feed count
// once. An indicator that must never be in an index is an error: see Check.
func Build(cfg Config, indicators []schema.Indicator) (*Index, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	list := slices.Clone(indicators)
	slices.SortFunc(list, compare)
	list = slices.CompactFunc(list, func(a, b schema.Indicator) bool {
		return a.Type == b.Type && a.Value == b.Value && a.Feed == b.Feed && a.ID == b.ID
	})
	m, k := bloom.EstimateParameters(uint(max(1, len(list))), cfg.FalsePositives)
	x := &Index{indicators: list, filter: bloom.New(max(64, m), min(k, maxProbes)), table: make(map[uint64]int32, len(list)),
		next: make([]int32, len(list)), probes: min(k, maxProbes)}
	sum := xxh3.New()
	// Backwards, so that chains run in sorted order.
	for i := len(list) - 1; i >= 0; i-- {
		ind := &list[i]
		if err := Check(*ind); err != nil {
			return nil, fmt.Errorf("indicator %s of feed %s: %w", ind.ID, ind.Feed, err)
		}
		x.next[i] = -1
		hashIndicator(sum, ind)
		if ind.Type == schema.ObservableCIDR {
			p := netip.MustParsePrefix(ind.Value) // Check has parsed it
			if head, ok := x.prefixes.Get(p); ok {
				x.next[i] = head
			}
			x.prefixes.Insert(p, int32(i))
			x.networks++
			continue
		}
		h := key(ind.Type, ind.Value)
		if head, ok := x.table[h.Lo]; ok {
			x.next[i] = head
		}
		x.table[h.Lo] = int32(i)
		loc := h.Lo
		for range x.probes {
			x.filter.BitSet().Set(uint(loc % uint64(x.filter.Cap())))
			loc += h.Hi
		}
	}
	x.id = sum.Sum64()
	return x, nil
}

func compare(a, b schema.Indicator) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), strings.Compare(a.Value, b.Value), strings.Compare(a.Feed, b.Feed), strings.Compare(a.ID, b.ID),
		// Of one that a feed has twice, the surest is kept, whichever came first.
		cmp.Compare(b.Confidence, a.Confidence), cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Verdict, b.Verdict),
		cmp.Compare(b.TLP, a.TLP), cmp.Compare(a.ValidUntil, b.ValidUntil), cmp.Compare(a.ValidFrom, b.ValidFrom))
}

func hashIndicator(h *xxh3.Hasher, i *schema.Indicator) {
	var n [8]byte
	for _, s := range [...]string{i.ID, i.Feed, i.Value} {
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		_, _ = h.Write(n[:])
		_, _ = h.WriteString(s)
	}
	for _, v := range [...]uint64{uint64(i.Type), uint64(i.Verdict), uint64(i.Severity), uint64(i.Confidence), uint64(i.TLP), uint64(i.ValidFrom), uint64(i.ValidUntil)} {
		binary.LittleEndian.PutUint64(n[:], v)
		_, _ = h.Write(n[:])
	}
}

// Errors of Check.
var (
	ErrSuffix    = errors.New("a public suffix would match everybody's domains")
	ErrCanonical = errors.New("value is not in canonical form")
	ErrWide      = errors.New("network is wider than /8 (IPv4) or /19 (IPv6)")
)

// Check reports why an indicator cannot be in an index: unknown type, a value not
// in canonical form, a domain that is a public suffix, a network so wide that it
// names half the internet.
func Check(i schema.Indicator) error {
	switch i.Type {
	case schema.ObservableIP:
		a, err := netip.ParseAddr(i.Value)
		if err != nil || a.Unmap().WithZone("").String() != i.Value {
			return ErrCanonical
		}
	case schema.ObservableCIDR:
		p, err := netip.ParsePrefix(i.Value)
		if err != nil || p.Masked().String() != i.Value {
			return ErrCanonical
		}
		if p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 19 {
			return ErrWide
		}
	case schema.ObservableDomain:
		if i.Value == "" || i.Value != strings.ToLower(i.Value) || strings.HasSuffix(i.Value, ".") || strings.ContainsAny(i.Value, "/: @") {
			return ErrCanonical
		}
		if suffix, _ := publicsuffix.PublicSuffix(i.Value); suffix == i.Value {
			return ErrSuffix
		}
	case schema.ObservableURL:
		if !strings.Contains(i.Value, "://") {
			return ErrCanonical
		}
	case schema.ObservableHash:
		if n := len(i.Value); n != 32 && n != 40 && n != 64 || strings.Trim(i.Value, "0123456789abcdef") != "" {
			return ErrCanonical
		}
	case schema.ObservableEmail:
		if !strings.Contains(i.Value, "@") || i.Value != strings.ToLower(i.Value) {
			return ErrCanonical
		}
	default:
		return fmt.Errorf("type %d is not one that is matched", i.Type)
	}
	return nil
}
