package intel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/distribute"
)

// Snapshots is how workers get snapshots. They hold every indicator, those that must
// not leave their tenant among them, so over the network they are given only to
// who has a certificate of ours.
type Snapshots struct {
	// Dir is the folder they are published in; workers on machines that share it
	// read them there. Default: snapshots in data_dir.
	Dir string `yaml:"dir"`
	// Listen is the address that serves them to workers on other machines, with
	// mutual TLS. Default: none.
	Listen string `yaml:"listen"`
	// URL is where Listen is reached, such as https://intel.example:9465; snapshots are
	// below /snapshots there. Workers ask nowhere else. Default: none.
	URL string `yaml:"url"`
	// CertFile and KeyFile are this process's certificate (PEM), as server or client.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// CAFile is what the other side's certificate must lead to (PEM).
	CAFile string `yaml:"ca_file"`
}

func (c Snapshots) validate() error {
	if c.Listen == "" && c.URL == "" {
		return nil
	}
	if c.CertFile == "" || c.KeyFile == "" || c.CAFile == "" {
		return errors.New("listen and url need cert_file, key_file and ca_file")
	}
	if c.Listen != "" && c.URL == "" {
		return errors.New("listen needs url: where workers reach it")
	}
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("url: %q is not https://host:port", c.URL)
	}
	return nil
}

// base gives the URL that snapshots lie directly below; empty: none.
func (c Snapshots) base() string {
	if c.URL == "" {
		return ""
	}
	return strings.TrimRight(c.URL, "/") + "/snapshots"
}

// folder gives the place where snapshots are published.
func (c Snapshots) folder(dataDir string) distribute.Folder {
	dir := c.Dir
	if dir == "" {
		dir = filepath.Join(dataDir, "snapshots")
	}
	return distribute.Folder{Dir: dir, URL: c.base()}
}

// source gives what a worker reads snapshots from.
func (c Snapshots) source(dataDir string) (distribute.Source, error) {
	list := distribute.Sources{c.folder(dataDir)}
	if c.URL == "" {
		return list, nil
	}
	t, err := c.tls()
	if err != nil {
		return nil, err
	}
	dial := &net.Dialer{Timeout: 15 * time.Second}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: t, DialContext: dial.DialContext, TLSHandshakeTimeout: 15 * time.Second,
		ResponseHeaderTimeout: time.Minute, DisableKeepAlives: true}} // one comes every few hours
	return append(list, distribute.HTTP{Bases: []string{c.base()}, Client: client}), nil
}

// tls demands of the other side what this one shows.
func (c Snapshots) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("intel.snapshots: %w", err)
	}
	text, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("intel.snapshots: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("intel.snapshots: %s holds no certificate", c.CAFile)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert}, nil
}

// serve serves the folder until ctx ends.
func (c Snapshots) serve(ctx context.Context, dir string, log *slog.Logger) error {
	t, err := c.tls()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("intel.snapshots: %w", err)
	}
	srv := &http.Server{Handler: distribute.Handler(dir), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)} // whoever fails to shake hands fills no log
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(late) // a worker resumes where it was cut off
		_ = srv.Close()
	})
	err = srv.Serve(tls.NewListener(l, t))
	if !stop() {
		<-closed
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("intel.snapshots: serving: %w", err)
	}
	return nil
}
