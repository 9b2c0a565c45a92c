package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/interdict/interdict/intel/fact"
)

const maxRedirects = 5

// session is the connections and credentials of one pull. It ends with it, so that
// changed certificates count at the next.
type session struct {
	c       *Client
	origin  *url.URL // the feed's URL: whose host gets the credentials
	creds   *credentials
	private bool // private addresses are allowed
	own     *http.Transport
	other   *http.Transport // for other hosts: without the client certificate
}

func (c *Client) session(f *fact.Feed, origin *url.URL) (*session, error) {
	creds, err := readCredentials(&f.Auth)
	if err != nil {
		return nil, err
	}
	if origin.Scheme == "http" && !f.AllowPrivate && (len(creds.header) > 0 || creds.cert != nil) {
		return nil, errors.New("auth over plain http could be read on the way: use https (or set allow_private for a network of your own)")
	}
	s := &session{c: c, origin: origin, creds: creds, private: f.AllowPrivate}
	s.own, s.other = s.transport(), s.transport()
	if creds.cert != nil {
		s.own.TLSClientConfig.Certificates = []tls.Certificate{*creds.cert}
	}
	return s, nil
}

func (s *session) transport() *http.Transport {
	cfg := &s.c.cfg
	dialer := &net.Dialer{Timeout: cfg.Connect, Resolver: s.c.resolver}
	t := &http.Transport{
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.creds.roots},
		TLSHandshakeTimeout:    cfg.Connect,
		ResponseHeaderTimeout:  cfg.Header,
		MaxResponseHeaderBytes: 1 << 20,
		MaxConnsPerHost:        2,
		DisableCompression:     true, // done here, where a broken end is seen and counted
		ForceAttemptHTTP2:      true,
	}
	if s.c.proxy != nil {
		t.Proxy = http.ProxyURL(s.c.proxy)
	} else if !s.private {
		dialer.ControlContext = s.admit
	}
	t.DialContext = dialer.DialContext
	return t
}

func (s *session) close() {
	s.own.CloseIdleConnections()
	s.other.CloseIdleConnections()
}

// admit runs on every address just before it is dialed, whatever name led to it.
func (s *session) admit(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dialing what is no address: %w", err)
	}
	return s.admitAddr(ap.Addr())
}

func (s *session) admitAddr(a netip.Addr) error {
	if kind := s.c.special(a); kind != "" {
		return &addressError{addr: a, kind: kind}
	}
	return nil
}

// feedURL reads a URL that a feed may have.
func feedURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the feed's url is not one") // the parser's error holds it whole
	}
	return u, usable(u)
}

func usable(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%s: want http or https", show(u))
	case u.Hostname() == "":
		return fmt.Errorf("%s: has no host", show(u))
	case u.User != nil:
		return fmt.Errorf("%s: a user or password in a url is refused: put them in auth", show(u))
	}
	u.Fragment, u.RawFragment = "", ""
	return nil
}

// show gives a URL for messages: without query and user, which may be secret.
func show(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	text := v.String()
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// get asks for a URL and follows redirects. The caller closes the body of the
// response, whose status may be any but a redirect's. An answer that does not begin in
// time ends the request by stop: the transport has no bound for a proxy that takes a
// connection and says nothing.
func (s *session) get(ctx context.Context, stop context.CancelCauseFunc, target *url.URL, header http.Header) (*http.Response, error) {
	u := target
	most := 2*s.c.cfg.Connect + s.c.cfg.Header
	for hop := 0; ; hop++ {
		late := time.AfterFunc(most, func() { stop(fmt.Errorf("no answer for %v", most)) })
		resp, err := s.once(ctx, u, header)
		late.Stop()
		if err != nil {
			return nil, s.explain(ctx, target, u, err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return resp, nil
		}
		next, err := s.follow(u, resp)
		resp.Body.Close()
		if err != nil {
			return nil, permanent(fmt.Errorf("%s: %w", show(target), err))
		}
		if hop == maxRedirects {
			return nil, permanent(fmt.Errorf("%s: more than %d redirects", show(target), maxRedirects))
		}
		u = next
	}
}

// follow checks where a redirect leads.
func (s *session) follow(from *url.URL, resp *http.Response) (*url.URL, error) {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, fmt.Errorf("status %d without a Location", resp.StatusCode)
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, errors.New("redirects to what is not a URL")
	}
	if err := usable(to); err != nil {
		return nil, fmt.Errorf("redirects to %w", err)
	}
	if from.Scheme == "https" && to.Scheme == "http" {
		return nil, fmt.Errorf("redirects to %s, from https to http: refused", show(to))
	}
	return to, nil
}

func (s *session) once(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the request cannot be made") // the error holds the URL whole
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", s.c.cfg.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if s.c.proxy != nil && !s.private {
		if err := s.admitSpelled(u.Hostname()); err != nil {
			return nil, err
		}
	}
	if !s.isOwn(u) {
		return s.other.RoundTrip(req)
	}
	for name, values := range s.creds.header {
		req.Header[name] = values
	}
	return s.own.RoundTrip(req)
}

// admitSpelled checks a host that is an address itself, or names this machine: all
// that can be known where a proxy resolves names.
func (s *session) admitSpelled(host string) error {
	if strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return permanent(errors.New("the host has letters that may come to mean others: write it in ASCII (xn--)"))
	}
	host = strings.TrimRight(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		return s.admitAddr(a)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last == "localhost" {
		return s.admitAddr(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	}
	// No name ends in a number. Old resolvers take 127.1, 2130706433 or 0x7f000001 for
	// the address that it spells.
	digits, hex := strings.CutPrefix(last, "0x")
	if !hex && strings.Trim(digits, "0123456789") == "" || hex && strings.Trim(digits, "0123456789abcdef") == "" {
		return permanent(errors.New("the host is a number and no address in its usual form: refused"))
	}
	return nil
}

// isOwn reports whether a URL is of the feed's own server, which may see the
// credentials: the same scheme, host and port, or https on the same host where the
// feed has http, each on its usual port.
func (s *session) isOwn(u *url.URL) bool {
	host, own := u.Hostname(), s.origin.Hostname()
	if len(host) != len(own) || !strings.EqualFold(host, own) { // longer are letters that only fold to the same ones
		return false
	}
	a, b := port(u), port(s.origin)
	return u.Scheme == s.origin.Scheme && a == b || s.origin.Scheme == "http" && b == "80" && u.Scheme == "https" && a == "443"
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// explain makes a message of what kept a request from an answer.
func (s *session) explain(ctx context.Context, target, u *url.URL, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if a, ok := errors.AsType[*addressError](err); ok {
		at := ""
		if u.Hostname() != a.addr.String() {
			at = u.Hostname() + " at "
		}
		verb := "leads to"
		if u != target {
			verb = "redirects to"
		}
		return permanent(fmt.Errorf("%s %s %s%w", show(target), verb, at, a))
	}
	if u != target {
		return fmt.Errorf("%s, redirected to %s: %w", show(target), show(u), err)
	}
	return fmt.Errorf("%s: %w", show(target), err)
}

// said gives the beginning of a server's words for an error, on one line and
// without our secrets.
func (s *session) said(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, 4096)) // what came before a failure is as good
	return s.short(string(text))
}

func (s *session) short(text string) string {
	text = s.creds.hide(text)
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == 0xfffd || !unicode.IsPrint(r) }), " ")
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "..."
	}
	return text
}
