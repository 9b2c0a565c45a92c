package canon

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

func keyFunctions() map[string]func(*arena.Arena, string) string {
	return map[string]func(*arena.Arena, string) string{"host": Host, "user": User, "ip": IP, "domain": Domain, "url": URL, "hash": Hash,
		"mailbox": Mailbox, "file": File, "resource": Resource, "mac": MAC, "registry": Registry,
		"certificate": Certificate, "ja3": JA3, "ja4": JA4, "user_agent": UserAgent, "mutex": Mutex}
}

func TestKeys(t *testing.T) {
	functions := keyFunctions()
	seen := map[string]bool{}
	rows(t, "testdata/keys.txt", func(line int, kind, rest string) {
		in, want, _ := strings.Cut(rest, "\t")
		f := functions[kind]
		if f == nil {
			t.Fatalf("line %d: kind %q", line, kind)
		}
		seen[kind] = true
		var a arena.Arena
		got := f(&a, in)
		if got != want {
			t.Errorf("line %d: %s %q: got %q, want %q", line, kind, in, got, want)
		}
		if again := f(&a, got); again != got {
			t.Errorf("line %d: %s %q: not stable: %q, then %q", line, kind, in, got, again)
		}
	})
	if len(seen) != len(functions) {
		t.Errorf("only %v are in the table", seen)
	}
}

// What a key function has read before does not change what it gives, and it
// leaves alone what the arena already holds.
func TestKeysInOneArena(t *testing.T) {
	functions := keyFunctions()
	var a arena.Arena
	var got, want []string
	rows(t, "testdata/keys.txt", func(_ int, kind, rest string) {
		in, key, _ := strings.Cut(rest, "\t")
		got, want = append(got, functions[kind](&a, in)), append(want, key)
	})
	if !slices.Equal(got, want) {
		t.Error("keys differ when they are made in one arena")
	}
}

func TestOrdinaryKeysCostNothing(t *testing.T) {
	functions := keyFunctions()
	for kind, in := range map[string]string{"host": "ws-1.corp.example", "user": `corp\alice`, "ip": "192.0.2.7", "domain": "www.example.com", "url": "https://example.com/a/b?c=%20d",
		"hash": "44d88612fea8a8f36de82e1278abb02f", "mailbox": "alice@corp.example", "file": `c:\windows\cmd.exe`, "resource": "arn:aws:s3:::b", "mac": "02:00:5e:00:53:01",
		"registry": `hkey_local_machine\software`, "certificate": "3395856ce81f2b7382dee72602f798b642f14140", "ja3": "44d88612fea8a8f36de82e1278abb02f",
		"ja4": "t13d1516h2_8daaf6152771_02713d6af862", "user_agent": "Mozilla/5.0 (X11; Linux x86_64)", "mutex": `Global\acme`} {
		var a arena.Arena
		if n := testing.AllocsPerRun(10, func() { functions[kind](&a, in) }); n != 0 || len(a.Buf) != 0 {
			t.Errorf("%s %q: %v allocations, %d bytes", kind, in, n, len(a.Buf))
		}
	}
}

// keyText draws what is written in some way between a name and rubbish.
func keyText() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"alice", "Corp", "example.com", "192.0.2.7", "2001:db8::1", "::ffff:192.0.2.7", "S-1-5-18", "http://", "hxxp://", "HTTPS://", "C:", "\\", "\\\\", "/", "//",
			"@", ".", "[.]", "(dot)", "[:]", "[at]", ":80", ":443", "/32", "%41", "%2", "%", "$", "\"", "'", "<", ">", "[", "]", "=", "CN=", "uid=0(", ")", "#EXT#", "_", ",", "|", " ", "\t",
			"mailto:", "file:///", "HKLM", "HKLM:", "\\REGISTRY\\MACHINE", "Computer\\", "HKEY_", "arn:aws:iam::1:user/", "arn:aws:sts::1:assumed-role/R/", "user:", "i:0|", "/subscriptions/",
			"https://management.azure.com/", "https://www.googleapis.com/", "compute/v1/", "sha256:", "unknown", "-", "n/a", "localhost", "\u00fc", "\uff0e", "\u0130", "\xff", "0", "ab", "?", "#",
			"xn--", "44d88612fea8a8f36de82e1278abb02f", "SHA1:", "md5 Fingerprint=", "44:d8", "t13d1516h2_8daaf6152771_", "02713D6AF862", "\\BaseNamedObjects\\", "\\Sessions\\1",
			"Global\\", "\x00", "\u202e", strings.Repeat("x", 1020)}),
		rapid.StringN(0, 4, 8),
	)
	return rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "") })
}

func TestKeysAreStable(t *testing.T) {
	for kind, f := range keyFunctions() {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { stable(t, f, keyText().Draw(t, "text")) })
		})
	}
}

// stable says that the key of a key is that key, and that blanks do not matter.
func stable(t interface{ Fatalf(string, ...any) }, f func(*arena.Arena, string) string, in string) {
	var a arena.Arena
	key := f(&a, in)
	if again := f(&a, key); again != key {
		t.Fatalf("%q: %q, then %q", in, key, again)
	}
	if spaced := f(&a, " "+in+"\t"); spaced != key {
		t.Fatalf("%q: %q, with blanks %q", in, key, spaced)
	}
}

// What ignores case has one key for all cases.
func TestKeysIgnoreCase(t *testing.T) {
	functions := keyFunctions()
	for kind, pattern := range map[string]string{
		"host": `[a-z][a-z0-9-]{1,10}(\.[a-z]{2,5})?`, "user": `([a-z]{2,5}\\)?[a-z][a-z0-9]{1,8}(@[a-z]{2,5})?`, "domain": `[a-z]{2,9}\.[a-z]{2,5}`,
		"hash": `[a-f0-9]{32}`, "mailbox": `[a-z]{2,9}@[a-z]{2,9}\.[a-z]{2,5}`, "mac": `02(:[0-9a-f]{2}){5}`, "registry": `hk(lm|cu)\\[a-z]{1,9}`,
		"file": `[a-z]:\\[a-z]{1,9}`, "ip": `2001:db8::[a-f0-9]{1,4}`, "ja3": `[a-f0-9]{32}`, "ja4": `t13d1516h2_[a-f0-9]{12}_[a-f0-9]{12}`,
		"certificate": `(sha1:)?[a-f0-9]{2}(:[a-f0-9]{2}){19}`, "url": `https?://[a-z]{2,9}\.[a-z]{2,5}/`,
	} {
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.StringMatching(pattern).Draw(t, kind)
			var a arena.Arena
			if lower, upper := functions[kind](&a, s), functions[kind](&a, strings.ToUpper(s)); lower != upper {
				t.Fatalf("%s: %q and %q", kind, lower, upper)
			}
		})
	}
}

func TestHashes(t *testing.T) {
	const md5, sha1 = "44d88612fea8a8f36de82e1278abb02f", "3395856ce81f2b7382dee72602f798b642f14140"
	list := func(s string, most int) (out []string) {
		var a arena.Arena
		Hashes(&a, s, func(h string) bool {
			out = append(out, h)
			return len(out) < most
		})
		return out
	}
	for _, s := range []string{
		"SHA1=" + strings.ToUpper(sha1) + ",MD5=" + strings.ToUpper(md5) + ",IMPHASH=" + md5,
		sha1 + "; " + md5, "sha1:" + sha1 + "|md5:" + md5 + "|", "," + sha1 + ",,x," + md5,
	} {
		if got := list(s, 9); !slices.Equal(got, []string{sha1, md5}) {
			t.Errorf("%q: %q", s, got)
		}
		if got := list(s, 1); !slices.Equal(got, []string{sha1}) {
			t.Errorf("%q, one: %q", s, got)
		}
	}
	if got := list("", 9); got != nil {
		t.Errorf("of nothing: %q", got)
	}
}

func TestRefang(t *testing.T) {
	for in, want := range map[string]string{
		"hxxp://a[.]b": "http://a.b", "hXXps[:]//a(.)b{.}c": "https://a.b.c", "fxp://a": "ftp://a", "a[dot]b(DOT)c": "a.b.c", "x[@]y": "x@y", "x[AT]y(at)z": "x@y@z",
		"http[://]a[/]b": "http://a/b", "[[.]]": "[.]", "a[.b": "a[.b", "[": "[", "a[at": "a[at", "[]": "[]", "hxxpress.example": "hxxpress.example", "fxpserver": "fxpserver", "": "",
		"plain.example": "plain.example", "[2001:db8::1]": "[2001:db8::1]",
	} {
		var a arena.Arena
		if got := Refang(&a, in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestURLHost(t *testing.T) {
	for in, want := range map[string]string{"https://u@example.com:8443/x?y": "example.com", "http://[2001:db8::1]:80/": "2001:db8::1", "http://[2001:db8::1]/": "2001:db8::1",
		"http://example.com/@a:b": "example.com", "http://example.com/?u@v": "example.com", "": ""} {
		if got := URLHost(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		kind     schema.ObservableType
		in, want string
	}{
		{schema.ObservableDomain, "EVIL.example.", "evil.example"}, {schema.ObservableIP, "192.0.2.7:80", "192.0.2.7"}, {schema.ObservableURL, "HTTP://a.example", "http://a.example/"},
		{schema.ObservableHash, "MD5:44D88612FEA8A8F36DE82E1278ABB02F", "44d88612fea8a8f36de82e1278abb02f"}, {schema.ObservableEmail, "A@b.example", "a@b.example"},
		{schema.ObservableCertificate, "SHA1:33:95:85:6C:E8:1F:2B:73:82:DE:E7:26:02:F7:98:B6:42:F1:41:40", "3395856ce81f2b7382dee72602f798b642f14140"},
		{schema.ObservableJA3, "44D88612FEA8A8F36DE82E1278ABB02F", "44d88612fea8a8f36de82e1278abb02f"}, {schema.ObservableJA3S, "x", ""},
		{schema.ObservableJA4, "T13D1516H2_8DAAF6152771_02713D6AF862", "t13d1516h2_8daaf6152771_02713d6af862"}, {schema.ObservableUserAgent, " curl/8.5.0\n", "curl/8.5.0"},
		{schema.ObservableMutex, `\BaseNamedObjects\Acme`, "Acme"}, {schema.ObservableRegistry, `HKLM\Software`, `hkey_local_machine\software`}, {schema.ObservableCIDR, "192.0.2.0/24", ""},
		{schema.ObservableUnknown, "x", ""},
	} {
		if got := Canonical(c.kind, c.in); got != c.want {
			t.Errorf("%v %q: got %q, want %q", c.kind, c.in, got, c.want)
		}
	}
	if got := HostKey(`CORP\WS-1$`); got != "ws-1" {
		t.Errorf("HostKey gives %q", got)
	}
}

func TestPorts(t *testing.T) {
	for in, want := range map[string]uint16{"443": 443, " 53 ": 53, "65535": 65535, "1": 1, "0": 0, "65536": 0, "-1": 0, "+1": 0, "1.0": 0, "443/tcp": 0, "https": 0, "": 0, "000443": 0} {
		if got := Port(in); got != want {
			t.Errorf("%q: got %d, want %d", in, got, want)
		}
	}
	for in, want := range map[string]uint16{"192.0.2.7:443": 443, "[2001:db8::7]:8443": 8443, "c2.example:99": 99, "2001:db8::7": 0, "2001:db8::7:443": 0, "192.0.2.7": 0, ":80": 0, "a:b": 0, "": 0} {
		if got := PortAfter(in); got != want {
			t.Errorf("after %q: got %d, want %d", in, got, want)
		}
	}
	for in, want := range map[string]uint16{"http://a.example/": 0, "https://a.example/x:1": 0, "http://a.example:8080/?q=:9": 8080, "https://u:7@[2001:db8::7]/": 0, "https://[2001:db8::7]:81/": 81,
		"ws://a.example:1/": 1, "http://a.example?u=:1": 0, "": 0} {
		if got := URLPort(in); got != want {
			t.Errorf("of %q: got %d, want %d", in, got, want)
		}
	}
}

// A key is bounded and has no character that would hide a part of it.
func TestExact(t *testing.T) {
	var a arena.Arena
	for in, want := range map[string]string{strings.Repeat("a", maxExact-1) + "\u00e9": strings.Repeat("a", maxExact-1), strings.Repeat("b", 5000): strings.Repeat("b", maxExact),
		"a\x00b\r\nc\u202ed\xffe": "abcde", "caf\u00e9": "caf\u00e9", "\x00-": "", "a\ufffdb": "a\ufffdb"} {
		if got := UserAgent(&a, in); got != want {
			t.Errorf("%.20q: got %.40q, want %.40q", in, got, want)
		}
	}
}

func FuzzKeys(f *testing.F) {
	rows(f, "testdata/keys.txt", func(_ int, _, rest string) {
		in, _, _ := strings.Cut(rest, "\t")
		f.Add(in)
	})
	functions := keyFunctions()
	f.Fuzz(func(t *testing.T, s string) {
		for _, f := range functions {
			stable(t, f, s)
		}
		var a arena.Arena
		Hashes(&a, s, func(h string) bool { return h != "" })
		URLHost(s)
		URLPort(s)
		PortAfter(s)
		IsIP(s)
	})
}
