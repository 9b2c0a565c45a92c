package upload

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// Config of the upload API.
type Config struct {
	// Listen is the address to listen on, host:port. Default: empty, off.
	Listen string `yaml:"listen"`
	// CertFile and KeyFile: the server's certificate (PEM). Default: none, plain HTTP.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// Plain allows plain HTTP on an address that others can reach, for a proxy in
	// front that ends TLS. Default: false.
	Plain bool `yaml:"plain"`
	// Anonymous allows a client without a token, where Listen is a loopback
	// address. Default: false.
	Anonymous bool `yaml:"anonymous"`
	// Clients are who may send.
	Clients []Client `yaml:"clients"`

	// MaxBytes of one request's body. Default: 4 MiB.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxRequests handled at one time; more are told to come again. Default: 32.
	MaxRequests int `yaml:"max_requests"`
	// ReadTimeout for one request, header and body. Default: 30s.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// Window is how long a request may wait for others that are committed with
	// it. Default: 50ms.
	Window time.Duration `yaml:"window"`
}

// Client is one who may send.
type Client struct {
	// TokenFile holds the bearer token, at least 20 characters. Without one the
	// client is whoever sends no token: see Config.Anonymous.
	TokenFile string `yaml:"token_file"`
	// Tenant whose alerts the client's indicators may match; empty: everybody's.
	Tenant string `yaml:"tenant"`
	// Sources are the values of sourcesystem the client may use. Each is a feed,
	// named "upload-" and the source's letters and digits in lower case.
	Sources []string `yaml:"sources"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	return Config{MaxBytes: 4 << 20, MaxRequests: 32, ReadTimeout: 30 * time.Second, Window: 50 * time.Millisecond}
}

// restricted is the source that the contract keeps for the service itself.
const restricted = "Microsoft Sentinel"

// Validate reports settings that cannot work or that would let anybody send.
func (c *Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("upload: listen: %w", err)
	}
	local := loopback(c.Listen)
	switch {
	case (c.CertFile == "") != (c.KeyFile == ""):
		return errors.New("upload: cert_file and key_file: give both or none")
	case c.CertFile == "" && !local && !c.Plain:
		return fmt.Errorf("upload: %s is not a loopback address: tokens would go over the network in the clear; give cert_file and key_file, or plain: true behind a proxy that ends TLS", c.Listen)
	case len(c.Clients) == 0:
		return errors.New("upload: no clients: nobody could send")
	case c.MaxBytes < 1<<10 || c.MaxRequests < 1 || c.ReadTimeout <= 0 || c.Window < 0:
		return errors.New("upload: max_bytes must be at least 1024, max_requests and read_timeout positive, window not negative")
	}
	anonymous := 0
	owner := map[string]string{}  // feed -> source
	tenant := map[string]string{} // feed -> tenant
	for i, cl := range c.Clients {
		fail := func(text string, args ...any) error {
			return fmt.Errorf("upload: client %d: "+text, append([]any{i + 1}, args...)...)
		}
		if cl.TokenFile == "" {
			switch anonymous++; {
			case !c.Anonymous:
				return fail("no token_file: anybody could send; give one, or anonymous: true on a loopback address")
			case !local:
				return fail("no token_file, and %s is not a loopback address: anybody could send", c.Listen)
			case anonymous > 1:
				return fail("a second client without token_file")
			}
		}
		if len(cl.Sources) == 0 {
			return fail("no sources")
		}
		for _, s := range cl.Sources {
			feed, err := FeedName(s)
			if err != nil {
				return fail("source %q: %w", s, err)
			}
			if before, ok := owner[feed]; ok && (before != s || tenant[feed] != cl.Tenant) {
				return fail("source %q of tenant %q and source %q of tenant %q would be the same feed, %s", s, cl.Tenant, before, tenant[feed], feed)
			}
			owner[feed], tenant[feed] = s, cl.Tenant
		}
	}
	return nil
}

// loopback reports an address that only this machine can reach.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && localHost(host)
}

func localHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// FeedName gives the name of the feed that a source fills.
func FeedName(source string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(source), restricted) {
		return "", fmt.Errorf("%q is restricted", restricted)
	}
	slug := strings.Join(strings.FieldsFunc(strings.ToLower(source), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }), "-")
	if slug == "" || len(slug) > 90 {
		return "", errors.New("want a name with ASCII letters or digits, at most 90")
	}
	return "upload-" + slug, nil
}

// feed gives the settings of a source's feed: those configured under its name, or
// the defaults.
func feed(name, tenant string, configured []fact.Feed) (fact.Feed, error) {
	f := fact.DefaultFeed()
	f.Tenant = tenant
	if i := slices.IndexFunc(configured, func(f fact.Feed) bool { return f.Name == name }); i >= 0 {
		f = configured[i]
		switch {
		case f.Transport != fact.TransportUpload:
			return f, fmt.Errorf("upload: feed %s has transport %q, want upload", name, f.Transport)
		case f.Tenant != tenant:
			return f, fmt.Errorf("upload: feed %s is of tenant %q, its client of tenant %q", name, f.Tenant, tenant)
		}
	}
	f.Name, f.Transport, f.Format = name, fact.TransportUpload, fact.FormatSTIX
	return f, f.Validate()
}
