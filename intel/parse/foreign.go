package parse

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
)

// errPage is what a server says instead of a feed.
var errPage = errors.New("an HTML or XML page, not a feed")

// Kinds of XML.
var (
	iocRoot  = regexp.MustCompile(`<(\w+:)?(ioc|OpenIOC)[\s>]`)
	stixRoot = regexp.MustCompile(`<(\w+:)?(STIX_Package|Observables|TAXII_Message|Poll_Response|Content_Block)[\s>]`)
	newsRoot = regexp.MustCompile(`<(rss|feed|rdf:RDF)[\s>]`)
	pageRoot = regexp.MustCompile(`(?i)<(!doctype html|html|head|body)[\s>]`)
	yaraRule = regexp.MustCompile(`\A(\s|//[^\n]*\n|/\*(?s:.*?)\*/|(import|include) "[^"\n]*")*((private|global)\s+)*rule\s+\w+[^{\n]{0,200}\s*\{`)
	sigma    = regexp.MustCompile(`\A(\s|#[^\n]*\n|---\s)*title:(?s:.*)\n(logsource|detection):`)
)

// isPage reports HTML or XML: no value begins like that, but a link in brackets.
func isPage(head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n")
	return len(text) > 1 && text[0] == '<' && (text[1] == '!' || text[1] == '?' || text[1]|0x20 >= 'a' && text[1]|0x20 <= 'z' || text[1] == '{') && !isLink(text)
}

// isLink reports "<http://...>".
func isLink(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	return bytes.Contains(line, []byte("://")) && bytes.IndexAny(line, " \"=") < 0
}

// controls counts the bytes that no text has: of bytes that are packed, encrypted or a
// picture's every tenth is one.
func controls(head []byte) (n int) {
	for _, c := range head {
		if c < ' ' && (c < '\a' || c > '\r') && c != 0x1a && c != 0x1b || c == 0x7f {
			n++
		}
	}
	return n
}

// foreign tells what a text is that is no feed that can be read, and what would
// help; nil for all other text.
func foreign(head []byte) error {
	for _, known := range [...]struct{ magic, says string }{
		{"%PDF-", "a PDF document: save its indicators as text"},
		{"\xd0\xcf\x11\xe0", "a document of an old Office program: export it as CSV"},
		{"{\\rtf", "a document in RTF: save it as text"},
		{"7z\xbc\xaf\x27\x1c", "packed with 7-Zip: unpack it, or pack it with gzip, zstd or zip"},
		{"Rar!\x1a\x07", "packed with RAR: unpack it, or pack it with gzip, zstd or zip"},
		{"BZh9", "packed with bzip2: unpack it, or pack it with gzip, zstd or zip"},
		{"\xfd7zXZ\x00", "packed with xz: unpack it, or pack it with gzip, zstd or zip"},
		{"MZ", "a program"},
		{"\x7fELF", "a program"},
		{"SQLite format 3\x00", "a database of SQLite: export it as CSV"},
		{"-----BEGIN PGP MESSAGE", "encrypted: decrypt it first"},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) && (len(known.magic) > 2 || bytes.IndexByte(head, 0) >= 0) {
			return fmt.Errorf("%s", known.says)
		}
	}
	if len(head) > 262 && bytes.Equal(head[257:262], []byte("ustar")) {
		return errors.New("an archive of tar: give its files, or a folder")
	}
	if bytes.Count(head, []byte{0}) > len(head)/100 {
		return errors.New("no text: too many zero bytes")
	}
	if controls(head) > len(head)/20 {
		return errors.New("no text: too many control characters")
	}
	if isPage(head) {
		switch {
		case stixRoot.Match(head):
			return errors.New("STIX 1 or TAXII 1 in XML, which is not read: ask for STIX 2.1, or convert it (stix2-elevator)")
		case newsRoot.Match(head):
			return errors.New("a news feed (RSS or Atom), whose articles are no indicators")
		case pageRoot.Match(head):
			return fmt.Errorf("%w: is it the address of the file itself?", errPage)
		}
		return errPage
	}
	switch {
	case yaraRule.Match(head):
		return errors.New("rules of YARA: files are matched by their hashes only")
	case sigma.Match(head):
		return errors.New("a rule of Sigma: values are matched, never conditions")
	}
	return nil
}
