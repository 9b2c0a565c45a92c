package fetch

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zeebo/xxh3"
)

// envelope watches the text of a TAXII page go by and picks out what the client
// needs: "more" and "next", which may stand behind megabytes of objects, the hash of
// each object's text, and whether the text is whole. It keeps only those few bytes.
type envelope struct {
	more    bool
	next    string
	objects int               // elements of "objects" that are objects
	object  func(hash uint64) // told of each of them; may be nil

	within  bool // an element of "objects"
	sum     xxh3.Hasher
	depth   int
	began   bool
	inText  bool
	escaped bool
	key     string
	isKey   bool // at depth 1: the next string is a key
	keep    bool // the bytes go by into kept
	kept    []byte
}

// longestNext bounds what a server may give as "next", in bytes.
const longestNext = 8 << 10

var (
	errEnvelope = errors.New("the page is no TAXII envelope")
	errCutPage  = errors.New("the page ends in the middle")
)

// Write takes the next bytes.
func (e *envelope) Write(text []byte) (int, error) {
	begin := 0 // of an object's text
	for i, c := range text {
		within := e.within
		if err := e.step(c); err != nil {
			return i, err
		}
		if within == e.within || e.object == nil {
			continue
		}
		if e.within {
			begin = i
			continue
		}
		e.sum.Write(text[begin : i+1])
		e.object(e.sum.Sum64())
		e.sum.Reset()
	}
	if e.within && e.object != nil {
		e.sum.Write(text[begin:])
	}
	return len(text), nil
}

func (e *envelope) step(c byte) error {
	if e.inText {
		e.put(c)
		switch {
		case e.escaped:
			e.escaped = false
		case c == '\\':
			e.escaped = true
		case c == '"':
			e.inText = false
			if e.depth == 1 && e.isKey {
				return e.endKey()
			}
		}
		return nil
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		return nil
	case '"':
		e.inText = true
		if e.depth == 1 && e.isKey {
			e.keep, e.kept = true, e.kept[:0]
		}
	case '{', '[':
		if e.depth == 0 && (e.began || c != '{') || e.depth == 1 && e.key == "objects" && c != '[' {
			return errEnvelope
		}
		if e.depth == 2 && e.key == "objects" && c == '{' {
			e.objects++
			e.within = true
		}
		if e.depth == 0 {
			e.began, e.isKey = true, true
		}
		e.depth++
		e.put(c)
		return nil
	case '}', ']':
		if e.depth == 0 {
			return errEnvelope
		}
		if e.depth == 1 {
			if err := e.endValue(); err != nil {
				return err
			}
		}
		e.depth--
		if e.depth == 2 {
			e.within = false
		}
		e.put(c)
		return nil
	case ',':
		if e.depth == 1 {
			if err := e.endValue(); err != nil {
				return err
			}
			e.isKey = true
			return nil
		}
	case ':':
		if e.depth == 1 {
			e.keep, e.kept = e.key == "more" || e.key == "next", e.kept[:0]
			return nil
		}
	}
	if e.depth == 0 {
		return errEnvelope
	}
	e.put(c)
	return nil
}

// put keeps one byte more than is allowed at most, which endValue then sees.
func (e *envelope) put(c byte) {
	if e.keep && len(e.kept) <= longestNext {
		e.kept = append(e.kept, c)
	}
}

func (e *envelope) endKey() error {
	e.isKey, e.keep, e.key = false, false, ""
	if len(e.kept) > 64 {
		return nil // none of ours
	}
	if err := json.Unmarshal(e.kept, &e.key); err != nil {
		return fmt.Errorf("%w: a key is no JSON", errEnvelope)
	}
	return nil
}

func (e *envelope) endValue() error {
	defer func() { e.keep, e.key = false, "" }()
	var into any
	switch e.key {
	case "more":
		into = &e.more
	case "next":
		into = &e.next
	default:
		return nil
	}
	if len(e.kept) > longestNext {
		return fmt.Errorf("%w: %q has more than %d bytes", errEnvelope, e.key, longestNext)
	}
	if err := json.Unmarshal(e.kept, into); err != nil {
		return fmt.Errorf("%w: the value of %q is not what it should be", errEnvelope, e.key)
	}
	return nil
}

// whole reports an error unless the text so far is a whole envelope.
func (e *envelope) whole() error {
	if !e.began || e.depth != 0 || e.inText {
		return errCutPage
	}
	return nil
}
