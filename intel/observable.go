package intel

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
)

// errValue says that a text is no observable of a type that is matched.
var errValue = errors.New("neither address, network, domain, URL, file hash nor e-mail address")

// Recognize tells what kind of observable a text is and gives its canonical
// form. Defanged forms (hxxp, [.], (dot), [@]) are understood.
func Recognize(text string) (schema.Observable, error) {
	s := refang(strings.TrimSpace(text))
	if p, err := netip.ParsePrefix(s); err == nil {
		return network(p)
	}
	for _, t := range [...]schema.ObservableType{schema.ObservableIP, schema.ObservableURL, schema.ObservableHash, schema.ObservableEmail, schema.ObservableDomain} {
		if strings.Contains(s, "@") && t == schema.ObservableDomain {
			continue
		}
		v := canon.Canonical(t, s)
		if v == "" || t == schema.ObservableDomain && numericTop(v) {
			continue
		}
		return schema.Observable{Type: t, Value: v}, nil
	}
	return schema.Observable{}, errValue
}

// numericTop reports a name whose last label is a number: a broken address, not
// a domain.
func numericTop(domain string) bool {
	top := domain[strings.LastIndexByte(domain, '.')+1:]
	return strings.Trim(top, "0123456789") == ""
}

// network gives the canonical form of a prefix; one that holds a single address
// is that address.
func network(p netip.Prefix) (schema.Observable, error) {
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return schema.Observable{}, errValue
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.IsSingleIP() {
		if v := canon.Canonical(schema.ObservableIP, p.Addr().String()); v != "" {
			return schema.Observable{Type: schema.ObservableIP, Value: v}, nil
		}
		return schema.Observable{}, errValue
	}
	return schema.Observable{Type: schema.ObservableCIDR, Value: p.Masked().String()}, nil
}

// refang undoes the usual ways of making a value harmless to click.
func refang(s string) string {
	if !strings.ContainsAny(s, "[](){}") && !strings.HasPrefix(strings.ToLower(s), "hxxp") {
		return s
	}
	r := strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[DOT]", ".", "[:]", ":", "[://]", "://", "[/]", "/",
		"[@]", "@", "(@)", "@", "[at]", "@", "(at)", "@")
	s = r.Replace(s)
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	return s
}
