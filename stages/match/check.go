package match

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
	"golang.org/x/net/publicsuffix"
)

// Errors of Check.
var (
	ErrSuffix    = errors.New("a public suffix would match everybody's domains")
	ErrCanonical = errors.New("value is not in canonical form")
	ErrLong      = errors.New("value, feed, id or labels are too long")
	ErrWide      = errors.New("network is wider than /8 (IPv4) or /19 (IPv6)")
)

// Check reports why an indicator cannot be in an index: unknown type, a value not
// in canonical form, a domain that is a public suffix, a network so wide that it
// names half the internet.
func Check(i schema.Indicator) error {
	if len(i.Value) > maxValue || len(i.Feed) > maxName || len(i.ID) > maxName || len(i.Labels) > maxLabels {
		return ErrLong
	}
	for _, l := range i.Labels {
		if len(l) > maxName {
			return ErrLong
		}
	}
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
