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
	// MaxWaiting bounds the bytes of one feed's accepted requests on disk that the
	// library does not have yet; those that are more are told to come again. Default:
	// 256 MiB.
	MaxWaiting int64 `yaml:"max_waiting"`
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
	return Config{MaxBytes: 4 << 20, MaxRequests: 32, ReadTimeout: 30 * time.Second, MaxWaiting: 256 << 20}
}

// mostRequests bounds Config.MaxRequests: each of them takes a body of MaxBytes in memory.
const mostRequests = 4096

// restricted is the source that the contract keeps for the service itself.
const restricted = "Microsoft Sentinel"

// Validate reports every setting that cannot work or that would let anybody send.
func (c *Config) Validate() error {
	if c.Listen == "" {
		return nil
	}
	var bad []error
	check := func(ok bool, text string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("upload: "+text, args...))
		}
	}
	_, _, err := net.SplitHostPort(c.Listen)
	check(err == nil, "listen: %v: want host:port, such as 127.0.0.1:9466", err)
	local := loopback(c.Listen)
	check((c.CertFile == "") == (c.KeyFile == ""), "cert_file and key_file: give both or none")
	check(c.CertFile != "" || local || c.Plain || err != nil,
		"listen: %s is not a loopback address: tokens would go over the network in the clear; give cert_file and key_file, or plain: true behind a proxy that ends TLS", c.Listen)
	check(len(c.Clients) > 0, "clients: there are none: nobody could send")
	check(c.MaxBytes >= 1<<10 && c.MaxBytes <= 1<<30, "max_bytes: %d: want 1 KiB to 1 GiB", c.MaxBytes)
	check(c.MaxRequests >= 1 && c.MaxRequests <= mostRequests, "max_requests: %d: want 1 to %d", c.MaxRequests, mostRequests)
	check(c.ReadTimeout > 0, "read_timeout: must be positive, not %v", c.ReadTimeout)
	check(c.MaxWaiting/4 >= c.MaxBytes, "max_waiting: %d: want at least four times max_bytes, %d", c.MaxWaiting, c.MaxBytes)
	anonymous := 0
	type source struct{ name, tenant string }
	owner := map[string]source{} // by feed
	for i, cl := range c.Clients {
		check := func(ok bool, text string, args ...any) {
			check(ok, "clients[%d]: "+text, append([]any{i}, args...)...)
		}
		if cl.TokenFile == "" {
			anonymous++
			check(c.Anonymous, "token_file: there is none: anybody could send; give one, or anonymous: true on a loopback address")
			check(!c.Anonymous || local, "token_file: there is none, and %s is not a loopback address: anybody could send", c.Listen)
			check(anonymous == 1, "token_file: a second client without one")
		}
		check(len(cl.Sources) > 0, "sources: no sources: name the values of sourcesystem that the client may use")
		for _, s := range cl.Sources {
			name, err := FeedName(s)
			if err != nil {
				check(false, "sources: %q: %v", s, err)
				continue
			}
			this, before := source{s, cl.Tenant}, owner[name]
			check(before == source{} || before == this, "sources: %q of tenant %q and source %q of tenant %q would be the same feed, %s", s, cl.Tenant, before.name, before.tenant, name)
			owner[name] = this
		}
	}
	return errors.Join(bad...)
}

// ValidateFeeds reports feeds of the configuration that have the name of a source's
// feed and cannot be it.
func (c *Config) ValidateFeeds(configured []fact.Feed) error {
	if c.Listen == "" {
		return nil
	}
	var bad []error
	for i, cl := range c.Clients {
		for _, s := range cl.Sources {
			name, err := FeedName(s)
			if err != nil {
				continue // Validate tells
			}
			if _, err := feed(name, cl.Tenant, configured); err != nil {
				bad = append(bad, fmt.Errorf("upload: clients[%d]: sources: %q: %w", i, s, err))
			}
		}
	}
	return errors.Join(bad...)
}

// ValidateTokens reads the tokens' files, and reports those with which nothing would
// start.
func (c *Config) ValidateTokens() error {
	var bad []error
	owner := map[string]int{}
	for i, cl := range c.Clients {
		if cl.TokenFile == "" {
			continue
		}
		token, err := readToken(cl.TokenFile)
		if err != nil {
			bad = append(bad, fmt.Errorf("upload: clients[%d]: token_file: %w", i, err))
			continue
		}
		if other, ok := owner[string(token)]; ok {
			bad = append(bad, fmt.Errorf("upload: clients[%d]: token_file: %s holds the token of clients[%d] too: whose request is it", i, cl.TokenFile, other))
		}
		owner[string(token)] = i
	}
	return errors.Join(bad...)
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
			return f, fmt.Errorf("feed %s has transport %q, want upload", name, f.Transport)
		case f.Tenant != tenant:
			return f, fmt.Errorf("feed %s is of tenant %q, its client of tenant %q", name, f.Tenant, tenant)
		}
	}
	f.Name, f.Transport, f.Format = name, fact.TransportUpload, fact.FormatSTIX
	return f, f.Validate()
}
