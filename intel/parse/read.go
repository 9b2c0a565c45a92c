package parse

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Read passes what a part of a feed says to out, in its order. The text may be
// packed with gzip, zstd or as the only file of a zip. Which format it has the part
// says, else the feed, else its first bytes: JSON by its members, OpenIOC, otherwise CSV
// where the feed maps columns, the part's name ends with ".csv" or ".tsv", or the
// first line names columns, otherwise a list, or a document for people where the part's
// name ends like one's.
//
// What cannot be used is refused with a reason and reading goes on. An error means
// that the part is damaged, is no feed at all or is larger than the feed's MaxBytes,
// that ctx ended or that out failed: what was passed before is not all that the feed
// says, and reading the same bytes again fails again unless ctx or out was the
// cause. now bounds times that a feed says something changed.
func Read(ctx context.Context, in io.Reader, feed *fact.Feed, part fact.Part, now schema.Millis, out fact.Sink) error {
	r := &reader{ctx: ctx, feed: feed, part: part, now: now, out: out}
	for t := range r.takes {
		r.takes[t] = feed.Takes(schema.ObservableType(t))
	}
	err := r.read(in)
	if err != nil && part.Name != "" {
		return fmt.Errorf("reading feed %s, %s: %w", feed.Name, part.Name, err)
	}
	if err != nil {
		return fmt.Errorf("reading feed %s: %w", feed.Name, err)
	}
	return nil
}

// defaultMaxBytes is that of fact.DefaultFeed, for a Feed made by hand.
const defaultMaxBytes = 4 << 30

func (r *reader) read(in io.Reader) error {
	limit := r.feed.MaxBytes
	if limit <= 0 {
		limit = defaultMaxBytes
	}
	br, done, err := unpacked(r.ctx, in, min(limit, 1<<60))
	if err != nil {
		return err
	}
	defer done()
	head, err := peek(br)
	if err != nil {
		return err
	}
	if order := utf16Order(head); order != nil {
		br = bufio.NewReaderSize(&utf16Text{in: br, order: order}, buffer)
		if head, err = peek(br); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		if _, err := br.Discard(3); err != nil {
			return err
		}
		head = head[3:]
	}
	if isPage(head) && iocRoot.Match(head) {
		return r.openIOC(br)
	}
	if err := foreign(head); err != nil {
		return err
	}
	switch f := r.format(head); f {
	case fact.FormatList:
		if isDocument(unpackedName(r.part.Name)) && r.part.Format != f && r.feed.Format != f {
			return r.document(br)
		}
		return r.list(br)
	case fact.FormatCSV:
		if isJSON(head) { // rows as objects
			return r.json(br, f)
		}
		return r.csv(br)
	default:
		return r.json(br, f)
	}
}

// peek gives the beginning of a text, the whole of a short one.
func peek(br *bufio.Reader) ([]byte, error) {
	head, err := br.Peek(buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head, nil
}

// format decides how a text is read. For JSON it is auto where its members decide.
func (r *reader) format(head []byte) fact.Format {
	for _, f := range [...]fact.Format{r.part.Format, r.feed.Format} {
		if f != "" && f != fact.FormatAuto {
			return f
		}
	}
	if isJSON(head) {
		return fact.FormatAuto
	}
	c := r.feed.CSV
	mapped := c.Value + c.Type + c.Verdict + c.Severity + c.Confidence + c.TLP + c.Label + c.Malware + c.Actor + c.First + c.Until + c.Seen
	name := unpackedName(r.part.Name)
	if mapped != "" || c.Header == "yes" || path.Ext(name) == ".csv" || !isDocument(name) && r.looksCSV(head) {
		return fact.FormatCSV
	}
	return fact.FormatList
}

// unpackedName gives a file's name without what says how it is packed.
func unpackedName(name string) string {
	name = strings.ToLower(name)
	for _, packed := range [...]string{".gz", ".zst", ".zip"} {
		name = strings.TrimSuffix(name, packed)
	}
	return name
}

// isJSON reports a text that begins like an object or array. A list may begin with
// an address of IPv6 in brackets or with a mark against clicking.
func isJSON(head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n")
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return false
	}
	if text[0] == '{' {
		return true
	}
	text = bytes.TrimLeft(text[1:], " \t\r\n")
	return len(text) == 0 || strings.IndexByte(`{["]`, text[0]) >= 0
}
