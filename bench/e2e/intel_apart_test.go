package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel"
)

// TestIntelApart runs the manager and a worker as on two machines, which share no
// folder: snapshots come over mutual TLS. A worker that cannot have them is not ready.
func TestIntelApart(t *testing.T) {
	t.Parallel()
	l := newIntelLab(t, 0, nil)
	// Nobody else uses this loopback address, so what is free on it stays free.
	ln, err := net.Listen("tcp", "127.0.0.3:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	cert, key := l.certificate()
	snapshots := func(more map[string]any) {
		for k, v := range map[string]any{"url": "https://" + addr, "cert_file": cert, "key_file": key, "ca_file": cert} {
			more[k] = v
		}
		l.set["intel"].(map[string]any)["snapshots"] = more
	}

	data := l.folder("manager")
	l.command(0, "intel", "import", "--data-dir", data, "--feed", "a", l.file("a.txt", "203.0.113.7\n"))
	snapshots(map[string]any{"listen": addr})
	manager := l.worker("manager", "", "intel", "correlate", "respond", "persist")
	content := l.follows(manager)

	l.set["intel"].(map[string]any)["snapshots"] = map[string]any{}
	l.folder("lost")
	lost := l.worker("lost", "", "detect")
	var said string
	eventually(t, "a worker without snapshots says so", func() bool {
		resp := lost.get("/readyz")
		if resp == nil {
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		said = fmt.Sprint(resp.StatusCode, " ", string(text))
		return resp.StatusCode == http.StatusServiceUnavailable && strings.Contains(said, "indicators: waiting")
	}, func() string { return said + "\n" + lost.tail(40) })
	lost.stop(t)

	l.folder("worker")
	snapshots(map[string]any{})
	worker := l.worker("worker", "", "detect")
	if got := l.follows(worker); got != content {
		t.Errorf("the worker has content %x, the manager %x", got, content)
	}
	eventually(t, "the worker is ready", func() bool {
		resp := worker.get("/readyz")
		if resp == nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, func() string { return worker.tail(40) })
	if m := l.awaitMatch(l.contact("10.1.0.1", "203.0.113.7", time.Hour), false); m.feed != "a" {
		t.Errorf("match %+v", m)
	}
	worker.stop(t)
	manager.stop(t)
}

// TestIntelTakeover starts a second manager with a data folder of its own: the first
// gives up managing and goes on matching, with what the second publishes. A third, in
// the folder of the second, stands by until that is killed.
func TestIntelTakeover(t *testing.T) {
	t.Parallel()
	l := newIntelLab(t, 3*time.Second, nil)
	l.set["intel"].(map[string]any)["snapshots"] = map[string]any{"dir": filepath.Join(l.dir, "shared")}
	data := l.folder("first")
	l.command(0, "intel", "import", "--data-dir", data, "--feed", "a", l.file("a.txt", "203.0.113.7\n"))
	first := l.worker("first", "")
	content := l.follows(first)

	data = l.folder("second")
	l.command(0, "intel", "import", "--data-dir", data, "--feed", "b", l.file("b.txt", "203.0.113.8\n203.0.113.9\n"))
	second := l.worker("second", "")
	content = l.other(first, content)
	state := func(p *process, want intel.ManagerState) {
		t.Helper()
		var st intelStatus
		eventually(t, p.name+" is "+string(want), func() bool {
			st = p.intel()
			return st.Manager.State == want
		}, func() string { return fmt.Sprintf("%+v\n%s", st, p.tail(40)) })
	}
	state(first, intel.StateStopped)
	state(second, intel.StateManaging)
	third := l.worker("third", "")
	state(third, intel.StateStandby)
	for _, p := range []*process{first, second, third} {
		if got := l.follows(p); got != content {
			t.Errorf("%s has content %x, want %x", p.name, got, content)
		}
	}
	second.kill()
	state(third, intel.StateManaging)
	l.command(0, "intel", "import", "--data-dir", data, "--feed", "c", l.file("c.txt", "203.0.113.10\n"))
	if a, b := l.other(first, content), l.other(third, content); a != b {
		t.Errorf("contents %x and %x", a, b)
	}
	for n := range 4 { // both partitions, whoever has them
		if m := l.awaitMatch(l.contact(fmt.Sprintf("10.1.0.%d", n+1), "203.0.113.10", time.Hour), false); m.feed != "c" {
			t.Errorf("match %+v", m)
		}
	}
	state(first, intel.StateStopped)
	l.follows(first)
	third.stop(t)
	first.stop(t)
	if n := first.logged("not managed here any more"); n != 1 { // when it has ended, all that it said is read
		t.Errorf("the first said %d times that it gave up", n)
	}
}

// certificate writes one that signs itself, for server and client.
func (l *intelLab) certificate() (cert, key string) {
	l.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		l.t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "interdict"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 3)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		l.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.file("tls.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		l.file("tls.key", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret})))
}
