package chdb

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"crypto/rand"
)

// answer writes one HTTP response: data as it comes, then an end or an error.
type answer struct {
	w     http.ResponseWriter
	out   io.Writer
	tag   string
	began bool // data was written: the status can no longer change
}

func newAnswer(w http.ResponseWriter) *answer {
	a := &answer{w: w, out: w, tag: strings.ToLower(rand.Text()[:16])}
	h := w.Header()
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	h.Set("Content-Type", "application/octet-stream")
	return a
}

// encode makes the answer compressed when the request asked for it.
func (a *answer) encode(req *request) {
	if req.compress {
		a.out = newFrameWriter(a.w, req.zstd)
	}
	a.w.Header().Set("X-ClickHouse-Format", req.output())
}

func (a *answer) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	a.began = true
	return a.out.Write(p)
}

// written reports inserted rows in the header ClickHouse uses for it. It counts
// rows of materialized views too.
func (a *answer) written(rows uint64) {
	a.w.Header().Set("X-ClickHouse-Summary", fmt.Sprintf(`{"written_rows":"%d"}`, rows))
}

func (a *answer) finish() error {
	if !a.began {
		a.w.Header().Set("Content-Length", "0") // clickhouse-go takes this for "no result set"
	}
	return nil
}

// fail sends an exception: as a status and plain text before any data, else as
// the framed block that clients look for at the end of a broken stream.
func (a *answer) fail(e *exception) {
	if !a.began {
		h := a.w.Header()
		h.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		h.Del("Content-Length")
		a.w.WriteHeader(e.status())
		_, _ = io.WriteString(a.w, e.text+"\n")
		return
	}
	text := e.text
	if len(text) > maxExceptionText {
		text = text[:maxExceptionText]
	}
	// A failed write means the client has gone; there is nobody left to tell.
	_, _ = fmt.Fprintf(a.out, "\r\n__exception__\r\n%s\r\n%s\n%d %s\r\n__exception__\r\n", a.tag, text, len(text)+1, a.tag)
}

// maxExceptionText keeps the framed block below the 16 KiB that clients search.
const maxExceptionText = 15 << 10
