package parse

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/interdict/interdict/intel/fact"
)

// TestForeign: what is no feed is told by what it is.
func TestForeign(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"%PDF-1.7\n...", "PDF"}, {"\xd0\xcf\x11\xe0\xa1\xb1", "Office"}, {`{\rtf1 x}`, "RTF"}, {"7z\xbc\xaf\x27\x1c\x00", "7-Zip"}, {"Rar!\x1a\x07\x00", "RAR"}, {"BZh91AY&SY", "bzip2"},
		{"\xfd7zXZ\x00\x00", "xz"}, {"MZ\x90\x00\x03\x00", "a program"}, {"\x7fELF\x02", "a program"}, {"SQLite format 3\x00", "SQLite"}, {"-----BEGIN PGP MESSAGE-----\n", "encrypted"},
		{strings.Repeat("x", 257) + "ustar\x00", "tar"}, {strings.Repeat("a\x00\x00\x01", 100), "zero bytes"}, {"\xff\xd8\xff\xe0" + strings.Repeat("\x10JF\x02\x8c\xf3\x1e.example\n", 40), "control characters"},
		{"<!DOCTYPE html><html>", "HTML"}, {"<rss version='2.0'>", "RSS"}, {`<?xml version="1.0"?><feed xmlns="x">`, "Atom"}, {`<stix:STIX_Package id="1">`, "STIX 1"}, {`<?xml version="1.0"?><a/>`, "XML"},
		{`{"id":"x","stix_header":{},"observables":{"observables":[{"id":"1"}]}}`, "STIX 1"}, {`{"0a4f8f6e-6a0f-4b7a-9a33-5c1f6d1f0c11":{"Orgc":{"name":"x"},"info":"y"}}`, "manifest of a MISP feed"},
		{"/* a\nnote */\nimport \"pe\"\nprivate rule x : y\n{\n condition: true }", "YARA"}, {"title: x\nid: y\nlogsource:\n  product: z\ndetection:\n  a: b\n", "Sigma"},
		{`{"name":"x","nodes":[{"id":1}]}`, "csv.value"},
	} {
		var s sink
		err := Read(context.Background(), strings.NewReader(c.text), feed(), fact.Part{}, now, &s)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(s.said) > 0 {
			t.Errorf("%.30q: error %v, want one with %q", c.text, err, c.want)
		}
	}
	// What only begins like one of these is a list.
	read(t, "\x1b[31mcolored\x1b[0m\nbad.example\x01\nplain.example\n").want(t, "domain=plain.example").wantRefused(t, "pattern", "neither")
	read(t, "MZ.example\nrule.example\ntitle.example\n<http://bad.example/>\n").want(t, "domain=mz.example", "domain=rule.example", "domain=title.example", "url=http://bad.example/")
}

// TestUTF16: what Windows programs save.
func TestUTF16(t *testing.T) {
	const text = "bad.example\r\nb\u00fccher.example # \U0001f4a9\r\n203.0.113.7\r\n"
	for name, c := range map[string]struct {
		order binary.AppendByteOrder
		mark  string
	}{"little": {binary.LittleEndian, "\xff\xfe"}, "big": {binary.BigEndian, "\xfe\xff"}, "little without a mark": {binary.LittleEndian, ""}, "big without a mark": {binary.BigEndian, ""}} {
		b := []byte(c.mark)
		for _, u := range utf16.Encode([]rune(text)) {
			b = c.order.AppendUint16(b, u)
		}
		t.Run(name, func(t *testing.T) {
			read(t, string(b)).want(t, "domain=bad.example", "domain=xn--bcher-kva.example", "ip=203.0.113.7")
		})
	}
	// A pair that is cut, a pair that is none, and half a unit.
	read(t, "\xff\xfea\x00.\x00b\x00\n\x00\x3d\xd8").want(t, "domain=a.b").wantRefused(t, "neither")
	read(t, "\xff\xfe\x3d\xd8a\x00.\x00b\x00").want(t).wantRefused(t, "neither")
	var s sink
	if err := Read(context.Background(), strings.NewReader("\xff\xfea\x00."), feed(), fact.Part{}, now, &s); err == nil {
		t.Error("half a unit was read")
	}
}
