package match

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// FuzzFind holds that no text crashes a question or the judgment of what it finds,
// and that whatever may be an indicator is found by its own text.
func FuzzFind(f *testing.F) {
	for typ, values := range [...][]string{schema.ObservableIP: {"203.0.113.7", "::ffff:203.0.113.7", "fe80::1%eth0"}, schema.ObservableCIDR: {"198.51.100.0/24"},
		schema.ObservableDomain: {"a.bad.example", "..", "co.uk"}, schema.ObservableURL: {"http://u:p@[2001:db8::1]:80/a/b?c", "//bad.example/", "http://[", "://"},
		schema.ObservableEmail: {"a@bad.example", "@", "a@[203.0.113.7]"}, schema.ObservableSocket: {"203.0.113.7:443", "[::]:0"},
		schema.ObservableURLPrefix: {"//bad.example/a/"}, schema.ObservableURLPath: {"/gate.php"}} {
		for _, v := range values {
			f.Add(uint8(typ), v, uint16(443))
		}
	}
	all := build(f, ind(schema.ObservableCIDR, "198.51.0.0/16"), ind(schema.ObservableCIDR, "2001:db8::/32"), ind(schema.ObservableDomain, "bad.example"), ind(schema.ObservableURL, "//bad.example/"),
		ind(schema.ObservableIP, "203.0.113.7"), ind(schema.ObservableSocket, "203.0.113.7:443"), ind(schema.ObservableURLPrefix, "//bad.example/a/"), ind(schema.ObservableURLPath, "/gate.php"),
		ind(schema.ObservableSender, "bad.example"), ind(schema.ObservableEmail, "a@bad.example"))
	f.Fuzz(func(t *testing.T, typ uint8, value string, port uint16) {
		o := schema.Observable{Type: schema.ObservableType(typ), Value: value}
		r := NewReader()
		var found []schema.Indicator
		take := func(i *schema.Indicator) { found = append(found, *i) }
		r.find(all, o, port, true, take)
		rulings := Judge(DefaultConfig().Decay, Subject{}, o, found, nil)
		if len(rulings) != len(found) {
			t.Fatalf("%d rulings of %d indicators", len(rulings), len(found))
		}
		for k := range rulings {
			if rulings[k].Why() == "" {
				t.Errorf("no reason for %+v", rulings[k])
			}
		}
		i := schema.Indicator{Type: o.Type, Value: value}
		if Check(i) != nil {
			return
		}
		found = nil
		r.Find(build(t, i), o, take)
		if len(found) != 1 || found[0].Value != value {
			t.Errorf("%s %q was found %d times", o.Type, value, len(found))
		}
	})
}
