package parse

import (
	"slices"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	ua := `network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'`
	for _, c := range []struct {
		text string
		want []string
	}{
		{"[ipv4-addr:value = '203.0.113.7']", []string{"ip=203.0.113.7"}},
		{"[ipv4-addr:value = '203.0.113.0/24']", []string{"cidr=203.0.113.0/24"}},
		{"[ipv4-addr:value ISSUBSET '203.0.113.0/24']", []string{"cidr=203.0.113.0/24"}},
		{"[ipv6-addr:value='2001:DB8::1']", []string{"ip=2001:db8::1"}},
		{"[domain-name:value = 'Bad.Example' OR url:value='http://bad.example/a,b']", []string{"domain=bad.example", "url=http://bad.example/a,b"}},
		{"[file:hashes.'SHA-256' = '" + sha + "'] OR [file:hashes.MD5 = '" + sha[:32] + "']", []string{"hash=" + sha, "hash=" + sha[:32]}},
		{"[file:hashes.SSDEEP = '3:ab:cd']", []string{"ssdeep=3:ab:cd"}},
		{"[process:image_ref.hashes.'SHA-1' = '" + sha[:40] + "']", []string{"hash=" + sha[:40]}},
		{"([email-message:sender_ref.value = 'A@b.example'])", []string{"email=a@b.example"}},
		{"[email-message:from_ref.value = 'a@b.example' or (email-addr:value = 'c@b.example')]", []string{"email=a@b.example", "email=c@b.example"}},
		{"[domain-name:value IN ('a.example', 'b.example')]", []string{"domain=a.example", "domain=b.example"}},
		{`[url:value = 'http://a.example/it\'s']`, []string{"url=http://a.example/it's"}},
		{"[x509-certificate:hashes.'SHA-1' = '" + sha[:40] + "']", []string{"certificate=" + sha[:40]}},
		{"[" + ua + " = 'Bad/1.0']", []string{"user_agent=Bad/1.0"}},
		{"[mutex:name = 'Global\\\\Bad']", []string{`mutex=Global\Bad`}},
		{`[windows-registry-key:key = 'HKLM\\Software\\Bad']`, []string{`registry=hkey_local_machine\software\bad`}},
		{"[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]", []string{"socket=203.0.113.7:443"}},
		{"[network-traffic:src_port = '443' AND network-traffic:src_ref.type = 'ipv6-addr' AND network-traffic:src_ref.value = '2001:db8::7']", []string{"socket=[2001:db8::7]:443"}},
		{"[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.7']", []string{"ip=203.0.113.7"}},
		{"[network-traffic:dst_ref.value = 'bad.example']", []string{"domain=bad.example"}},
		{"[network-traffic:extensions.'tls-ext'.ja3 = '" + sha[:32] + "' OR x-tls:ja3s_hash = '" + sha[:32] + "']", []string{"ja3=" + sha[:32], "ja3s=" + sha[:32]}},
		{"[url:value LIKE 'http://a.example/x/%']", []string{"url_prefix=http://a.example/x/"}},
		{"[domain-name:value = '203.0.113.7']", []string{"ip=203.0.113.7"}},
		// What cannot be taken is left out where something else alone is enough.
		{"[file:hashes.MD5 = '" + sha[:32] + "' OR file:hashes.'SHA-512' = '" + sha + sha + "' OR file:name = 'x']", []string{"hash=" + sha[:32]}},
		{"[domain-name:value = 'a.example'] OR [process:command_line MATCHES '^x'] OR [url:value != 'http://b.example/' OR file:size > 7]", []string{"domain=a.example"}},
		{"[(file:name = 'x' AND file:size = 7) OR domain-name:value NOT IN ('b.example') OR domain-name:value IN ('nonsense', 'a.example')]", []string{"domain=a.example"}},
		{"[network-traffic:dst_ip = '203.0.113.7' AND network-traffic:dst_port = 80]", []string{"socket=203.0.113.7:80"}},
		{"[file:hashes.MD5 = '" + sha[:32] + "' AND file:hashes.'SHA-256' = '" + sha + "']", []string{"hash=" + sha}},
	} {
		list, err := Pattern(c.text)
		var got []string
		for _, o := range list {
			got = append(got, o.Type.String()+"="+o.Value)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v %v, want %v", c.text, got, err, c.want)
		}
	}
}

// TestPatternRefuses: what would match more than the pattern says.
func TestPatternRefuses(t *testing.T) {
	sha := strings.Repeat("0f", 32)
	for _, text := range []string{
		"", "[", "[]", "()", "[ipv4-addr:value]", "[ipv4-addr:value =]", "[ipv4-addr:value = '1.2.3.4'", "[ipv4-addr:value != '1.2.3.4']", "[ipv4-addr:value = '1.2.3.4']]",
		"[ipv4-addr:value = '1.2.3.4' AND domain-name:value = 'a.example']", "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [url:value = 'http://a.example/']",
		"[ipv4-addr:value = '1.2.3.4'] AND [url:value = 'http://a.example/']", "[ipv4-addr:value = '1.2.3.4'] WITHIN 5 SECONDS",
		"[ipv4-addr:value = '1.2.3.4'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'", "[process:name = 'x']", "[ipv4-addr:value = 'nonsense']",
		"[url:value LIKE 'http%']", "[url:value LIKE 'http://a.example/x%']", "[url:value LIKE 'http://a_b.example/x/%']", "[url:value MATCHES '^http']", "[url:value = 'http://a.example/*']",
		"[domain-name:value LIKE '%.bad.example']", "[file:hashes.MD5!='" + sha[:32] + "']", "[file:hashes.'SHA-256'!='" + sha + "']", "[file:hashes.MD5>='" + sha[:32] + "']",
		"[file:hashes.MD5 = '" + sha[:32] + "' AND file:hashes.'SHA-1' = '" + sha[:40] + "']", "[file:hashes.'SHA-512' = '" + sha + sha + "']", "[file:name = 'x' AND file:hashes.'SHA-256' = '" + sha + "']",
		"[file:hashes.'SHA-256' = '" + sha + "' AND file:hashes.'SHA-256' = '" + strings.Repeat("f0", 32) + "']",
		"[NOT ipv4-addr:value = '1.2.3.4']", "[ipv4-addr:value NOT = '1.2.3.4']", "[ipv4-addr:value = '1.2.3.4] ", "[ipv4-addr:value = '1.2.3.4' OR]", "ipv4-addr:value = 1",
		"[domain-name:value IN ('a.example']", "[domain-name:value IN ()]", "[network-traffic:dst_port = 443]", "[network-traffic:dst_ref.type = 'ipv4-addr']",
		"[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:src_port = 443]", "[network-traffic:dst_ref.value = '203.0.113.0/24' AND network-traffic:dst_port = 443]",
		"[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 0]", "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:protocols[*] = 'tcp']",
		"[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443 AND network-traffic:dst_port = 80]",
		"[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_ref.value = '203.0.113.8']",
		"[ipv4-addr:value = '203.0.113.7' AND network-traffic:dst_port = 443]", "[email-message:to_refs[*].value = 'a@b.example']", "[domain-name:resolves_to_refs[*].value = '203.0.113.7']",
		"[(domain-name:value = 'a.example' OR file:name = 'x') AND file:size = 7]", "[file:name = 'x' OR file:size > 7]", "[domain-name:value = 'a.example' OR file:name EXISTS]", "[a:b NOT", "[a:b NOT =", "[a:b >",
		"[mutex:name LIKE 'x']", "[ipv4-addr:value = 203]", strings.Repeat("'", 40000),
		"[domain-name:value IN (" + strings.Repeat("'a.example',", maxTokens) + "'b.example')]",
	} {
		if got, err := Pattern(text); err == nil {
			t.Errorf("%.100q was read as %v", text, got)
		} else if len(err.Error()) > 400 {
			t.Errorf("%.100q: an error of %d bytes", text, len(err.Error()))
		}
	}
}

func FuzzPattern(f *testing.F) {
	f.Add("[ipv4-addr:value = '203.0.113.7' OR file:hashes.'SHA-256' IN ('a','b')]")
	f.Add("([network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443])")
	f.Add("[url:value LIKE 'http://a.example/x/%'] OR [mutex:name = 'a\\'b']")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Pattern(text)
		if err == nil && len(list) == 0 {
			t.Errorf("%q: neither values nor an error", text)
		}
		for _, o := range list {
			if again, err := Value(o.Type, o.Value); err != nil || again != o {
				t.Errorf("%q: %v %q is not canonical: %v %v", text, o.Type, o.Value, again, err)
			}
		}
	})
}
