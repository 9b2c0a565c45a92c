package fetch

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// fixedDialer dials one place whatever it is asked for.
type fixedDialer struct{ addr string }

func (d *fixedDialer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, d.addr)
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// identity makes a client certificate and its key, in PEM form.
func identity(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf(der), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

// TestClientCertificate wants the certificate shown to the feed's server and, after
// a redirect, to no other that asks for one.
func TestClientCertificate(t *testing.T) {
	shown := func(r *http.Request) string {
		if len(r.TLS.PeerCertificates) == 0 {
			return ""
		}
		return r.TLS.PeerCertificates[0].Subject.CommonName
	}
	start := func(h http.HandlerFunc) *httptest.Server {
		s := httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s
	}
	other := start(func(w http.ResponseWriter, r *http.Request) {
		if name := shown(r); name != "" {
			t.Errorf("another host is shown the certificate of %s", name)
		}
		io.WriteString(w, "other.example\n")
	})
	s := start(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		io.WriteString(w, shown(r))
	})
	dir := t.TempDir()
	f := feed(fact.TransportHTTP, s.URL+"/list")
	cert, key := identity(t, "acme-1")
	f.Auth = fact.Auth{CertFile: write(t, dir, "cert", cert), KeyFile: write(t, dir, "key", key),
		CAFile: write(t, dir, "ca", pemOf(s.Certificate().Raw)+pemOf(other.Certificate().Raw))}
	c := client(t, Config{})
	if _, g := mustPull(t, c, f, nil); g.text() != "acme-1" {
		t.Errorf("the server saw %q", g.text())
	}
	cert, key = identity(t, "acme-2") // rotated: counts at the next pull
	write(t, dir, "cert", cert)
	failPull(t, c, f, nil, "cert_file and key_file")
	write(t, dir, "key", key)
	if _, g := mustPull(t, c, f, nil); g.text() != "acme-2" {
		t.Errorf("after the rotation the server saw %q", g.text())
	}
	f.URL = s.URL + "/away"
	if _, g := mustPull(t, c, f, nil); g.text() != "other.example\n" {
		t.Errorf("got %q", g.text())
	}
}

func TestTokenRotation(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Authorization")) })
	dir := t.TempDir()
	f := feed(fact.TransportHTTP, s.URL)
	f.Auth.TokenFile = write(t, dir, "token", "one\n")
	c := client(t, Config{})
	for _, token := range []string{"one", "two"} {
		write(t, dir, "token", " "+token+"\r\n")
		if _, g := mustPull(t, c, f, nil); g.text() != "Bearer "+token {
			t.Errorf("sent %q, want the token %s", g.text(), token)
		}
	}
}

func TestBadAuth(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, dir, "secret", "s3cret")
	lines := write(t, dir, "lines", "s3cret\nX-Other: 1")
	empty := write(t, dir, "empty", "\n")
	big := write(t, dir, "big", strings.Repeat("s3cret", largestSecret))
	for want, a := range map[string]fact.Auth{
		"user and password_file":      {User: "acme"},
		"header and header_file":      {HeaderFile: secret},
		"cert_file and key_file":      {CertFile: secret},
		"more than one line":          {TokenFile: lines},
		"is empty":                    {TokenFile: empty},
		"more than 65536 bytes":       {TokenFile: big},
		"not a regular file":          {TokenFile: dir},
		"no such file":                {TokenFile: dir + "/none"},
		"set twice":                   {TokenFile: secret, Header: "authorization", HeaderFile: secret},
		"not a header that":           {Header: "Host", HeaderFile: secret},
		`"X Y" is not a header`:       {Header: "X Y", HeaderFile: secret},
		"no certificate":              {CAFile: secret},
		"colon":                       {User: "a:b", PasswordFile: secret},
		"cert_file and key_file: tls": {CertFile: secret, KeyFile: secret},
	} {
		f := feed(fact.TransportHTTP, "https://bad.example/")
		f.Auth = a
		_, err := failPull(t, client(t, Config{}), f, nil, want)
		if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
	f := feed(fact.TransportHTTP, "http://bad.example/")
	f.AllowPrivate, f.Auth.TokenFile = false, secret
	failPull(t, client(t, Config{}), f, nil, "auth over plain http")
}
