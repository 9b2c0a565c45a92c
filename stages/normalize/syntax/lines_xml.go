package syntax

import (
	"bytes"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// tag is one piece of markup.
type tag struct {
	end           int // behind it
	name          []byte
	opens, closes bool
}

// xmlEvents yields each document of data, and of one whose element is "Events"
// each element in it. Text between documents is yielded as it is, so that it is
// turned down and not lost.
func xmlEvents(data []byte, pos int, yield func(line []byte, offset int) bool) {
	depth, within := 0, 0 // within is 1 inside of "Events"
	from := pos           // where the document began
	for pos < len(data) {
		i := bytes.IndexByte(data[pos:], '<')
		if i < 0 {
			break
		}
		at := pos + i
		t := markup(data, at)
		if t.end == 0 { // cut
			break
		}
		pos = t.end
		if depth == within && (t.opens || t.closes) {
			switch {
			case t.opens && within == 0 && string(local(t.name)) == "Events" && !t.closes:
				within, depth, from = 1, 1, pos
				continue
			case !t.opens && within == 1:
				within, depth, from = 0, 0, pos
				continue
			}
		}
		if t.opens {
			depth++
		}
		if t.closes && depth > within {
			if depth--; depth == within {
				start := extract.SkipSpace(data, from)
				if !yield(data[start:pos], start) {
					return
				}
				from = pos
			}
		}
	}
	start := extract.SkipSpace(data, from)
	if rest := trimEnd(data[start:]); len(rest) > 0 {
		yield(rest, start)
	}
}

// markup reads the markup at pos, which is a "<"; end is 0 if it does not end.
func markup(data []byte, pos int) (t tag) {
	skip := func(from int, mark string) int {
		i := bytes.Index(data[from:], []byte(mark))
		if i < 0 {
			return 0
		}
		return from + i + len(mark)
	}
	switch {
	case hasAt(data, pos, "<!--"):
		t.end = skip(pos+4, "-->")
		return t
	case hasAt(data, pos, "<![CDATA["):
		t.end = skip(pos+9, "]]>")
		return t
	case hasAt(data, pos, "<?"):
		t.end = skip(pos+2, "?>")
		return t
	case hasAt(data, pos, "<!"):
		t.end = skip(pos+2, ">")
		return t
	}
	p := pos + 1
	t.opens = !hasAt(data, p, "/")
	if t.closes = !t.opens; t.closes {
		p++
	}
	from := p
	for p < len(data) && data[p] > ' ' && data[p] != '>' && data[p] != '/' {
		p++
	}
	t.name = data[from:p]
	for quote := byte(0); p < len(data); p++ {
		switch c := data[p]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			t.closes = t.closes || data[p-1] == '/'
			t.end = p + 1
			return t
		}
	}
	return t
}

// local is a name without its prefix.
func local(name []byte) []byte { return name[bytes.IndexByte(name, ':')+1:] }
