package parse

import (
	"bufio"
	"errors"
	"path"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/canon"
	"golang.org/x/net/publicsuffix"
)

// Reasons of documents.
var (
	errReference = errors.New("an address in a document for people that can be clicked: it is rather what they shall read than an indicator")
	errProse     = errors.New("an address in a sentence of a document for people, not marked against clicking: it may be anybody's")
)

// isDocument reports by its name, in lower case, a text for people, Markdown or AsciiDoc.
func isDocument(name string) bool {
	switch path.Ext(name) {
	case ".md", ".markdown", ".adoc", ".asciidoc", ".rst":
		return true
	}
	return false
}

// document reads a text for people, in which indicators stand in tables, lists and
// blocks of code with prose around them. Hashes and what is marked against clicking are
// taken wherever they stand, addresses and domains where they stand alone in a line or
// a cell (of a table domains only as code); a URL that can be clicked only alone in a
// block of code.
func (r *reader) document(br *bufio.Reader) error {
	l := lines{in: br}
	block := false
	for {
		line, ok, err := l.next()
		if err != nil || !ok {
			return err
		}
		if l.long {
			if err := r.refuse(l.n, string(line), errLine); err != nil {
				return err
			}
			continue
		}
		text := trimmed(string(line))
		if strings.HasPrefix(text, "```") || strings.HasPrefix(text, "~~~") || text == "----" || text == "...." {
			block = !block
			continue
		}
		if !strings.HasPrefix(text, "|") {
			if err := r.passage(l.n, text, block, false); err != nil {
				return err
			}
			continue
		}
		for cell := range strings.SplitSeq(text, "|") {
			if err := r.passage(l.n, cell, block, true); err != nil {
				return err
			}
		}
	}
}

// passage takes what a line or a cell of a table names.
func (r *reader) passage(n int, text string, block, cell bool) error {
	for _, bullet := range [...]string{"- ", "* ", "+ ", "\u2022 "} {
		text = strings.TrimPrefix(strings.TrimLeft(text, " \t"), bullet)
	}
	alone := len(strings.FieldsFunc(text, between)) == 1
	code := false
	for span := range strings.SplitSeq(text, "`") { // every second one is code
		for w := range strings.FieldsFuncSeq(span, between) {
			if err := r.word(n, strings.Trim(w, "*+'.,;:()"), code || block || !cell, alone, block); err != nil {
				return err
			}
		}
		code = !code
	}
	return nil
}

// between reports what stands between the words of a document.
func between(r rune) bool { return invisible(r) || strings.ContainsRune("|<>\"\u201c\u201d", r) }

// word takes a word of a document that names something.
func (r *reader) word(n int, w string, code, alone, block bool) error {
	o, err := Recognize(w)
	if err != nil || o.Type == schema.ObservableURLPath {
		return nil // a word like any other
	}
	switch {
	case o.Type == schema.ObservableHash, isMarked(w):
	case o.Type == schema.ObservableDomain:
		if !alone || !code || !isDomain(w) {
			return nil // any word with a dot in it
		}
	case isReference(o, w):
		if !alone || !block {
			return r.refuse(n, w, errReference)
		}
	case !alone:
		return r.refuse(n, w, errProse)
	}
	return r.observable(n, w, o, "")
}

// isReference reports a URL that can be clicked. In a document, behind a bullet or a
// word it is rather what somebody shall read than an indicator.
func isReference(o schema.Observable, text string) bool {
	return (o.Type == schema.ObservableURL || o.Type == schema.ObservableURLPrefix) && strings.HasPrefix(strings.ToLower(text), "http") && !isMarked(text)
}

// isMarked reports a text with marks against clicking.
func isMarked(s string) bool { return refanged(s) != s || key(canon.Refang, s) != s }

// isDomain reports a name in lower case, below a suffix that a registry has given, that
// is not rather the name of a program's source: "System.Net", "os.path" and "setup.py"
// are none.
func isDomain(name string) bool {
	_, registered := publicsuffix.PublicSuffix(name)
	return registered && strings.ToLower(name) == name && !isSource(name)
}

// isSource reports names that are those of programs' sources and of archives more often
// than of domains.
func isSource(name string) bool {
	switch name[strings.LastIndexByte(name, '.')+1:] {
	case "py", "sh", "zip", "md", "pl", "rs", "so", "ps", "app", "mov":
		return true
	}
	return false
}
