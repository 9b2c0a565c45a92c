package parse

import "testing"

// TestPatternPart: a comparison with a part of a value is taken where it says no less
// than one of our types, and no other is.
func TestPatternPart(t *testing.T) {
	for text, want := range map[string]string{
		`[url:value LIKE '%://bad.example/x']`:                                                     "url //bad.example/x",
		`[url:value LIKE '%://bad.example/x/%']`:                                                   "url_prefix //bad.example/x/",
		`[url:value MATCHES '^[^:]+://bad\\.example/a_b%20c$']`:                                    "url //bad.example/a_b%20c",
		`[url:value MATCHES '^[^:]+://bad\\.example/a_b/']`:                                        "url_prefix //bad.example/a_b/",
		`[url:value MATCHES '^https://bad\\.example/a_b/']`:                                        "url_prefix https://bad.example/a_b/",
		`[email-message:from_ref.value LIKE '%@bad.example']`:                                      "sender bad.example",
		`[email-message:from_ref.value MATCHES '@a_b\\.bad\\.example$']`:                           "sender a_b.bad.example",
		`[network-traffic:extensions.'http-request-ext'.request_value = '/gate.php?id=1']`:         "url_path /gate.php?id=1",
		`[network-traffic:extensions.'tls-ext'.ja4 = 't13d1516h2_8daaf6152771_02713d6af862']`:      "ja4 t13d1516h2_8daaf6152771_02713d6af862",
		`[url:value MATCHES '^https://bad.example/a_b/']`:                                          "", // a dot is any character
		`[url:value MATCHES 'https://bad\\.example/a_b/']`:                                         "", // anywhere
		`[url:value MATCHES '^https://bad\\.example/a_b']`:                                         "", // a part of a name
		`[url:value MATCHES '^https?://bad\\.example/a_b/']`:                                       "",
		`[url:value MATCHES '^https://bad\\.example/[ab]/']`:                                       "",
		`[url:value MATCHES '^[^:]+://']`:                                                          "",
		`[url:value LIKE '%//bad.example/x']`:                                                      "",
		`[url:value LIKE '%bad.example/x/%']`:                                                      "",
		`[url:value LIKE '%://bad.example/a_b']`:                                                   "", // "_" is any character
		`[url:value LIKE 'http://bad.example/x']`:                                                  "",
		`[url:value LIKE '%']`:                                                                     "",
		`[email-message:from_ref.value LIKE '%bad.example']`:                                       "", // also notbad.example
		`[email-message:from_ref.value MATCHES '@bad\\.example']`:                                  "", // also bad.example.org
		`[email-addr:value LIKE '%']`:                                                              "",
		`[domain-name:value LIKE '%@bad.example']`:                                                 "",
		`[network-traffic:extensions.'http-request-ext'.request_value = 'http://bad.example/x.y']`: "",
		`[network-traffic:dst_port LIKE '4%']`:                                                     "",
	} {
		list, err := Pattern(text)
		got := ""
		if err == nil && len(list) == 1 {
			got = list[0].Type.String() + " " + list[0].Value
		}
		if got != want || want == "" && err == nil {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
}
