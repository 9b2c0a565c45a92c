package respond

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

const secret = "a secret of enough bytes"

func webhookConfig(t testing.TB, url string) Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig()
	cfg.Executor = ExecutorWebhook
	cfg.TrustedKeys = [][]byte{newSigner(1).pem}
	cfg.Backoff = 0
	cfg.Webhook = WebhookConfig{URL: url, SecretFile: file, Timeout: cfg.BatchTimeout, AllowHTTP: true, AllowPrivate: true}
	return cfg
}

func respond(t *testing.T, cfg Config) schema.ActionResult {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return process(t, r, now, newSigner(1).sign(action(schema.VerbApply, 7, "ws-1")))[0]
}

func TestWebhookRequest(t *testing.T) {
	var calls atomic.Int32
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		if got := r.Header.Get(HeaderSignature); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("signature %q", got)
		}
		var a schema.Action
		if err := json.Unmarshal(body, &a); err != nil || a.Target.Key != "ws-1" || a.Kind != schema.ActionContainHost || a.Version != 7 || len(a.Signature) == 0 {
			t.Errorf("body %s: %v", body, err)
		}
		if want := a.Lease.String() + "-apply-7"; r.Header.Get(HeaderIdempotency) != want || r.Method != http.MethodPost {
			t.Errorf("%s with key %q", r.Method, r.Header.Get(HeaderIdempotency))
		}
		io.WriteString(w, `{"detail":"contained\u0007","prior":"free"}`)
	}))
	defer s.Close()
	cfg := webhookConfig(t, s.URL)
	if res := respond(t, cfg); res.Status != StatusFailed {
		t.Errorf("an unknown certificate is trusted: %+v", res)
	}
	cfg.Webhook.CAFile = filepath.Join(t.TempDir(), "ca.pem")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(cfg.Webhook.CAFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if res := respond(t, cfg); res.Status != StatusDone || res.Detail != "contained " || res.Prior != "free" || res.Executor != "webhook" {
		t.Errorf("result %+v", res)
	}
	if calls.Load() != 1 {
		t.Errorf("%d calls", calls.Load())
	}
}

func TestWebhookAnswers(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer other.Close()
	for _, c := range []struct {
		name   string
		code   int
		status string
		calls  int32
	}{
		{"done", 204, StatusDone, 1}, {"moved", 307, StatusFailed, 1}, {"denied", 403, StatusFailed, 1},
		{"throttled", 429, StatusFailed, 4}, {"broken", 503, StatusFailed, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			var calls atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.Header().Set("Location", other.URL)
				w.WriteHeader(c.code)
			}))
			defer s.Close()
			if res := respond(t, webhookConfig(t, s.URL)); res.Status != c.status || calls.Load() != c.calls {
				t.Errorf("result %+v after %d calls", res, calls.Load())
			}
		})
	}
}

func TestWebhookTimeout(t *testing.T) {
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer s.Close()
	defer close(done)
	cfg := webhookConfig(t, s.URL)
	cfg.Webhook.Timeout, cfg.Attempts = 20*time.Millisecond, 2
	if res := respond(t, cfg); res.Status != StatusFailed {
		t.Errorf("result %+v", res)
	}
}

// A huge answer is not read to its end.
func TestWebhookAnswerIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"detail":"`+strings.Repeat("x", 4*maxAnswer)+`"}`)
	}))
	defer s.Close()
	if res := respond(t, webhookConfig(t, s.URL)); res.Status != StatusDone || len(res.Detail) > maxDetail {
		t.Errorf("result %+v", res)
	}
}

// The address is checked when it is connected to, whatever name led there.
func TestWebhookRefusesPrivateAddresses(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a private address was reached") }))
	defer s.Close()
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		cfg := webhookConfig(t, "http://"+host+port+"/")
		cfg.Webhook.AllowPrivate = false
		r, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.exec.Apply(context.Background(), action(schema.VerbApply, 1, "ws-1"))
		r.Close()
		if !errors.Is(err, errSpecialAddress) || !stages.IsPermanent(err) {
			t.Errorf("%s: error %v", host, err)
		}
	}
}

func TestSpecialAddresses(t *testing.T) {
	for _, s := range []string{
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.0", "0.1.2.3", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
		"240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2002:7f00:1::",
		"64:ff9b::7f00:1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
	} {
		if !special(netip.MustParseAddr(s)) {
			t.Errorf("%s passes", s)
		}
	}
	for _, s := range []string{"8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "172.32.0.1", "100.128.0.1"} {
		if special(netip.MustParseAddr(s)) {
			t.Errorf("%s is refused", s)
		}
	}
}

func TestShortSecretIsRefused(t *testing.T) {
	cfg := webhookConfig(t, "https://example.com/")
	if err := os.WriteFile(cfg.Webhook.SecretFile, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg); err == nil || strings.Contains(err.Error(), "short\n") {
		t.Errorf("error %v", err)
	}
}

// A proxy of the environment would connect in our place, past the check.
func TestWebhookIgnoresProxies(t *testing.T) {
	w, err := newWebhook(webhookConfig(t, "https://example.com/").Webhook)
	if err != nil {
		t.Fatal(err)
	}
	if w.client.Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is used")
	}
}
