package fetch

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"golang.org/x/net/dns/dnsmessage"
)

// serveAt starts a server on an address of the loopback network.
func serveAt(t *testing.T, addr string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func TestPrivateRefused(t *testing.T) {
	var reached atomic.Bool
	inside := serve(t, func(w http.ResponseWriter, r *http.Request) { reached.Store(true) })
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "2130706433", "127.1"} {
		f := feed(fact.TransportHTTP, "http://"+host+":"+port+"/list")
		f.AllowPrivate = false
		_, err := client(t, Config{}).Pull(t.Context(), f, nil, (&got{}).yield)
		if err == nil {
			t.Errorf("%s: no error", host)
		}
	}
	f := feed(fact.TransportHTTP, inside.URL+"/list")
	f.AllowPrivate = false
	_, err := failPull(t, client(t, Config{}), f, nil, inside.URL+"/list leads to 127.0.0.1, a private address (loopback): refused (allow_private)")
	if !Permanent(err) {
		t.Error("the refusal is not permanent")
	}
	if reached.Load() {
		t.Error("the server inside was reached")
	}
	f.AllowPrivate = true
	if _, _ = mustPull(t, client(t, Config{}), f, nil); !reached.Load() {
		t.Error("allow_private does not allow")
	}
}

func TestRedirectToPrivate(t *testing.T) {
	var reached atomic.Bool
	inside := serve(t, func(w http.ResponseWriter, r *http.Request) { reached.Store(true) })
	outside := serveAt(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, inside.URL+"/latest/meta-data?x=y", http.StatusFound)
	})
	f := feed(fact.TransportHTTP, outside.URL+"/list?key=s3cret")
	f.AllowPrivate = false
	_, err := failPull(t, publicly(t, Config{}, "127.0.0.2"), f, nil, outside.URL+"/list redirects to 127.0.0.1, a private address (loopback): refused (allow_private)")
	if reached.Load() || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("reached %v: %v", reached.Load(), err)
	}
}

// TestRebinding wants the address that is dialed to be checked, not one that an
// earlier look-up gave.
func TestRebinding(t *testing.T) {
	inside := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("the server inside was reached") })
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	l, err := net.Listen("tcp", "127.0.0.2:"+port) // the same port
	if err != nil {
		t.Fatal(err)
	}
	outside := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		if r.URL.Path == "/list" {
			http.Redirect(w, r, "http://feed.bad.example:"+port+"/again", http.StatusFound)
			return
		}
		io.WriteString(w, "bad.example\n")
	}))
	outside.Listener.Close()
	outside.Listener = l
	outside.Start()
	defer outside.Close()

	var asked atomic.Int32
	var rebound atomic.Bool
	c := publicly(t, Config{}, "127.0.0.2")
	c.resolver = fakeDNS(t, func() netip.Addr {
		if asked.Add(1) > 1 && rebound.Load() {
			return netip.MustParseAddr("127.0.0.1")
		}
		return netip.MustParseAddr("127.0.0.2")
	})
	f := feed(fact.TransportHTTP, "http://feed.bad.example:"+port+"/list")
	f.AllowPrivate = false
	if _, g := mustPull(t, c, f, nil); g.text() != "bad.example\n" {
		t.Errorf("got %q", g.text())
	}
	asked.Store(0)
	rebound.Store(true)
	failPull(t, c, f, nil, "redirects to feed.bad.example at 127.0.0.1, a private address")
	if asked.Load() < 2 {
		t.Error("the name was resolved once only: the test shows nothing")
	}
}

// fakeDNS answers every question about IPv4 with the address of the moment.
func fakeDNS(t *testing.T, addr func() netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: addr().As4()},
				}}
			}
			if text, err := m.Pack(); err == nil {
				conn.WriteTo(text, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: (&fixedDialer{conn.LocalAddr().String()}).dial}
}

func TestRedirects(t *testing.T) {
	var mux http.ServeMux
	s := httptest.NewTLSServer(&mux)
	defer s.Close()
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Error("https led to http") })
	to := func(from, location string, status int) {
		mux.HandleFunc(from, func(w http.ResponseWriter, r *http.Request) {
			if location != "" {
				w.Header().Set("Location", location)
			}
			w.WriteHeader(status)
		})
	}
	mux.HandleFunc("/list", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Error("a Referer is sent")
		}
		io.WriteString(w, "bad.example\n")
	})
	for i, status := range []int{301, 302, 303, 307, 308} {
		to(fmt.Sprintf("/%d", i), fmt.Sprintf("/%d", i+1), status)
	}
	to("/5", "list", 302) // five redirects from /1, six from /0
	to("/down", plain.URL+"/list", 302)
	to("/file", "file:///etc/passwd", 302)
	to("/gopher", "gopher://bad.example/", 302)
	to("/user", "https://u:s3cret@bad.example/", 302)
	to("/none", "", 302)
	to("/bad", "https://[::1", 302)
	to("/loop", "/loop", 302)
	for path, want := range map[string]string{
		"/list": "", "/1": "", "/0": "more than 5 redirects", "/loop": "more than 5 redirects", "/down": "from https to http",
		"/file": "want http or https", "/gopher": "want http or https", "/user": "user or password in a url", "/none": "without a Location", "/bad": "not a URL",
	} {
		f := feed(fact.TransportHTTP, s.URL+path)
		f.Auth.CAFile = write(t, t.TempDir(), "ca.pem", pemOf(s.Certificate().Raw))
		if want == "" {
			if _, g := mustPull(t, client(t, Config{}), f, nil); g.text() != "bad.example\n" {
				t.Errorf("%s: got %q", path, g.text())
			}
			continue
		}
		_, err := failPull(t, client(t, Config{}), f, nil, want)
		if !Permanent(err) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: permanent %v: %v", path, Permanent(err), err)
		}
	}
	f := feed(fact.TransportHTTP, s.URL+"/list")
	failPull(t, client(t, Config{}), f, nil, "certificate") // the system does not know the authority
}

// TestRedirectSecrets wants credentials to stay with the feed's own server.
func TestRedirectSecrets(t *testing.T) {
	other := serveAt(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "Referer"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("another host is sent %s: %s", name, v)
			}
		}
		io.WriteString(w, "bad.example\n")
	})
	var mux http.ServeMux
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "acme" || password != "pass w:rd" || r.Header.Get("X-Api-Key") != "k3y" {
			t.Errorf("%s: our own host is sent %v", r.URL, r.Header)
		}
		mux.ServeHTTP(w, r)
	})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/home", http.RedirectHandler("http://127.0.0.1:"+port+"/list", http.StatusFound))
	mux.HandleFunc("/list", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "bad.example\n") })
	for _, path := range []string{"/away", "/home"} {
		f := feed(fact.TransportHTTP, s.URL+path)
		dir := t.TempDir()
		f.Auth = fact.Auth{User: "acme", PasswordFile: write(t, dir, "password", "pass w:rd\n"), Header: "x-api-key", HeaderFile: write(t, dir, "key", "k3y")}
		if _, g := mustPull(t, client(t, Config{}), f, nil); g.text() != "bad.example\n" {
			t.Errorf("%s: got %q", path, g.text())
		}
	}
}

// TestEchoedSecrets wants no secret in an error, wherever a server repeats it.
func TestEchoedSecrets(t *testing.T) {
	const token = "t0ken-of-acme"
	for name, h := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "ftp://bad.example/"+token)
			w.WriteHeader(http.StatusFound)
		},
		"type": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/"+token) },
		"words": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "not with "+r.Header.Get("Authorization"))
		},
		"key": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", taxiiType)
			io.WriteString(w, `{"default":"gopher://`+token+`/"}`)
		},
	} {
		f := taxiiFeed(serve(t, h).URL, "indicators")
		f.Auth.TokenFile = write(t, t.TempDir(), "token", token)
		if _, err := failPull(t, client(t, Config{}), f, nil, "[secret]"); strings.Contains(err.Error(), token) || !Permanent(err) {
			t.Errorf("%s: permanent %v: %v", name, Permanent(err), err)
		}
	}
}

func TestProxy(t *testing.T) {
	var asked atomic.Value
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.RequestURI)
		io.WriteString(w, "bad.example\n")
	})
	f := feed(fact.TransportHTTP, "http://lists.bad.example/list")
	f.AllowPrivate = false
	// The environment's proxy is not used: the name is dialed, and does not exist.
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	c := client(t, Config{})
	c.resolver = fakeDNS(t, func() netip.Addr { return netip.MustParseAddr("127.0.0.1") })
	failPull(t, c, f, nil, "lists.bad.example at 127.0.0.1, a private address")

	c = client(t, Config{Proxy: proxy.URL})
	if _, g := mustPull(t, c, f, nil); g.text() != "bad.example\n" || asked.Load() != "http://lists.bad.example/list" {
		t.Errorf("got %q by asking for %v", g.text(), asked.Load())
	}
	for _, host := range []string{"127.0.0.1", "localhost", "a.localhost.", "[::1]", "169.254.169.254"} {
		f.URL = "http://" + host + "/list"
		failPull(t, c, f, nil, "private address")
	}
	for _, bad := range []string{"proxy", "socks5://h:1", "http://", "http://u:s3cret@h:port"} {
		if _, err := New(Config{Proxy: bad}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("proxy %q: %v", bad, err)
		}
	}
}

func TestURLs(t *testing.T) {
	for text, want := range map[string]string{
		"ftp://bad.example/x":             "want http or https",
		"https:///x":                      "has no host",
		"https://u:s3cret@bad.example/":   "user or password",
		"https://bad.example:s3cret/":     "not one",
		"https://bad.example/?k=s3cret%z": "",
	} {
		f := feed(fact.TransportHTTP, text)
		c := client(t, Config{})
		c.resolver = fakeDNS(t, func() netip.Addr { return netip.MustParseAddr("0.0.0.0") })
		f.AllowPrivate = false
		_, err := failPull(t, c, f, nil, want)
		if strings.Contains(err.Error(), "s3cret") || !Permanent(err) {
			t.Errorf("%v: permanent %v", err, Permanent(err))
		}
	}
}
