package parse

import (
	"slices"
	"strings"
	"testing"
)

// TestNotes: lists that people write by hand and programs with a field more.
func TestNotes(t *testing.T) {
	md5, sha := strings.Repeat("0f", 16), strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"kinds in front", "MD5: " + md5 + "\nSHA-256 = " + sha + "\nIP: 203.0.113.7 (c2)\nDomain: bad[.]example\nURL: hxxp://bad.example/x\nE-mail: a@bad.example\nSHA1 hash: " + sha[:40] + "\n",
			[]string{"hash=" + md5, "hash=" + sha, "ip=203.0.113.7", "domain=bad.example", "url=http://bad.example/x", "email=a@bad.example", "hash=" + sha[:40]}},
		{"what somebody shall read", "URL: https://vendor.example/report\nLink: https://vendor.example/report\n- https://vendor.example/report\nUser-Agent: Mozilla/5.0 (X11)\nReference: bad.example\n",
			[]string{"!neither", "!neither", "!neither", "!neither", "!neither"}},
		{"bullets", "- bad.example\n* `203.0.113.7`\n\u2022 hxxp://bad.example/x\n- bad.example is what we saw\n", []string{"domain=bad.example", "ip=203.0.113.7", "url=http://bad.example/x", "!neither"}},
		{"quotes and links", "\u201cbad.example\u201d\n`b.example`\n<http://c.example/x>\n\ufeffd.example\u200b\n\u00a0e.example\u00a0\n", []string{"domain=bad.example", "domain=b.example", "url=http://c.example/x", "domain=d.example", "domain=e.example"}},
		{"Latin-1", "bad.example\xa0\n", []string{"domain=bad.example"}},
		{"fields", "203.0.113.7#4#2#Malicious Host#XX\nbad.example|2026-01-01|x\n" + sha + ";said by a/b: c\td\n" + sha[:40] + ";a b\n203.0.113.7|443\n",
			[]string{"ip=203.0.113.7", "domain=bad.example", "hash=" + sha, "hash=" + sha[:40], "!colon belongs"}},
		{"names of files", "payload.exe\nINVOICE.PDF.JS\nlibbad.so.dll  dropped\nbad.zip\n", []string{"domain=bad.zip", "!name of a file", "!name of a file", "!name of a file"}},
		{"ranges", "203.0.113.8-203.0.113.11\n203.0.113.7 - 203.0.113.8\nbad people:198.51.100.0-198.51.100.255\n192.0.2.0\t192.0.2.255\t24\t77\tname\n203.0.113.9-203.0.113.7\n203.0.113.255-203.0.114.0\n",
			[]string{"cidr=203.0.113.8/30", "ip=203.0.113.7", "ip=203.0.113.8", "cidr=198.51.100.0/24", "cidr=192.0.2.0/24", "ip=203.0.113.255", "ip=203.0.114.0", "!ends before"}},
		{"masks", "198.51.100.0 255.255.255.0\n198.51.100.0/255.255.254.0\n203.0.113.7 255.255.255.255\n198.51.100.0/255.0.255.0\n", []string{"cidr=198.51.100.0/24", "cidr=198.51.100.0/23", "ip=203.0.113.7", "!prefix length"}},
		{"every address", "0.0.0.0-255.255.255.255\n", []string{"!wider"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			values, reasons := wanted(c.want)
			read(t, c.text).want(t, values...).wantRefused(t, reasons...)
		})
	}
}

// TestSpan: a range is the networks that hold its addresses and no other.
func TestSpan(t *testing.T) {
	list, ok, err := span("0.0.0.1-255.255.255.254")
	if len(list) != 62 || !ok || err != nil {
		t.Errorf("%d networks, %v, %v", len(list), ok, err)
	}
	var got []string
	list, _, err = span("203.0.113.3-203.0.113.10")
	for _, o := range list {
		got = append(got, o.Value)
	}
	if want := []string{"203.0.113.3", "203.0.113.4/30", "203.0.113.8/31", "203.0.113.10"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	for _, s := range []string{"a-b", "203.0.113.1", "203.0.113.1-x", "2001:db8::1-2001:db8::2", "203-0.113.7", "-"} {
		if _, ok, err := span(s); ok || err != nil {
			t.Errorf("%q is a range: %v", s, err)
		}
	}
}

// TestHalfDefanged: marks that people leave half.
func TestHalfDefanged(t *testing.T) {
	for text, want := range map[string]string{
		"bad[.example": "bad.example", "bad.]example": "bad.example", "bad(.example": "bad.example", `bad\.example`: "bad.example", `203\.0\.113\.7`: "203.0.113.7", "203.0.113[.7": "203.0.113.7",
		"hxxps://bad[.example/a": "https://bad.example/a", "h**p://bad.example/a": "http://bad.example/a", "htxps://bad.example/a": "https://bad.example/a", "http[s]://bad.example/a": "https://bad.example/a",
		"meow://bad.example/a": "http://bad.example/a", "http://bad.example/a[.b": "http://bad.example/a[.b", "bad[.example/a[.b": "//bad.example/a[.b", `http://bad.example/a\.b`: `http://bad.example/a\.b`,
		"[2001:db8::1]:443": "[2001:db8::1]:443", "a[at]bad[.example": "a@bad.example",
	} {
		if o, err := Recognize(text); err != nil || o.Value != want {
			t.Errorf("%s: got %q (%v), want %q", text, o.Value, err, want)
		}
	}
	for _, text := range []string{`bad\.(example|test)`, `.*\.example`, `bad[.-]example`, `a\.b\c.example`} {
		if o, err := Recognize(text); err == nil {
			t.Errorf("%s is %v %q", text, o.Type, o.Value)
		}
	}
}
