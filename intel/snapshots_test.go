package intel

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.sign(&x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign}, nil, nil, "ca")
	return a
}

// sign writes NAME.crt and NAME.key.
func (a *authority) sign(c, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if parent == nil {
		parent, parentKey = c, key
	}
	c.NotBefore = time.Now().Add(-time.Hour)
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for ext, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+ext), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// config gives the settings of a process that has a certificate for a use.
func (a *authority) config(name string, use x509.ExtKeyUsage, until time.Time) Snapshots {
	a.t.Helper()
	a.sign(&x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 4)},
		NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{use}}, a.cert, a.key, name)
	return Snapshots{CertFile: filepath.Join(a.dir, name+".crt"), KeyFile: filepath.Join(a.dir, name+".key"), CAFile: filepath.Join(a.dir, "ca.crt")}
}

// freeAddr gives an address of this machine that nobody listens on, on a loopback
// address that nobody else uses: what is free there stays free.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.4:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestSnapshotsTLS serves a snapshot from one process to another with certificates of
// one authority, and to nobody else.
func TestSnapshotsTLS(t *testing.T) {
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	server := ours.config("server", x509.ExtKeyUsageServerAuth, time.Time{})
	server.Dir, server.Listen = t.TempDir(), freeAddr(t)
	server.URL = "https://" + server.Listen
	if err := server.validate(); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("indicators", 100_000)
	sum := sha256.Sum256([]byte(body))
	name := hex.EncodeToString(sum[:]) + ".snapshot"
	if err := os.WriteFile(filepath.Join(server.Dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.serve(ctx, server.Dir, slog.New(slog.DiscardHandler)) }()
	for { // until it listens
		c, err := net.Dial("tcp", server.Listen)
		if err == nil {
			_ = c.Close()
			break
		}
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	get := func(c Snapshots, from int64) (string, error) {
		c.URL, c.Dir = server.URL, t.TempDir()
		src, err := c.source(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		in, err := src.Open(t.Context(), server.URL+"/snapshots/"+name, from)
		if err != nil {
			return "", err
		}
		defer in.Close()
		got, err := io.ReadAll(in)
		return string(got), err
	}
	client := ours.config("client", x509.ExtKeyUsageClientAuth, time.Time{})
	for _, from := range []int64{0, 77} {
		if got, err := get(client, from); err != nil || got != body[from:] {
			t.Errorf("from %d: %d bytes, %v", from, len(got), err)
		}
	}
	foreign := others.config("client", x509.ExtKeyUsageClientAuth, time.Time{})
	foreign.CAFile = client.CAFile // it trusts the server, but not the other way round
	misled := client
	misled.CAFile = filepath.Join(others.dir, "ca.crt")
	for what, c := range map[string]Snapshots{
		"another authority's certificate": foreign,
		"a certificate that has expired":  ours.config("late", x509.ExtKeyUsageClientAuth, time.Now().Add(-time.Minute)),
		"a certificate of a server":       server,
		"a client that trusts others":     misled,
	} {
		if got, err := get(c, 0); err == nil {
			t.Errorf("%s: got %d bytes", what, len(got))
		}
	}
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	bare := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer bare.CloseIdleConnections()
	if resp, err := (&http.Client{Transport: bare}).Get(server.URL + "/snapshots/" + name); err == nil {
		t.Errorf("without a certificate: %s", resp.Status)
		_ = resp.Body.Close()
	}
	if resp, err := http.Get("http://" + server.Listen + "/snapshots/" + name); err == nil {
		if resp.StatusCode == http.StatusOK {
			t.Error("without TLS: it answers")
		}
		_ = resp.Body.Close()
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("serving did not end")
	}
}

// TestSnapshotsConfig: settings that cannot work are told before anything runs.
func TestSnapshotsConfig(t *testing.T) {
	ours := newAuthority(t, "ours")
	whole := ours.config("server", x509.ExtKeyUsageServerAuth, time.Time{})
	whole.Listen, whole.URL = "127.0.0.1:0", "https://127.0.0.1:1"
	for what, change := range map[string]func(*Snapshots){
		"no certificate":          func(c *Snapshots) { c.CertFile = "" },
		"no key":                  func(c *Snapshots) { c.KeyFile = "" },
		"no authority":            func(c *Snapshots) { c.CAFile = "" },
		"no URL":                  func(c *Snapshots) { c.URL = "" },
		"a URL without TLS":       func(c *Snapshots) { c.URL = "http://127.0.0.1:1" },
		"a URL that is none":      func(c *Snapshots) { c.URL = "127.0.0.1:1" },
		"an address without port": func(c *Snapshots) { c.Listen = "127.0.0.1" },
	} {
		c := whole
		change(&c)
		if c.validate() == nil {
			t.Errorf("%s: it is valid", what)
		}
	}
	if err := whole.validate(); err != nil {
		t.Error(err)
	}
	for what, change := range map[string]func(*Snapshots){
		"a key of another":      func(c *Snapshots) { c.KeyFile = filepath.Join(ours.dir, "ca.key") },
		"a file that is none":   func(c *Snapshots) { c.CAFile = c.KeyFile },
		"a file that is absent": func(c *Snapshots) { c.CAFile = filepath.Join(ours.dir, "none") },
	} {
		c := whole
		change(&c)
		if _, err := c.tls(); err == nil {
			t.Errorf("%s: it is taken", what)
		}
	}
}
