package parse

import (
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

func TestRecognize(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	for _, c := range []struct{ text, want string }{
		{"203.0.113.7", "ip 203.0.113.7"},
		{" 203.0.113.7 ", "ip 203.0.113.7"},
		{"203[.]0[.]113[.]7", "ip 203.0.113.7"},
		{"::ffff:203.0.113.7", "ip 203.0.113.7"},
		{"2001:DB8::1", "ip 2001:db8::1"},
		{"198.51.100.9/24", "cidr 198.51.100.0/24"},
		{"198.51.100.9/32", "ip 198.51.100.9"},
		{"198.51.100[.]0/24", "cidr 198.51.100.0/24"},
		{"2001:db8:1::/48", "cidr 2001:db8:1::/48"},
		{"::ffff:203.0.113.0/120", "cidr 203.0.113.0/24"},
		{"203.0.113.7:8080", "socket 203.0.113.7:8080"},
		{"203[.]0[.]113[.]7:8080", "socket 203.0.113.7:8080"},
		{"[2001:DB8::7]:443", "socket [2001:db8::7]:443"},
		{"[::ffff:203.0.113.7]:443", "socket 203.0.113.7:443"},
		{"Bad[.]Example", "domain bad.example"},
		{"bad.example.", "domain bad.example"},
		{"*.bad.example", "domain bad.example"},
		{".bad.example", "domain bad.example"},
		{"b\u00fccher.example", "domain xn--bcher-kva.example"},
		{"hxxps://Bad.Example:443/Drop#x", "url https://bad.example/Drop"},
		{"hxxp[:]//bad[.]example/a", "url http://bad.example/a"},
		{"http://bad.example", "url http://bad.example/"},
		{"http://203.0.113.7:8080/a,b;c", "url http://203.0.113.7:8080/a,b;c"},
		{"http://bad.example/a b", "url http://bad.example/a%20b"},
		{`http://bad.example/a\b`, `url http://bad.example/a\b`},
		{"http://bad.example/x[.]y", "url http://bad.example/x[.]y"}, // the path's own
		{"bad.example/Path?q=a@b", "url //bad.example/Path?q=a@b"},
		{"bad[.]example/x", "url //bad.example/x"},
		{"203.0.113.7/x", "url //203.0.113.7/x"},
		{"203.0.113.7:8080/x", "url //203.0.113.7:8080/x"},
		{"//bad.example/x", "url //bad.example/x"},
		{"bad.example:80/x", "url http://bad.example/x"}, // the port tells the scheme
		{"bad.example:443/x", "url https://bad.example/x"},
		{"http://bad.example/x/*", "url_prefix http://bad.example/x/"},
		{"bad.example/x/*", "url_prefix //bad.example/x/"},
		{"http://bad.example/x/*#y", "url_prefix http://bad.example/x/"},
		{"/gate.php?id=1", "url_path /gate.php?id=1"},
		{"AB" + strings.Repeat("cd", 15), "hash ab" + strings.Repeat("cd", 15)},
		{"sha256:" + sha, "hash " + sha},
		{"A@Bad.Example", "email a@bad.example"},
		{"a[@]bad[.]example", "email a@bad.example"},
		{"t13d1516h2_8daaf6152771_02713d6af862", "ja4 t13d1516h2_8daaf6152771_02713d6af862"},
		{"T13D1516H2_8DAAF6152771_02713D6AF862", "ja4 t13d1516h2_8daaf6152771_02713d6af862"},
		{`HKLM\Software\Bad`, `registry hkey_local_machine\software\bad`},
		{"96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO:sTd1Lj9y", "ssdeep 96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HYuL8N3TzS8QsO:sTd1Lj9y"},
	} {
		o, err := Recognize(c.text)
		if got := o.Type.String() + " " + o.Value; err != nil || got != c.want {
			t.Errorf("%q: got %s (%v), want %s", c.text, got, err, c.want)
		}
	}
}

func TestRecognizeRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "no value"},
		{"word", "neither"},
		{"999.1.1.1", "no address"},
		{"127.0.0.1", "no address"},
		{"0.0.0.0:80", "no address"},
		{"203.0.113.7:0", "port"},
		{"203.0.113.7:70000", "port"},
		{"203.0.113.7/33", "prefix length"},
		{"a b", "blank"},
		{"http://", "no URL"},
		{"http:///x", "no URL"},
		{"localhost.localdomain", "machine itself"},
		{"payload.exe", "name of a file"},
		{"203.0.113.7|443", "colon belongs"},
		{"</head>", "no URL"},
		{"word/path", "no URL"},
		{"user@bad.example/x/y", "no e-mail"},
		{"deadbeef", "neither"},
		{"bad.example:8080", "domain with a port"},
		{"/", "no path"},
		{"/x/*", "no path"},
		{"/*#x", "no path"},
		{"//x/y", "no URL"},
		{"a@b", "no e-mail"},
		{"bad[0-9]+.example", "pattern"},
		{"bad*.example", "pattern"},
		{strings.Repeat("a", 128), "SHA-512"},
		{strings.Repeat("0", 64), "hash of an empty"},
		{"d41d8cd98f00b204e9800998ecf8427e", "hash of an empty"},
		{strings.Repeat("x", maxValue+1), "longer"},
		{"bad.exam\xffple", "UTF-8"},
	} {
		if o, err := Recognize(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: got %v %q, error %v, want one with %q", c.text, o.Type, o.Value, err, c.want)
		}
	}
}

func TestValue(t *testing.T) {
	sha1 := strings.Repeat("ab", 20)
	for _, c := range []struct {
		typ        schema.ObservableType
		text, want string // want: type and value, or "!" and a part of the error
	}{
		{schema.ObservableIP, "203.0.113.0/24", "cidr 203.0.113.0/24"},
		{schema.ObservableIP, "203.0.113.7:80", "!port"},
		{schema.ObservableIP, "[2001:db8::1]:80", "!port"},
		{schema.ObservableIP, "[2001:db8::1]", "ip 2001:db8::1"},
		{schema.ObservableIP, "224.0.0.1", "!single machine"},
		{schema.ObservableCIDR, "203.0.113.7/32", "ip 203.0.113.7"},
		{schema.ObservableCIDR, "x/24", "!CIDR"},
		{schema.ObservableDomain, "bad.example:80", "!port"},
		{schema.ObservableDomain, "203.0.113.7", "!domain"},
		{schema.ObservableURLPrefix, "http://bad.example/x/", "url_prefix http://bad.example/x/"},
		{schema.ObservableURLPrefix, "http://bad.example/x", "!slash"},
		{schema.ObservableURLPrefix, "http://bad.example/x?y/", "!slash"},
		{schema.ObservableURL, "bad.example", "url //bad.example/"},
		{schema.ObservableCertificate, strings.TrimSuffix(strings.Repeat("AB:", 20), ":"), "certificate " + sha1},
		{schema.ObservableCertificate, "abcd", "!certificate"},
		{schema.ObservableJA3, strings.Repeat("AB", 16), "ja3 " + strings.Repeat("ab", 16)},
		{schema.ObservableJA3S, sha1, "!JA3"},
		{schema.ObservableJA4, "T13D1516H2_8DAAF6152771_02713D6AF862", "ja4 t13d1516h2_8daaf6152771_02713d6af862"},
		{schema.ObservableUserAgent, "Bad/1.0 (X)", "user_agent Bad/1.0 (X)"},
		{schema.ObservableUserAgent, "Bad\x1b[1m", "!control"},
		{schema.ObservableMutex, `Global\Bad`, `mutex Global\Bad`},
		{schema.ObservableRegistry, `HKCU\Software\Bad\`, `registry hkey_current_user\software\bad`},
		{schema.ObservableRegistry, `Software\Bad`, "!hive"},
		{schema.ObservableSender, "a@Bad.Example", "sender bad.example"},
		{schema.ObservableSender, "@bad.example", "sender bad.example"},
		{schema.ObservableSSDeep, "3:a:b,\"x.exe\"", "!ssdeep"},
		{schema.ObservableUnknown, "x", "!type"},
	} {
		o, err := Value(c.typ, c.text)
		if want, fails := strings.CutPrefix(c.want, "!"); fails {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: got %q, error %v, want one with %q", c.typ, c.text, o.Value, err, want)
			}
		} else if got := o.Type.String() + " " + o.Value; err != nil || got != c.want {
			t.Errorf("%s %q: got %s (%v), want %s", c.typ, c.text, got, err, c.want)
		}
	}
}

// TestRefangForms holds what feeds write against clicking: whatever a feed could
// write until now it still can.
func TestRefangForms(t *testing.T) {
	for _, dot := range []string{"[.]", "(.)", "{.}", "[dot]", "(dot)", "[DOT]"} {
		if o, err := Recognize("bad" + dot + "example"); err != nil || o.Value != "bad.example" {
			t.Errorf("%s: got %q, %v", dot, o.Value, err)
		}
	}
	for _, at := range []string{"[@]", "(@)", "[at]", "(at)"} {
		if o, err := Recognize("a" + at + "bad.example"); err != nil || o.Value != "a@bad.example" {
			t.Errorf("%s: got %q, %v", at, o.Value, err)
		}
	}
	for _, url := range []string{"hxxp://bad.example/x", "HXXP://bad.example/x", "hxxp[:]//bad.example/x", "hxxp[://]bad.example/x", "hxxp://bad.example[/]x", "http://bad[.]example/x"} {
		if o, err := Recognize(url); err != nil || o.Value != "http://bad.example/x" {
			t.Errorf("%s: got %q, %v", url, o.Value, err)
		}
	}
}

// FuzzRecognize holds that the canonical form of a value is its own canonical form.
func FuzzRecognize(f *testing.F) {
	for _, s := range []string{"203.0.113.7", "[2001:db8::1]:443", "hxxp://bad[.]example/x/*", "bad.example:443/x", "/x?y", "a@bad.example", "3:a:b", `hklm\x\y`,
		"t13d1516h2_8daaf6152771_02713d6af862", "//bad.example:80/", "::ffff:1.2.3.4/128", "bad.example/%2f..;a", "*.b\u00fc.example", "h**p://bad[.example/x", `bad\.example`, "\u201cbad.example\u201d", "bad.exe", "198.51.100.0/255.255.255.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := Recognize(s)
		if err != nil {
			return
		}
		if again, err := Value(o.Type, o.Value); err != nil || again != o {
			t.Errorf("%q is %v %q, of which the canonical form is %v %q (%v)", s, o.Type, o.Value, again.Type, again.Value, err)
		}
		if o.Type == schema.ObservableURLPrefix {
			return // its mark is no part of the value
		}
		if again, err := Recognize(o.Value); err != nil || again != o {
			t.Errorf("%q is %v %q, which is %v %q (%v)", s, o.Type, o.Value, again.Type, again.Value, err)
		}
	})
}
