package fetch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

func zipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.Bytes()
}

func TestHTTPConditional(t *testing.T) {
	etag, modified, text := `"v1"`, "Mon, 02 Mar 2026 10:00:00 GMT", "bad.example\n"
	requests := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		if have := r.Header.Get("User-Agent"); have != "interdict-intel" {
			t.Errorf("User-Agent %q", have)
		}
		if r.Header.Get("If-None-Match") == etag || etag == "" && r.Header.Get("If-Modified-Since") == modified {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		w.Header().Set("Last-Modified", modified)
		io.WriteString(w, text)
	})
	c, f := client(t, Config{}), feed(fact.TransportHTTP, s.URL+"/lists/bad.txt?key=s3cret")
	f.Format = fact.FormatList

	r, g := mustPull(t, c, f, nil)
	if g.text() != text || r.Mode != fact.Replace || r.Bytes != int64(len(text)) || !r.Full {
		t.Errorf("first pull: %q, %+v", g.text(), r)
	}
	if p := g.parts[0]; p.Name != "bad.txt" || p.Format != fact.FormatList {
		t.Errorf("part %+v", p)
	}
	if bytes.Contains(r.State, []byte("s3cret")) {
		t.Errorf("the state has the query: %s", r.State)
	}
	again, g := mustPull(t, c, f, r.State)
	if !again.NotModified || len(g.texts) > 0 {
		t.Errorf("second pull: %+v", again)
	}
	etag = "" // now by date only
	r, g = mustPull(t, c, f, again.State)
	if !r.NotModified {
		t.Errorf("by date: %+v %q", r, g.text())
	}
	etag, modified, text = `W/"v2"`, "Tue, 03 Mar 2026 10:00:00 GMT", "worse.example\n"
	r, g = mustPull(t, c, f, r.State)
	if g.text() != text || r.Full {
		t.Errorf("changed: %q, %+v", g.text(), r)
	}
	other := *f
	other.URL = s.URL + "/lists/other.txt"
	r, g = mustPull(t, c, &other, r.State)
	if r.NotModified || g.text() != text || !r.Full {
		t.Errorf("the state of another URL was used: %+v", r)
	}
	if requests != 5 {
		t.Errorf("%d requests, want 5", requests)
	}
}

// TestHTTPStateOnFailure wants a failed pull to leave the state as it was.
func TestHTTPStateOnFailure(t *testing.T) {
	broken := false
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if broken {
			w.Header().Set("ETag", `"new"`)
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "bad.example\n")
			return
		}
		w.Header().Set("ETag", `"old"`)
		io.WriteString(w, "bad.example\n")
	})
	c, f := client(t, Config{}), feed(fact.TransportHTTP, s.URL)
	first, _ := mustPull(t, c, f, nil)
	broken = true
	r, err := failPull(t, c, f, first.State, "feed acme", s.URL, "cut short")
	if !bytes.Equal(r.State, first.State) || r.NotModified {
		t.Errorf("state %s, want %s", r.State, first.State)
	}
	if Permanent(err) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v: permanent %v", err, Permanent(err))
	}
	r, _ = failPull(t, c, f, nil, "cut short")
	if r.State != nil {
		t.Errorf("a first pull that fails gives the state %s", r.State)
	}
}

// TestHTTPWhole wants every way of not being whole to fail the pull, whether yield
// reads to the end or not.
func TestHTTPWhole(t *testing.T) {
	list := strings.Repeat("bad.example\n", 1000)
	packed := zipped(list)
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	random := rand.New(rand.NewPCG(1, 2))
	noise := ""
	for range 10_000 {
		noise += string(rune('!' + random.IntN(90))) // not gzip's first bytes
	}
	var hard bytes.Buffer // stored, as a packer does with what it cannot make smaller
	stored, err := gzip.NewWriterLevel(&hard, gzip.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(stored, noise)
	stored.Close()
	raw := func(head string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			conn, buf, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			fmt.Fprintf(buf, "HTTP/1.1 200 OK\r\nConnection: close\r\n%s\r\n", head)
			buf.Write(body)
			buf.Flush()
		}
	}
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d\r\n", n) }
	const enc, chunked = "Content-Encoding: gzip\r\n", "Transfer-Encoding: chunked\r\n"
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		max   int64
		want  string // the part
		fails string // words of the error
	}{
		{"length", raw(length(len(list)), []byte(list)), 0, list, ""},
		{"chunks", raw(chunked, []byte("c\r\nbad.example\n\r\n0\r\n\r\n")), 0, "bad.example\n", ""},
		{"gzip", raw(enc+length(len(packed)), packed), 0, list, ""},
		{"gzip ended by closing", raw(enc, packed), 0, list, ""},
		{"text that is gzip", raw(length(len(packed)), packed), 0, list, ""},
		{"gzip of gzip", raw(enc+length(len(zipped(string(packed)))), zipped(string(packed))), 0, list, ""},
		{"several members", raw(enc, append(zipped(list[:600]), zipped(list[600:])...)), 0, list, ""},
		{"as large as allowed", raw(enc, packed), int64(len(list)), list, ""},
		{"short", raw(length(len(list)), []byte(list[:500])), 0, "", "cut short"},
		{"chunks cut", raw(chunked, []byte("c\r\nbad.example\n\r\n")), 0, "", "cut short"},
		{"no frame", raw("", []byte(list)), 0, "", "neither length nor chunks"},
		{"gzip cut", raw(enc, packed[:len(packed)-9]), 0, "", "cut short"},
		{"gzip cut in the checksum", raw(enc, packed[:len(packed)-2]), 0, "", "cut short"},
		{"gzip cut in the header", raw(enc, packed[:5]), 0, "", "cut short"},
		{"gzip with a wrong checksum", raw(enc, flipped), 0, "", "checksum"},
		{"gzip and something else", raw(enc, append(bytes.Clone(packed), "# something else"...)), 0, "", "header"},
		{"said gzip", raw(enc+length(len(list)), []byte(list)), 0, "", "says gzip"},
		{"other encoding", raw("Content-Encoding: br\r\n"+length(3), []byte("abc")), 0, "", "another than gzip"},
		{"too large", raw(length(len(list)), []byte(list)), int64(len(list)) - 1, "", "max_bytes"},
		{"too large unpacked", raw(enc, packed), int64(len(list)) - 1, "", "max_bytes"},
		{"gzip of nothing for ever", raw(enc, bytes.Repeat(zipped(""), 5000)), 4000, "", "max_bytes"},
		{"gzip of gzip of nothing for ever", raw(enc, zipped(string(bytes.Repeat(zipped(""), 5000)))), 4000, "", "max_bytes"},
		{"gzip of what does not compress", raw(enc, hard.Bytes()), int64(len(noise)), noise, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.serve)
			f := feed(fact.TransportHTTP, s.URL)
			if c.max > 0 {
				f.MaxBytes = c.max
			}
			if c.fails == "" {
				if _, g := mustPull(t, client(t, Config{}), f, nil); g.text() != c.want {
					t.Errorf("%d bytes, want %d", len(g.text()), len(c.want))
				}
				return
			}
			failPull(t, client(t, Config{}), f, nil, c.fails)
			_, err := client(t, Config{}).Pull(t.Context(), f, nil, func(_ fact.Part, body io.Reader) error {
				io.ReadFull(body, make([]byte, 10))
				return nil
			})
			wantError(t, err, c.fails)
			// A caller that takes an error for an end does not get away with it.
			_, err = client(t, Config{}).Pull(t.Context(), f, nil, func(_ fact.Part, body io.Reader) error {
				io.Copy(io.Discard, body)
				return nil
			})
			wantError(t, err, c.fails)
		})
	}
}

func TestHTTPStatus(t *testing.T) {
	var status int
	var header http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for k, v := range header {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
		if status != http.StatusNoContent && status != http.StatusNotModified {
			io.WriteString(w, "no luck\x1b[31m\n"+r.Header.Get("Authorization"))
		}
	})
	c, f := client(t, Config{Now: func() time.Time { return now }}), feed(fact.TransportHTTP, s.URL+"/list?key=s3cret")
	f.Auth.TokenFile = write(t, t.TempDir(), "token", "t0ken-of-acme\n")
	after := func(text string) http.Header { return http.Header{"Retry-After": {text}} }
	for _, k := range []struct {
		status    int
		header    http.Header
		permanent bool
		at        time.Time
		word      string
	}{
		{status: 401, permanent: true, word: "credentials are missing or wrong"},
		{status: 403, permanent: true, word: "do not suffice"},
		{status: 404, permanent: true, word: "nothing at this address"},
		{status: 204, permanent: true, word: "status 204"},
		{status: 206, permanent: true, word: "status 206"},
		{status: 304, permanent: true, word: "status 304"}, // nobody asked
		{status: 500, word: "status 500"},
		{status: 429, word: "too many requests"},
		{status: 429, header: after("120"), at: now.Add(2 * time.Minute), word: "status 429"},
		{status: 503, header: after("Wed, 04 Mar 2026 05:07:07 GMT"), at: now.Add(time.Minute), word: "status 503"},
		{status: 503, header: after("Wed, 04 Mar 2020 05:07:07 GMT"), at: now, word: "status 503"},
		{status: 503, header: after("99999999999999999"), at: now.Add(24 * time.Hour), word: "status 503"},
		{status: 503, header: after("Fri, 04 Mar 9999 05:07:07 GMT"), at: now.Add(24 * time.Hour), word: "status 503"},
		{status: 503, header: after("soon"), word: "status 503"},
		{status: 500, header: after("60"), word: "status 500"},
		{status: 502, header: http.Header{"Content-Encoding": {"gzip"}}, word: "status 502"},
	} {
		status, header = k.status, k.header
		_, err := failPull(t, c, f, nil, k.word)
		at, ok := RetryAt(err)
		if Permanent(err) != k.permanent || !at.Equal(k.at) || ok == k.at.IsZero() {
			t.Errorf("%d %v: permanent %v, again at %v %v", k.status, k.header, Permanent(err), at, ok)
		}
		// What is packed is not for people.
		if said := strings.Contains(err.Error(), "no luck"); said != (k.status != 204 && k.status != 304 && k.status != 502) {
			t.Errorf("%d: the server's words are shown: %v: %v", k.status, said, err)
		}
		if text := err.Error(); strings.Contains(text, "s3cret") || strings.Contains(text, "t0ken") || strings.Contains(text, "\x1b") {
			t.Errorf("the error shows what it must not: %q", text)
		}
	}
}

func TestHTTPStall(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/header" {
			<-release
			return
		}
		io.WriteString(w, "bad.example\n")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/drip" {
			for range 1000 {
				select {
				case <-release:
					return
				case <-time.After(5 * time.Millisecond):
				}
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		}
		<-release
	})
	defer close(release)
	for _, k := range []struct {
		path, want string
		cfg        Config
	}{
		{"/header", "timeout awaiting response headers", Config{Header: 50 * time.Millisecond}},
		{"/body", "stalled", Config{Idle: 50 * time.Millisecond}},
		{"/drip", "the pull took longer than", Config{Idle: time.Minute, Total: 100 * time.Millisecond}},
	} {
		begin := time.Now()
		_, err := failPull(t, client(t, k.cfg), feed(fact.TransportHTTP, s.URL+k.path), nil, k.want)
		if Permanent(err) || time.Since(begin) > 10*time.Second {
			t.Errorf("%s: %v after %v", k.path, err, time.Since(begin))
		}
	}
}

// TestHTTPSlowCaller wants the caller's own time not to count as the server's.
func TestHTTPSlowCaller(t *testing.T) {
	list := strings.Repeat("bad.example\n", 100_000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, list) })
	_, err := client(t, Config{Idle: 60 * time.Millisecond}).Pull(t.Context(), feed(fact.TransportHTTP, s.URL), nil, func(_ fact.Part, body io.Reader) error {
		time.Sleep(150 * time.Millisecond)
		n, err := io.Copy(io.Discard, body)
		if n != int64(len(list)) {
			t.Errorf("%d bytes, want %d", n, len(list))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestYieldFails(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "bad.example\n") })
	mine := errors.New("the disk is full")
	var kept io.Reader
	_, err := client(t, Config{}).Pull(t.Context(), feed(fact.TransportHTTP, s.URL), nil, func(_ fact.Part, body io.Reader) error {
		kept = body
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("%v, want the yield's error", err)
	}
	if n, err := kept.Read(make([]byte, 8)); n != 0 || err != errShut {
		t.Errorf("a body kept too long gives %d bytes and %v", n, err)
	}

	// Where the body failed, that is the reason, whatever yield makes of it.
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "bad.exam")
	})
	_, err = client(t, Config{}).Pull(t.Context(), feed(fact.TransportHTTP, s.URL), nil, func(_ fact.Part, body io.Reader) error {
		io.Copy(io.Discard, body)
		return mine
	})
	wantError(t, err, "cut short")
	if errors.Is(err, mine) {
		t.Errorf("%v hides why", err)
	}
}
