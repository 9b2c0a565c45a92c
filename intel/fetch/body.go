package fetch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/klauspost/compress/gzip"
)

// part hands one body on, and reads to its end whatever yield does, since only
// there it is known to be whole.
func (p *pull) part(part fact.Part, b *body) error {
	defer b.shut()
	err := p.yield(part, b)
	if b.failed != nil {
		return fmt.Errorf("%s: %w", part.Name, b.failed)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", part.Name, &yieldError{err})
	}
	if _, err := io.Copy(io.Discard, b); err != nil {
		return fmt.Errorf("%s: %w", part.Name, err)
	}
	return nil
}

// budget bounds what is unpacked: of a whole pull, or of a text that is kept in
// memory.
type budget struct {
	left int64
	used int64
	what string // for messages: the bound
}

func newBudget(most int64, what string) *budget {
	return &budget{left: most, what: fmt.Sprintf("%s, %d bytes", what, most)}
}

// body is a part's text, unpacked and counted. Its first error stays.
type body struct {
	room   *budget
	ctx    context.Context
	r      io.Reader
	failed error // not io.EOF
	done   error // what Read returns from now on
}

var errShut = errors.New("the part was read after its yield returned")

// open makes a body of raw bytes; framed says that raw gives an error if it ends
// too early. Gzip is unpacked: once if encoded, and once more if the text begins as
// gzip does, which no text of a feed can.
func open(ctx context.Context, raw io.Reader, encoded, framed bool, room *budget) (*body, error) {
	// Compressed bytes are bounded too, at each layer: gzip of nothing can go on for
	// ever. What does not compress gets a little larger by it.
	most := room.left
	if most < math.MaxInt64/2 {
		most += most/100 + 64<<10
	}
	b := &body{room: room, ctx: ctx}
	var r io.Reader = &limited{r: raw, left: most}
	for range 2 {
		br := bufio.NewReaderSize(r, 64<<10)
		r = br
		magic, err := br.Peek(2)
		if err != nil && err != io.EOF {
			return nil, b.explain(err)
		}
		packed := len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b
		if encoded && !packed {
			return nil, errors.New("the server says gzip and sends something else")
		}
		if !packed {
			break
		}
		encoded, framed = false, true
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, b.explain(fmt.Errorf("unpacking gzip: %w", err))
		}
		r = &limited{r: z, left: most}
	}
	if !framed {
		return nil, permanent(errors.New("the server gives neither length nor chunks, so that a whole body cannot be told from a cut one: refused"))
	}
	text := bufio.NewReaderSize(r, 64<<10) // r itself, if it is one
	if start, _ := text.Peek(len(byteOrderMark)); string(start) == byteOrderMark {
		_, _ = text.Discard(len(byteOrderMark)) // they are there
	}
	b.r = text
	return b, nil
}

// byteOrderMark says that a text is UTF-8, which JSON needs nobody to say.
const byteOrderMark = "\ufeff"

func (b *body) Read(to []byte) (int, error) {
	if b.done != nil {
		return 0, b.done
	}
	if len(to) == 0 {
		return 0, nil
	}
	if b.ctx.Err() != nil {
		return 0, b.fail(context.Cause(b.ctx))
	}
	if int64(len(to))-1 > b.room.left {
		to = to[:b.room.left+1]
	}
	n, err := b.r.Read(to)
	if int64(n) > b.room.left {
		n = int(b.room.left)
		err = errTooLarge
	}
	b.room.left -= int64(n)
	b.room.used += int64(n)
	switch {
	case err == io.EOF:
		b.done = io.EOF
		return n, io.EOF
	case err != nil:
		return n, b.fail(err)
	}
	return n, nil
}

func (b *body) fail(err error) error {
	err = b.explain(err)
	b.failed, b.done = err, err
	return err
}

func (b *body) explain(err error) error {
	switch cause := context.Cause(b.ctx); {
	case cause != nil:
		return cause
	case errors.Is(err, errTooLarge):
		return permanent(fmt.Errorf("more than %s: %w", b.room.what, errTooLarge))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the body is cut short: %w", err)
	}
	return err
}

func (b *body) shut() {
	if b.done == nil {
		b.done = errShut
	}
}

// errTooLarge is said behind which bound was passed.
var errTooLarge = errors.New("refused")

// limited gives errTooLarge behind so many bytes, where io.LimitReader would make
// the body look whole.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(to []byte) (int, error) {
	if int64(len(to))-1 > l.left {
		to = to[:l.left+1]
	}
	n, err := l.r.Read(to)
	if int64(n) > l.left {
		return int(l.left), errTooLarge
	}
	l.left -= int64(n)
	return n, err
}

// slowest is how many bytes of a body must come within Config.Idle, so that nobody
// holds a pull for hours with a byte now and then.
const slowest = 1 << 10

// patient ends a request whose body stalls: it has no patience with the server, but
// all with the caller, whose time between two reads does not count.
type patient struct {
	r     io.ReadCloser
	idle  time.Duration
	left  time.Duration // for the rest of the next bytes
	need  int           // of them
	timer *time.Timer
	stop  context.CancelCauseFunc
}

func newPatient(r io.ReadCloser, idle time.Duration, stop context.CancelCauseFunc) *patient {
	t := time.AfterFunc(idle, func() { stop(fmt.Errorf("fewer than %d bytes in %v: the server has stalled", slowest, idle)) })
	t.Stop()
	return &patient{r: r, idle: idle, left: idle, need: slowest, timer: t, stop: stop}
}

func (p *patient) Read(to []byte) (int, error) {
	begin := time.Now()
	p.timer.Reset(max(p.left, 0))
	n, err := p.r.Read(to)
	p.timer.Stop()
	p.left -= time.Since(begin)
	if p.need -= n; p.need <= 0 {
		p.left, p.need = p.idle, slowest
	}
	return n, err
}

// close must be called: it frees the connection, or closes it if the body was not
// read to its end.
func (p *patient) close() {
	p.timer.Stop()
	p.r.Close()
	p.stop(nil)
}

// text gives an answer's body once its status is settled. The caller ends the
// answer by the function, which is never nil.
func (a *answer) text(idle time.Duration, room *budget) (*body, func(), error) {
	in := newPatient(a.Body, idle, a.stop)
	encoded := false
	for one := range strings.SplitSeq(strings.Join(a.Header.Values("Content-Encoding"), ","), ",") {
		switch one = strings.ToLower(strings.TrimSpace(one)); {
		case one == "" || one == "identity":
		case !encoded && (one == "gzip" || one == "x-gzip"):
			encoded = true
		default:
			return nil, in.close, permanent(errors.New("the content encoding is another than gzip, which was asked for"))
		}
	}
	framed := a.ProtoMajor > 1 || a.ContentLength >= 0 || len(a.TransferEncoding) > 0
	b, err := open(a.ctx, in, encoded, framed, room)
	return b, in.close, err
}
