package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// TestProxySpellings wants no address in one of the forms that old resolvers take for
// one, of which a proxy may have such, nor in letters that look like digits.
func TestProxySpellings(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Hostname() != "feeds.bad.example" && r.URL.Hostname() != "8.8.8.8" && r.URL.Hostname() != "0x7f.example" {
			t.Errorf("the proxy is asked for %s", r.URL)
		}
		io.WriteString(w, "bad.example\n")
	})
	c := client(t, Config{Proxy: proxy.URL})
	for _, host := range []string{"\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127\u30020\u30020\u30021", "localhos\u24e3"} { // as letters of a name they come to mean the usual ones
		f := feed(fact.TransportHTTP, (&url.URL{Scheme: "https", Host: host, Path: "/list"}).String())
		f.AllowPrivate = false
		if _, err := failPull(t, c, f, nil); !Permanent(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.0.0.1.", "10.0.0.1.", "127.0.0.1..", "169.254.43518", "0",
		"1.2.3.256", "127.0.0.0x1", "\uff11\uff12\uff17.0.0.1", "LOCALHOST."} {
		f := feed(fact.TransportHTTP, (&url.URL{Scheme: "http", Host: host, Path: "/list"}).String())
		f.AllowPrivate = false
		r, err := c.Pull(t.Context(), f, nil, (&got{}).yield)
		if err == nil || !Permanent(err) {
			t.Errorf("%s: %+v, %v", host, r, err)
		}
	}
	for _, host := range []string{"feeds.bad.example", "8.8.8.8", "0x7f.example"} {
		f := feed(fact.TransportHTTP, "http://"+host+"/list")
		f.AllowPrivate = false
		mustPull(t, c, f, nil)
	}
}

// TestProxySilent wants a proxy that takes a connection and says nothing to cost no
// more time than a server that does.
func TestProxySilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	}()
	c := client(t, Config{Proxy: "http://" + l.Addr().String(), Connect: 500 * time.Millisecond, Header: 100 * time.Millisecond, Total: 20 * time.Second})
	begin := time.Now()
	_, err = failPull(t, c, feed(fact.TransportHTTP, "https://feeds.bad.example/list"), nil, "no answer for 1.1s")
	if Permanent(err) || time.Since(begin) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

// TestHTTPDrip wants a server to be given up that sends a byte now and then, of a body
// or of what it has to say about an error.
func TestHTTPDrip(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusForbidden} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			for range 2000 {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(5 * time.Millisecond):
				}
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		})
		begin := time.Now()
		_, err := client(t, Config{Idle: 150 * time.Millisecond, Total: 20 * time.Second}).Pull(t.Context(), feed(fact.TransportHTTP, s.URL), nil, (&got{}).yield)
		want := "stalled"
		if status == http.StatusForbidden {
			want = "status 403"
		}
		wantError(t, err, want)
		if time.Since(begin) > 5*time.Second {
			t.Errorf("status %d: %v after %v", status, err, time.Since(begin))
		}
	}
}

// TestHTTPEncodings is about how a server may write that a body is packed.
func TestHTTPEncodings(t *testing.T) {
	for _, c := range []struct {
		encoding []string
		packed   bool
		fails    string
	}{
		{[]string{"GZIP"}, true, ""},
		{[]string{" x-gzip "}, true, ""},
		{[]string{"Identity"}, false, ""},
		{[]string{"identity", "gzip"}, true, ""},
		{[]string{"identity", "br"}, false, "another than gzip"},
		{[]string{"gzip, br"}, true, "another than gzip"},
		{[]string{"gzip", "gzip"}, true, "another than gzip"},
		{[]string{"deflate"}, false, "another than gzip"},
	} {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Encoding"] = c.encoding
			if c.packed {
				w.Write(zipped("bad.example\n"))
			} else {
				io.WriteString(w, "bad.example\n")
			}
		})
		f := feed(fact.TransportHTTP, s.URL)
		if c.fails != "" {
			failPull(t, client(t, Config{}), f, nil, c.fails)
		} else if _, g := mustPull(t, client(t, Config{}), f, nil); g.text() != "bad.example\n" {
			t.Errorf("%q: %q", c.encoding, g.text())
		}
	}
}

// TestByteOrderMark wants JSON to be read that begins with the mark, as some servers
// write it.
func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType)
		switch r.URL.Path {
		case "/api/":
			io.WriteString(w, mark+`{"title":"root"}`)
		case "/api/collections/":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zipped(mark + `{"collections":[{"id":"` + colA + `"}]}`))
		case "/api/collections/" + colA + "/objects/":
			io.WriteString(w, mark+`{"objects":[{"id":"indicator--1"}]}`)
		case "/manifest.json":
			io.WriteString(w, mark+`{"`+event1+`":{"timestamp":1}}`)
		case "/empty/manifest.json":
			io.WriteString(w, "[]")
		default:
			io.WriteString(w, mark+`{"Event":{}}`)
		}
	})
	c := client(t, Config{})
	if _, g := mustPull(t, c, taxiiFeed(s.URL+"/api/", colA), nil); g.text() != `{"objects":[{"id":"indicator--1"}]}` {
		t.Errorf("%q", g.text())
	}
	if _, g := mustPull(t, c, feed(fact.TransportMISP, s.URL), nil); g.text() != `{"Event":{}}` {
		t.Errorf("%q", g.text())
	}
	mustPull(t, c, feed(fact.TransportMISP, s.URL+"/empty"), nil) // shorter than a mark
}

func TestRetryAfterAbsurd(t *testing.T) {
	for text, want := range map[string]time.Time{
		strings.Repeat("9", 100): now.Add(longestWait),
		"-5":                     {},
		"1e9":                    {},
		"":                       {},
	} {
		if have := retryAfter(text, now); !have.Equal(want) {
			t.Errorf("%.20q: %v, want %v", text, have, want)
		}
	}
}

// TestServerWords wants nothing in an error that a terminal would obey.
func TestServerWords(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", taxiiType)
		switch r.URL.Path {
		case "/":
			io.WriteString(w, `{"title":"root"}`)
		case "/collections/":
			io.WriteString(w, `{"collections":[{"id":"`+colA+`","title":"a\u009b31m\u202eb\u2028c"}]}`)
		default:
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	_, err := failPull(t, client(t, Config{}), taxiiFeed(s.URL, colA), nil, "collection a 31m b c")
	if strings.ContainsAny(err.Error(), "\u009b\u202e\u2028") {
		t.Errorf("%+q", err)
	}
}

// TestEscapedSecrets wants a secret not to be shown in the forms that it has in a URL.
func TestEscapedSecrets(t *testing.T) {
	const token = "t0/ken+of acme"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "ftp://bad.example/"+url.PathEscape(token)+"/"+url.QueryEscape(token))
		w.WriteHeader(http.StatusFound)
	})
	f := feed(fact.TransportHTTP, s.URL)
	f.Auth.TokenFile = write(t, t.TempDir(), "token", token)
	if _, err := failPull(t, client(t, Config{}), f, nil, "[secret]"); strings.Contains(err.Error(), "acme") && strings.Contains(err.Error(), "t0") {
		t.Error(err)
	}
}

// TestHTTPModifiedJustNow wants a list to be had again that changed twice within the
// second that Last-Modified tells: the second change has the first's date.
func TestHTTPModifiedJustNow(t *testing.T) {
	text := "bad.example\n"
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Format(http.TimeFormat))
		w.Header().Set("Last-Modified", now.Format(http.TimeFormat))
		if r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, text)
	})
	c, f := client(t, Config{}), feed(fact.TransportHTTP, s.URL)
	r, _ := mustPull(t, c, f, nil)
	text = "worse.example\n"
	if _, g := mustPull(t, c, f, r.State); g.text() != text {
		t.Errorf("%q", g.text())
	}
}

// TestFolderVanishes wants a file that goes between the listing and the look at it to
// be none.
func TestFolderVanishes(t *testing.T) {
	dir := t.TempDir()
	kept := write(t, dir, "a.txt", "a.example\n")
	found, skipped, err := those(dir, []string{kept, filepath.Join(dir, "gone.txt")}, false)
	if err != nil || len(found) != 1 || len(skipped) > 0 {
		t.Errorf("%v %v %v", found, skipped, err)
	}
	if _, _, err := those(dir, []string{filepath.Join(kept, "x")}, false); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is no folder: %v", err)
	}
}

// TestFolderOfFolders wants folders, hidden files and links not to count as files.
func TestFolderOfFolders(t *testing.T) {
	dir := t.TempDir()
	for n := range 20 {
		if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(n)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, dir, fmt.Sprint(".", n), "")
	}
	write(t, dir, "a.txt", "a.example\n")
	if _, g := mustPull(t, client(t, Config{MaxFiles: 1}), fileFeed(dir), nil); g.names() != "a.txt" {
		t.Errorf("%s", g.names())
	}
	write(t, dir, "b.txt", "b.example\n")
	_, err := failPull(t, client(t, Config{MaxFiles: 1}), fileFeed(dir), nil, "more than 1 files")
	if !Permanent(err) {
		t.Errorf("%v", err)
	}
}

func TestSpecialDocumented(t *testing.T) {
	for _, addr := range []string{"192.0.2.1", "198.51.100.7", "203.0.113.9", "192.88.99.1", "2001:db8::1", "3fff::1", "2001:2::1", "2001:20::1", "5f00::1", "4000::1", "::ffff:192.0.2.1",
		"1::1", "fec0::1", "f000::1", "64:ff9b::c000:201"} {
		if special(netip.MustParseAddr(addr)) == "" {
			t.Errorf("%s passes for public", addr)
		}
	}
}

// TestSecretWithMark wants the mark that some editors put before a text not to become a
// part of the secret.
func TestSecretWithMark(t *testing.T) {
	for text, want := range map[string]string{"\ufefft0ken\r\n": "t0ken", "t0k\ufeffen": "t0k\ufeffen"} {
		if have, err := readSecret("token_file", write(t, t.TempDir(), "token", text)); have != want || err != nil {
			t.Errorf("%q: %q, %v", text, have, err)
		}
	}
}

// TestOwnHost wants letters that only fold to those of the feed's host not to be it.
func TestOwnHost(t *testing.T) {
	s := &session{origin: &url.URL{Scheme: "https", Host: "kiosk.example"}}
	for host, own := range map[string]bool{"KIOSK.example:443": true, "\u212aiosk.example": false, "kio\u017fk.example": false, "kiosk.example:444": false, "kiosk.example.": false} {
		if have := s.isOwn(&url.URL{Scheme: "https", Host: host}); have != own {
			t.Errorf("%s: own %v", host, have)
		}
	}
}
