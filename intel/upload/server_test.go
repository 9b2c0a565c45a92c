package upload

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// serve runs a server until the returned function is called, which gives its error.
func serve(t *testing.T, h *Handler) (string, func() error) {
	t.Helper()
	l, err := h.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()
	return l.Addr().String(), func() error {
		stop()
		return <-done
	}
}

func TestServe(t *testing.T) {
	h := newHandler(t, testConfig(t), &fakeChecker{})
	addr, stop := serve(t, h)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+uploadPath, strings.NewReader(body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']"))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+acmeToken)
	r.Header.Set("Content-Type", "application/json")
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(kept(t, h.journal)["upload-acme-ti"]); res.StatusCode != http.StatusOK || len(text) != 0 || n != 1 {
		t.Errorf("status %d, body %q, %d kept", res.StatusCode, text, n)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestSlowBody wants a sender who stops in the middle to be cut off.
func TestSlowBody(t *testing.T) {
	c := testConfig(t)
	c.ReadTimeout = 200 * time.Millisecond
	h := newHandler(t, c, &fakeChecker{})
	addr, stop := serve(t, h)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", uploadPath, addr, acmeToken)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", res.StatusCode)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestStopKeeps wants a request that is under way when the server stops to be written
// down and answered.
func TestStopKeeps(t *testing.T) {
	checker := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	h := newHandler(t, testConfig(t), checker)
	addr, stop := serve(t, h)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text := body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']"))
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", uploadPath, addr, acmeToken, len(text), text)
	<-checker.entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for { // until the server takes no more
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		_ = c.Close()
	}
	close(checker.open)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", res.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if n := len(kept(t, h.journal)["upload-acme-ti"]); n != 1 {
		t.Errorf("%d kept, want 1", n)
	}
}
