package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/fetch"
	"golang.org/x/sync/errgroup"
)

// Bounds on asking feeds.
const (
	feedsTime    = time.Minute      // for all
	feedTime     = 15 * time.Second // for one
	feedsAtOnce  = 8
	largestLook  = 64 << 20 // bytes that are unpacked of a feed at most
	skewDoubtful = time.Minute
	skewTooMuch  = 10 * time.Minute // an object of TAXII may come to be seen so late: fetch.Config.Overlap
)

// feeds asks for each feed as a pull would, with its credentials, and takes nothing of
// it but the beginning. Nothing is kept, so that the next pull is as if nobody had asked.
func (l *findings) feeds(ctx context.Context, cfg *settings.Config) {
	if !slices.Contains(cfg.Hops, "intel") {
		return
	}
	client, err := fetch.New(fetch.Config{Proxy: cfg.Intel.Proxy, Connect: 5 * time.Second, Header: 10 * time.Second, Idle: 5 * time.Second, Total: feedTime, PageSize: 1})
	if err != nil {
		l.add("feeds", err, "", "check intel.proxy")
		return
	}
	all, cancel := context.WithTimeoutCause(ctx, feedsTime, fmt.Errorf("there was no time left after %v of asking other feeds", feedsTime))
	defer cancel()
	found := make([]finding, len(cfg.Intel.Feeds))
	skews := make([]skew, len(cfg.Intel.Feeds))
	var g errgroup.Group
	g.SetLimit(feedsAtOnce)
	for i := range cfg.Intel.Feeds {
		f := cfg.Intel.Feeds[i]
		if f.Transport == fact.TransportUpload {
			continue
		}
		g.Go(func() error {
			found[i] = askFeed(all, client, f)
			if found[i].OK && f.Transport.Remote() {
				skews[i] = askClock(all, &f, cfg.Intel.Proxy)
			}
			return nil
		})
	}
	_ = g.Wait() // none gives an error
	for _, f := range found {
		if f.Check != "" {
			*l = append(*l, f)
		}
	}
	l.clock(skews)
}

// errEnough ends a pull that has shown that the feed can be read.
var errEnough = errors.New("enough was read")

// askFeed reads the beginning of a feed.
func askFeed(ctx context.Context, client *fetch.Client, f fact.Feed) finding {
	f.MaxBytes = min(f.MaxBytes, largestLook)
	var head []byte
	begun := time.Now()
	had, err := client.Pull(ctx, &f, nil, func(_ fact.Part, body io.Reader) error {
		buf := make([]byte, 512)
		n, err := io.ReadFull(body, buf)
		if head = buf[:n]; err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		return errEnough
	})
	out := finding{Check: "feed " + f.Name, OK: true}
	switch {
	case err != nil && !errors.Is(err, errEnough):
		out.OK, out.Detail, out.Cure = false, strings.TrimPrefix(err.Error(), "feed "+f.Name+": "), "check its url, auth and network; interdict intel pull "+f.Name+" pulls it for good"
		if f.Transport == fact.TransportFile {
			out.Cure = "check its file, and that this user may read it"
		}
	case isPage(head):
		out.OK, out.Detail, out.Cure = false, "answers with a page for people, no feed", "check its url: it may lead to a log-in"
	case had.Waiting != "":
		out.Warning, out.Detail, out.Cure = true, had.Waiting, "check its file, if there should be one; it is read as soon as it is there"
	case f.Transport == fact.TransportFile:
		out.Detail = f.File + " can be read"
	case err == nil || len(head) == 0:
		out.Warning, out.Detail, out.Cure = true, "answers, and what it says is empty", "check its url and collection, if it should not be"
	default:
		out.Detail = fmt.Sprintf("answers in %v", time.Since(begun).Round(time.Millisecond))
	}
	return out
}

// isPage reports a text that begins as a page of HTML does.
func isPage(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n"))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// skew is how far our clock is ahead of a server's.
type skew struct {
	host    string
	ahead   time.Duration
	unknown bool // it did not say
}

// askClock asks the server of a feed for its time, without credentials: the header
// Date of whatever it answers. That is to the second.
func askClock(ctx context.Context, f *fact.Feed, proxy string) skew {
	u, err := url.Parse(f.URL)
	if err != nil {
		return skew{unknown: true}
	}
	t := &http.Transport{TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 5 * time.Second, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if text, err := os.ReadFile(f.Auth.CAFile); err == nil {
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text)
	}
	if p, err := url.Parse(proxy); err == nil && proxy != "" {
		t.Proxy = http.ProxyURL(p)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}).String(), nil)
	if err != nil {
		return skew{unknown: true}
	}
	begun := time.Now()
	resp, err := t.RoundTrip(req) // redirects are not followed
	if err != nil {
		return skew{unknown: true}
	}
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return skew{unknown: true}
	}
	ended := time.Now()
	switch { // the server's second has begun while we waited
	case date.After(ended):
		return skew{host: u.Hostname(), ahead: ended.Sub(date)}
	case date.Add(time.Second).Before(begun):
		return skew{host: u.Hostname(), ahead: begun.Sub(date.Add(time.Second))}
	}
	return skew{host: u.Hostname()}
}

// clock tells how far our clock is from the servers'. The one that agrees most counts:
// if there is one in step, the others' are wrong.
func (l *findings) clock(list []skew) {
	list = slices.DeleteFunc(list, func(s skew) bool { return s == skew{} })
	if len(list) == 0 {
		return // no server was asked
	}
	list = slices.DeleteFunc(list, func(s skew) bool { return s.unknown })
	if len(list) == 0 {
		l.warn("clock", "not compared: no server of a feed gave its time", "compare it by hand: ends of indicators, TAXII's added_after and certificates go by it")
		return
	}
	s := slices.MinFunc(list, func(a, b skew) int { return int((a.ahead.Abs() - b.ahead.Abs()) / time.Second) })
	const cure = "set this machine's clock, and keep it with NTP: ends of indicators, TAXII's added_after and certificates go by it"
	way := "ahead of"
	if s.ahead < 0 {
		way = "behind"
	}
	text := fmt.Sprintf("%v %s %s, the nearest of %d servers' clocks", s.ahead.Abs().Round(time.Second), way, s.host, len(list))
	switch {
	case s.ahead.Abs() >= skewTooMuch:
		l.add("clock", errors.New(text), "", cure)
	case s.ahead.Abs() >= skewDoubtful:
		l.warn("clock", text, cure)
	default:
		l.add("clock", nil, "in step with "+s.host, "")
	}
}
