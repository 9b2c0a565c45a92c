package match

import (
	"errors"
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Errors of Check.
var (
	ErrSuffix    = errors.New("a public suffix would match everybody's domains")
	ErrCanonical = errors.New("value is not in canonical form")
	ErrLong      = errors.New("value, feed, id, tenant, labels or threats are too long")
	ErrWide      = errors.New("network is wider than /8 (IPv4) or /19 (IPv6)")
	ErrBare      = errors.New("a prefix that is a host and nothing else: say the domain or the address")
	ErrDeep      = errors.New("prefix has more than 16 parts")
	ErrShort     = errors.New("a path this short is on every host")
	ErrBound     = errors.New("TLP red and amber+strict need a tenant: whom else may they match")
	ErrRange     = errors.New("confidence, verdict, severity or wish is out of range")
)

// Check reports why an indicator cannot be in an index: unknown type, a value not
// in canonical form, a domain that is a public suffix, a network so wide that it
// names half the internet, a marking that binds it to a tenant it does not name.
//
// A public suffix (of ICANN's or of the private section: "co.uk", "github.io")
// names nobody. Only an exact entry of a benign list may be one: it then speaks of
// that name alone, and of nothing that is registered below it. So may an exact
// indicator of what is hosted: see Narrow.
func Check(i schema.Indicator) error {
	if len(i.Value) > maxValue || max(len(i.Feed), len(i.ID), len(i.Tenant)) > maxName || len(i.Labels) > maxLabels || len(i.Threats) > maxThreats {
		return ErrLong
	}
	for _, l := range i.Labels {
		if len(l) > maxName {
			return ErrLong
		}
	}
	for k := range i.Threats {
		if max(len(i.Threats[k].ID), len(i.Threats[k].Name)) > maxName {
			return ErrLong
		}
	}
	if i.Confidence > 100 || i.Verdict > schema.VerdictFalsePositive || i.Severity > schema.SeverityFatal || i.Wish > schema.WishBlock || i.TLP > schema.TLPAmberStrict {
		return ErrRange
	}
	if i.TLP.Bound() && i.Tenant == "" {
		return ErrBound
	}
	if (i.Type == schema.ObservableDomain || i.Type == schema.ObservableSender) && isSuffix(i.Value) && !(i.Exact && (i.Listed || isHosted(i.Value))) {
		return ErrSuffix
	}
	return checkValue(i.Type, i.Value)
}

// Narrow makes an indicator exact whose name is a public suffix that one customer
// has, so that Check takes it.
func Narrow(i *schema.Indicator) {
	if (i.Type == schema.ObservableDomain || i.Type == schema.ObservableSender) && !i.Exact && isHosted(i.Value) {
		i.Exact = true
	}
}

// checkValue reports a value that is not in the one form of its type. What it lets
// through is what normalization makes of alerts: two forms of one thing would never
// meet.
func checkValue(t schema.ObservableType, v string) error {
	ok := false
	switch t {
	case schema.ObservableIP:
		ok = isAddress(v)
	case schema.ObservableCIDR:
		return checkNetwork(v)
	case schema.ObservableDomain, schema.ObservableSender:
		ok = isDomain(v)
	case schema.ObservableURL:
		ok = isURL(v)
	case schema.ObservableURLPrefix:
		return checkPrefix(v)
	case schema.ObservableURLPath:
		if ok = strings.HasPrefix(v, "/") && plain(v); ok && len(v) < 1+shortestPath {
			return ErrShort
		}
	case schema.ObservableHash, schema.ObservableCertificate:
		ok = (len(v) == 32 || len(v) == 40 || len(v) == 64) && isHex(v)
	case schema.ObservableJA3, schema.ObservableJA3S:
		ok = len(v) == 32 && isHex(v)
	case schema.ObservableJA4:
		ok = isJA4(v)
	case schema.ObservableEmail:
		ok = isMailbox(v)
	case schema.ObservableSocket:
		ok = isSocket(v)
	case schema.ObservableUserAgent, schema.ObservableMutex, schema.ObservableRegistry, schema.ObservableSSDeep:
		ok = isText(v)
	default:
		return fmt.Errorf("type %d is not one that is matched", t)
	}
	if !ok {
		return ErrCanonical
	}
	return nil
}
