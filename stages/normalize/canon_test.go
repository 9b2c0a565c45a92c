package normalize

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

func TestCanonical(t *testing.T) {
	f := func(fn func(*arena, string) string, in, want string) {
		t.Helper()
		var a arena
		if got := fn(&a, in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		} else if again := fn(&a, got); got != "" && again != got {
			t.Errorf("%q: not stable: %q, then %q", in, got, again)
		}
	}
	host, user, ip, domain, url := (*arena).host, (*arena).user, (*arena).ip, (*arena).domain, (*arena).url
	f(host, "WS-1", "ws-1")
	f(host, "WS-1.corp.example", "ws-1")
	f(host, `CORP\WS-1`, "ws-1")
	f(host, " unknown ", "")
	f(host, "localhost", "")
	f(host, "LocalHost.localdomain", "")
	f(host, "BÜRO-1", "büro-1")
	f(user, `CORP\Alice`, "alice")
	f(user, "Alice@Corp.Example", "alice")
	f(user, `NT AUTHORITY\SYSTEM`, "system")
	f(user, "N/A", "")
	f(user, "@x", "@x")
	f(ip, "10.0.0.1", "10.0.0.1")
	f(ip, "::ffff:10.0.0.1", "10.0.0.1")
	f(ip, "2001:DB8:0::1", "2001:db8::1")
	f(ip, "fe80::1%eth0", "")
	f(ip, "2001:db8::1%eth0", "2001:db8::1")
	f(ip, "010.0.0.1", "")
	f(ip, "127.0.0.1", "")
	f(ip, "::", "")
	f(ip, "0.0.0.0", "")
	f(ip, "224.0.0.251", "")
	f(ip, "255.255.255.255", "")
	f(ip, "10.0.0.1:80", "")
	f(domain, "WWW.Example.COM.", "www.example.com")
	f(domain, "example.com:8080", "example.com")
	f(domain, "xn--bcher-kva.example", "xn--bcher-kva.example")
	f(domain, "_dmarc.example.com", "_dmarc.example.com")
	f(domain, "intranet", "")
	f(domain, "a..b", "")
	f(domain, "10.0.0.1", "")
	f(domain, "a b.example", "")
	f(url, "HTTP://Example.com:80/A?b=C#d", "http://example.com/A?b=C")
	f(url, "https://example.com:443", "https://example.com/")
	f(url, "https://example.com?x", "https://example.com/?x")
	f(url, "http://u:p@Example.com:8080/x", "http://u:p@example.com:8080/x")
	f(url, "http://example.com/x", "http://example.com/x")
	f(url, "/only/path", "")
	f(url, "://x", "")
	f(url, "http://", "")
	f((*arena).hash, "44D88612FEA8A8F36DE82E1278ABB02F", "44d88612fea8a8f36de82e1278abb02f")
	f((*arena).hash, "44d88612fea8a8f36de82e1278abb02", "")
	f((*arena).hash, "zzd88612fea8a8f36de82e1278abb02f", "")
	f((*arena).hash, "D41D8CD98F00B204E9800998ECF8427E", "")
	f((*arena).hash, "00000000000000000000000000000000", "")
	f((*arena).mailbox, "Alice <Alice@Corp.example>", "alice@corp.example")
	f((*arena).mailbox, "alice", "")
	f((*arena).mailbox, "a@b, c@d", "")
	f((*arena).file, `C:\Windows\CMD.exe`, `c:\windows\cmd.exe`)
	f((*arena).file, "/usr/bin/Nc", "/usr/bin/Nc")
	f((*arena).resource, "/Subscriptions/X/resourceGroups/Y", "/subscriptions/x/resourcegroups/y")
	f((*arena).resource, "arn:aws:s3:::Bucket", "arn:aws:s3:::Bucket")

	if got := urlHost("https://u@example.com:8443/x?y"); got != "example.com" {
		t.Errorf("urlHost gives %q", got)
	}
	if got := urlHost("http://[2001:db8::1]:80/"); got != "2001:db8::1" {
		t.Errorf("urlHost gives %q", got)
	}
	if Canonical(schema.ObservableDomain, "EVIL.example.") != "evil.example" || Canonical(schema.ObservableUnknown, "x") != "" {
		t.Error("Canonical")
	}
}

func TestParseTime(t *testing.T) {
	const base schema.Millis = 1772439330000 // 2026-03-02T08:15:30Z
	f := func(in string, want schema.Millis, ok bool) {
		t.Helper()
		if got, gotOK := parseTime(in); got != want || gotOK != ok {
			t.Errorf("%q: got %d %v, want %d %v", in, got, gotOK, want, ok)
		}
	}
	f("2026-03-02T08:15:30Z", base, true)
	f("2026-03-02T08:15:30.123456789Z", base+123, true)
	f("2026-03-02T08:15:30.1+0000", base+100, true)
	f("2026-03-02T09:15:30.123456+0100", base+123, true)
	f("2026-03-02T02:45:30-05:30", base, true)
	f("2026-03-02T09:15:30+01", base, true)
	f("2026-03-02 08:15:30", base, true)
	f("2026-03-02 08:15:30.5 UTC", base+500, true)
	f("1772439330", base, true)
	f("1772439330.25", base+250, true)
	f("1772439330123", base+123, true)
	f("1772439330123456", base+123, true)
	f("1772439330123456789", base+123, true)
	f("1.77243933e9", base, true)
	f("0001-01-01T00:00:00Z", 0, true)
	f("0", 0, true)
	f("-5", 0, true)
	f("2024-02-29T00:00:00Z", 1709164800000, true)
	for _, bad := range []string{"", "yesterday", "NaN", "Inf", "1e400", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-03-02",
		"2026-03-02T24:00:00Z", "2026-03-02T08:60:00Z", "2026-03-02T08:15:30.Z", "2026-03-02T08:15:30+1:00", "2026-03-02T08:15:30+99:00", "2026-03-02T08:15:30ZZ",
		"2026-03-02T08:15:30.1234567890Z"} {
		f(bad, 0, false)
	}
}

func TestAttackIDs(t *testing.T) {
	for in, want := range map[string]string{"T1078": "T1078", "T1078.004": "T1078.004", "T1562.008 - Impair": "T1562.008", "T107": "", "X1078": "", "T1078x": "", "TA0001": "", "": ""} {
		if got := techniqueID(in); got != want {
			t.Errorf("technique %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"TA0006": "TA0006", "CredentialAccess": "TA0006", "credential-access": "TA0006", "Command and Control": "TA0011",
		"Command_And_Control": "TA0011", "Malware": "", "": "", "TA00": "", "a very long name that is no tactic at all": ""} {
		if got := tacticID(in); got != want {
			t.Errorf("tactic %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"Recon:EC2/PortProbe": "TA0043", "Stealth:IAMUser/X": "TA0005", "Backdoor:EC2/X": "TA0011", "CryptoCurrency:EC2/X": "TA0040",
		"PrivilegeEscalation:X": "TA0004", "Policy:S3/X": "", "UnauthorizedAccess:EC2/X": "", "PenTest:IAMUser/KaliLinux": ""} {
		if got := tacticID(guardDutyTactic(in)); got != want {
			t.Errorf("finding type %q: %q, want %q", in, got, want)
		}
	}
}

func TestPaths(t *testing.T) {
	for _, bad := range []string{"", "a..b", ".a", "[]", "a."} {
		if tr, err := newTrie(nil); err != nil {
			t.Fatal(err)
		} else if _, err := tr.add(bad); err == nil {
			t.Errorf("path %q accepted", bad)
		}
	}
	for _, f := range builtin() {
		for i, p := range f.paths {
			if p == "" {
				t.Errorf("%s: slot %d has no path", f.Name, i)
			}
		}
	}
}
