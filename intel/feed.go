package intel

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// Defaults are what a feed's indicators are taken for where it does not say.
type Defaults struct {
	Feed       string
	Verdict    schema.Verdict
	Severity   schema.Severity
	Confidence uint8
	TLP        schema.TLP
}

// Refusal is a line or object of a feed that was not taken.
type Refusal struct {
	Line   int    `json:"line"` // from 1; the object's index in a STIX bundle
	Value  string `json:"value"`
	Reason string `json:"reason"`
}

// reader collects what a feed holds.
type reader struct {
	def     Defaults
	taken   []schema.Indicator
	version []schema.Millis          // of each taken: the STIX object's last change
	newest  map[string]schema.Millis // version of each STIX object, also of those not taken
	refused []Refusal
}

func (r *reader) refuse(line int, value string, err error) {
	if len(value) > 120 {
		value = value[:120] + "..."
	}
	r.refused = append(r.refused, Refusal{line, value, err.Error()})
}

// take adds an indicator that may stand in an index, and refuses another.
func (r *reader) take(line int, text string, i schema.Indicator, version schema.Millis) {
	if err := match.Check(i); err != nil {
		r.refuse(line, text, err)
		return
	}
	r.taken, r.version = append(r.taken, i), append(r.version, version)
}

// current gives what was taken, without what a newer version of the same object
// has replaced or revoked.
func (r *reader) current() []schema.Indicator {
	kept := r.taken[:0]
	for i, x := range r.taken {
		if r.version[i] >= r.newest[x.ID] {
			kept = append(kept, x)
		}
	}
	return kept
}

// indicator makes an indicator of an observable with the feed's defaults. The id
// derives from feed and observable, so that importing again changes nothing.
func (r *reader) indicator(o schema.Observable) schema.Indicator {
	id := schema.DeriveID("indicator", r.def.Feed, o.Type.String(), o.Value)
	return schema.Indicator{ID: "indicator--" + id.String(), Feed: r.def.Feed, Type: o.Type, Value: o.Value,
		Verdict: r.def.Verdict, Severity: r.def.Severity, Confidence: r.def.Confidence, TLP: r.def.TLP}
}

// maxFeed bounds what a compressed feed may unpack to.
const maxFeed = 4 << 30

// bounded fails, rather than ends, where a stream is longer than it may be.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("feed unpacks to more than %d bytes", int64(maxFeed))
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// maxLine bounds one line of a list.
const maxLine = 64 << 10

// Read reads a feed: STIX 2.1 (bundles, arrays of objects, single objects) where the
// text begins like JSON, otherwise a list with one value a line. In a list,
// "#" begins a comment, and what follows the first blank, comma, semicolon or tab
// is a note. It fails only where the feed cannot be read at all; what it holds
// that cannot be used is refused with a reason.
func Read(in io.Reader, def Defaults) (taken []schema.Indicator, refused []Refusal, err error) {
	br := bufio.NewReaderSize(in, maxLine)
	r := &reader{def: def, newest: map[string]schema.Millis{}}
	head, err := br.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("reading the feed: %w", err)
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the feed as gzip: %w", err)
		}
		defer z.Close()
		br = bufio.NewReaderSize(&bounded{r: z, left: maxFeed}, maxLine)
		if head, err = br.Peek(512); err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, fmt.Errorf("reading the feed as gzip: %w", err)
		}
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = br.Discard(3) // it has been peeked
	}
	text := bytes.TrimLeft(head, " \t\r\n\ufeff")
	if len(text) > 0 && (text[0] == '{' || text[0] == '[' && !bytes.HasPrefix(text, []byte("[."))) {
		err = r.stix(br)
	} else {
		err = r.list(br)
	}
	if err != nil {
		return nil, nil, err
	}
	return r.current(), r.refused, nil
}

func (r *reader) list(br *bufio.Reader) error {
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) { // skip the rest of a monstrous line
			long = true
			_, err = br.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the feed, line %d: %w", n, err)
		}
		if long {
			r.refuse(n, "", fmt.Errorf("line is longer than %d bytes", maxLine))
		} else {
			r.line(n, string(line))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
	}
}

func (r *reader) line(n int, line string) {
	if i := strings.IndexByte(line, '#'); i == 0 || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	value := strings.TrimSpace(line)
	if i := strings.IndexAny(value, " \t,;"); i >= 0 {
		value = value[:i]
	}
	value = strings.Trim(value, `"'`)
	if value == "" {
		return
	}
	o, err := Recognize(value)
	if err != nil {
		r.refuse(n, value, err)
		return
	}
	r.take(n, value, r.indicator(o), 0)
}
