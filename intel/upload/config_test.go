package upload

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

func TestConfig(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(*Config)
		want   string // part of the error; empty: none
	}{
		{"as it is", func(*Config) {}, ""},
		{"off", func(c *Config) { *c = Config{} }, ""},
		{"no port", func(c *Config) { c.Listen = "127.0.0.1" }, "missing port"},
		{"plain on the network", func(c *Config) { c.Listen = ":9000" }, "in the clear"},
		{"plain behind a proxy", func(c *Config) { c.Listen, c.Plain = ":9000", true }, ""},
		{"TLS on the network", func(c *Config) { c.Listen, c.CertFile, c.KeyFile = "192.0.2.1:9000", "c", "k" }, ""},
		{"half a certificate", func(c *Config) { c.CertFile = "c" }, "give both"},
		{"no clients", func(c *Config) { c.Clients = nil }, "nobody could send"},
		{"no token", func(c *Config) { c.Clients[0].TokenFile = "" }, "anybody could send"},
		{"no token, allowed", func(c *Config) { c.Clients[0].TokenFile, c.Anonymous = "", true }, ""},
		{"no token, allowed, localhost", func(c *Config) { c.Clients[0].TokenFile, c.Anonymous, c.Listen = "", true, "localhost:1" }, ""},
		{"no token, allowed, IPv6", func(c *Config) { c.Clients[0].TokenFile, c.Anonymous, c.Listen = "", true, "[::1]:1" }, ""},
		{"no token on the network", func(c *Config) { c.Clients[0].TokenFile, c.Anonymous, c.Listen, c.Plain = "", true, ":9000", true }, "not a loopback"},
		{"no token on all addresses", func(c *Config) {
			c.Clients[0].TokenFile, c.Anonymous, c.Listen, c.Plain = "", true, "0.0.0.0:9000", true
		}, "not a loopback"},
		{"two without token", func(c *Config) { c.Clients[0].TokenFile, c.Clients[1].TokenFile, c.Anonymous = "", "", true }, "second client"},
		{"no sources", func(c *Config) { c.Clients[0].Sources = nil }, "no sources"},
		{"restricted source", func(c *Config) { c.Clients[0].Sources = []string{"microsoft sentinel"} }, "restricted"},
		{"source without letters", func(c *Config) { c.Clients[0].Sources = []string{"--"} }, "letters or digits"},
		{"long source", func(c *Config) { c.Clients[0].Sources = []string{strings.Repeat("a", 91)} }, "at most 90"},
		{"sources of one feed", func(c *Config) { c.Clients[0].Sources = []string{"Acme TI", "acme-ti"} }, "same feed"},
		{"source of two tenants", func(c *Config) { c.Clients[1].Sources = []string{"Acme TI"} }, "same feed"},
		{"source of two clients of a tenant", func(c *Config) { c.Clients[1].Sources, c.Clients[1].Tenant = []string{"Acme TI"}, "acme" }, ""},
		{"no bytes", func(c *Config) { c.MaxBytes = 0 }, "max_bytes"},
		{"no requests", func(c *Config) { c.MaxRequests = 0 }, "max_requests"},
		{"requests that nobody could hold", func(c *Config) { c.MaxRequests = 2_000_000_000 }, "max_requests"},
		{"no room to wait", func(c *Config) { c.MaxWaiting = 4*c.MaxBytes - 1 }, "max_waiting"},
		{"requests of gigabytes", func(c *Config) { c.MaxBytes, c.MaxWaiting = 2<<30, 8<<30 }, "1 GiB"},
	} {
		c := testConfig(t)
		x.change(&c)
		err := c.Validate()
		switch {
		case x.want == "" && err != nil:
			t.Errorf("%s: %v", x.name, err)
		case x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)):
			t.Errorf("%s: error %v, want one with %q", x.name, err, x.want)
		}
	}
}

// TestNewRefuses wants no handler where Validate or the files speak against it.
func TestNewRefuses(t *testing.T) {
	write := func(text string) string {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	taken := fact.DefaultFeed()
	taken.Name, taken.Transport = "upload-acme-ti", fact.TransportUpload
	for _, x := range []struct {
		name   string
		change func(*Config)
		feeds  []fact.Feed
		want   string
	}{
		{"off", func(c *Config) { c.Listen = "" }, nil, "listen is not set"},
		{"nobody to ask for a token", func(c *Config) { c.Clients[0].TokenFile = "" }, nil, "anybody could send"},
		{"no file", func(c *Config) { c.Clients[0].TokenFile = "testdata/none" }, nil, "no such file"},
		{"empty file", func(c *Config) { c.Clients[0].TokenFile = write("\n") }, nil, "0 characters"},
		{"short token", func(c *Config) { c.Clients[0].TokenFile = write("1234567890123456789") }, nil, "19 characters"},
		{"two tokens", func(c *Config) { c.Clients[0].TokenFile = write("12345678901234567890\n12345678901234567890") }, nil, "more than one"},
		{"one token for two", func(c *Config) { c.Clients[1].TokenFile = c.Clients[0].TokenFile }, nil, "another client's too"},
		{"feed of another tenant", func(*Config) {}, []fact.Feed{taken}, "of tenant"},
		{"feed of another transport", func(*Config) {}, []fact.Feed{{Name: "upload-acme-ti", Transport: fact.TransportHTTP}}, "want upload"},
	} {
		c := testConfig(t)
		x.change(&c)
		if _, err := New(c, x.feeds, &fakeChecker{}, openJournal(t, t.TempDir(), 1<<20), time.Now, quiet()); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: error %v, want one with %q", x.name, err, x.want)
		}
	}
}

// TestFeedSettings wants the configured settings of an upload feed to be used.
func TestFeedSettings(t *testing.T) {
	set := fact.DefaultFeed()
	set.Name, set.Transport, set.Tenant, set.Confidence, set.Rank = "upload-acme-ti", fact.TransportUpload, "acme", 33, 200
	journal := openJournal(t, t.TempDir(), 1<<20)
	h, err := New(testConfig(t), []fact.Feed{set}, &fakeChecker{}, journal, time.Now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer run(t, h)()
	post(h, body("Acme TI", indicator(1, "[domain-name:value = 'bad.example']")))
	post(h, body("Acme Labs", indicator(1, "[domain-name:value = 'bad.example']")))
	all := kept(t, journal)
	if len(all["upload-acme-ti"]) != 1 || len(all["upload-acme-labs"]) != 1 {
		t.Fatalf("kept %v, want one of each", all)
	}
	if f := all["upload-acme-ti"][0].Feed; !reflect.DeepEqual(&f, h.clients[0].feeds["Acme TI"]) || f.Confidence != 33 || f.Rank != 200 || f.Format != fact.FormatSTIX {
		t.Errorf("feed %+v, want the configured one", f)
	}
	if f := all["upload-acme-labs"][0].Feed; f.Name != "upload-acme-labs" || f.Tenant != "acme" || f.Confidence != fact.DefaultFeed().Confidence {
		t.Errorf("feed %+v, want the defaults of tenant acme", f)
	}
}
