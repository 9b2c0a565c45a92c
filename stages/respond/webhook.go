package respond

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

// Headers of a webhook request.
const (
	// HeaderSignature is "sha256=" and the hex HMAC-SHA256 of the body.
	HeaderSignature = "X-Interdict-Signature"

	// HeaderIdempotency is the same for every try of one command.
	HeaderIdempotency = "Idempotency-Key"
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// webhook posts a command as JSON. An answer of 2xx means it is done; its body
// may be JSON with detail and prior. 408, 425, 429 and 5xx are tried again.
type webhook struct {
	url    string
	secret []byte
	client *http.Client
}

func newWebhook(cfg WebhookConfig) (*webhook, error) {
	secret, err := os.ReadFile(cfg.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("respond: reading the webhook secret: %w", err)
	}
	if secret = bytes.TrimSpace(secret); len(secret) < 16 {
		return nil, errors.New("respond: the webhook secret is shorter than 16 bytes")
	}
	dialer := &net.Dialer{Timeout: cfg.Timeout, KeepAlive: 30 * time.Second}
	if !cfg.AllowPrivate {
		dialer.Control = refuseSpecial
	}
	transport := &http.Transport{
		// No proxy from the environment: it would connect in our place, past the
		// check of addresses.
		Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, MaxIdleConns: 4, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: cfg.Timeout, ResponseHeaderTimeout: cfg.Timeout,
	}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("respond: reading the webhook's roots: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("respond: %s holds no certificate", cfg.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &webhook{url: cfg.URL, secret: secret, client: &http.Client{
		Transport: transport, Timeout: cfg.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (w *webhook) Close() { w.client.CloseIdleConnections() }

func (w *webhook) Apply(ctx context.Context, a schema.Action) (res schema.ActionResult, err error) {
	body, err := json.Marshal(a)
	if err != nil {
		return res, stages.Permanent(fmt.Errorf("encoding the command: %w", err))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return res, stages.Permanent(errors.New("building the webhook request"))
	}
	mac := hmac.New(sha256.New, w.secret)
	mac.Write(body)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "interdict")
	req.Header.Set(HeaderSignature, "sha256="+hex.EncodeToString(mac.Sum(nil)))
	req.Header.Set(HeaderIdempotency, a.Lease.String()+"-"+a.Verb.String()+"-"+strconv.FormatUint(a.Version, 10))
	resp, err := w.client.Do(req)
	if err != nil {
		// The URL in the error may hold a token; the cause says enough.
		if u, ok := err.(*url.Error); ok {
			err = u.Err
		}
		err = fmt.Errorf("posting to the webhook: %w", err)
		if errors.Is(err, errSpecialAddress) {
			err = stages.Permanent(err)
		}
		return res, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch code := resp.StatusCode; {
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500:
		return res, fmt.Errorf("the webhook answered %d", code)
	case code < 200 || code > 299: // redirects, too: the signed command goes where it was meant to go, or nowhere
		return res, stages.Permanent(fmt.Errorf("the webhook answered %d", code))
	case err != nil:
		return res, fmt.Errorf("reading the webhook's answer: %w", err)
	}
	var said struct {
		Detail string `json:"detail"`
		Prior  string `json:"prior"`
	}
	if json.Unmarshal(answer, &said) != nil {
		said.Detail = "answered " + strconv.Itoa(resp.StatusCode) // any other body is none of our concern
	}
	return schema.ActionResult{Status: StatusDone, Detail: clip(said.Detail), Prior: clip(said.Prior)}, nil
}

var errSpecialAddress = errors.New("a private or special address, which allow_private would permit")

// refuseSpecial runs after name resolution, on the address that is about to be
// connected to: a name that resolves elsewhere the second time gains nothing.
func refuseSpecial(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errSpecialAddress, address)
	}
	if special(ap.Addr()) {
		return fmt.Errorf("%w: %s", errSpecialAddress, ap.Addr())
	}
	return nil
}

// special reports addresses that are no public unicast ones, or that carry an
// IPv4 address within, where a gateway would unwrap them.
func special(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return true
	}
	for _, p := range [...]string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:db8::/32", "2002::/16", "fec0::/10",
	} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}
