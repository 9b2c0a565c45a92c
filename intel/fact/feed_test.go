package fact_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// TestFeedFromYAML: what a feed does not say has the default, and a key that it
// cannot have is an error.
func TestFeedFromYAML(t *testing.T) {
	var list []fact.Feed
	text := "- name: a\n  url: https://feeds.example/a.txt\n  tlp: amber+strict\n  tenant: acme\n  to_ids: false\n  every: 10m\n- name: b\n  file: /feeds/b\n"
	if err := yaml.UnmarshalWithOptions([]byte(text), &list, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		if err := list[i].Validate(); err != nil {
			t.Error(err)
		}
	}
	a, b := list[0], list[1]
	if a.TLP != schema.TLPAmberStrict || a.IDsOnly || a.Every != 10*time.Minute || a.Confidence != 75 || a.Rank != 50 || a.Transport != fact.TransportHTTP {
		t.Errorf("a: %+v", a)
	}
	if !b.IDsOnly || b.Every != time.Hour || b.Verdict != schema.VerdictMalicious || b.Transport != fact.TransportFile {
		t.Errorf("b: %+v", b)
	}
	if err := yaml.UnmarshalWithOptions([]byte("- name: a\n  urll: x\n"), &list, yaml.Strict(), yaml.DisallowUnknownField()); err == nil {
		t.Error("an unknown key was taken")
	}
}

// TestFeedValidate: each of these cannot work, and is told by its key.
func TestFeedValidate(t *testing.T) {
	secret := fact.Auth{TokenFile: "/t"}
	for name, x := range map[string]struct {
		change func(*fact.Feed)
		want   string // the error; empty: none
	}{
		"as it is":         {func(*fact.Feed) {}, ""},
		"name":             {func(f *fact.Feed) { f.Name = "../x" }, `feed "../x": name: want letters, digits, dot, dash and underscore, at most 100, such as partner-ips`},
		"nowhere":          {func(f *fact.Feed) { f.URL = "" }, "feed a: url, file: give one of them, or transport: upload"},
		"no url":           {func(f *fact.Feed) { f.URL, f.Transport = "", fact.TransportMISP }, "feed a: url: transport misp needs it"},
		"no file":          {func(f *fact.Feed) { f.Transport = fact.TransportFile }, "feed a: file: transport file needs it"},
		"open bracket":     {func(f *fact.Feed) { f.URL, f.File = "", "/x/[a" }, `feed a: file: "/x/[a" is no glob that can be read: a bracket is open, or a backslash is at its end`},
		"twice":            {func(f *fact.Feed) { f.File = "x" }, "feed a: url and file: give one of them"},
		"transport":        {func(f *fact.Feed) { f.Transport = "ftp" }, `feed a: transport: "ftp" is unknown: want file, http, taxii, misp or upload`},
		"collection":       {func(f *fact.Feed) { f.Transport = fact.TransportTAXII }, "feed a: collection: transport taxii needs it: the collection's id or title"},
		"scheme":           {func(f *fact.Feed) { f.URL = "htp://x" }, `feed a: url: begins with "htp": want https://host/path; what is on this machine goes under file`},
		"no scheme":        {func(f *fact.Feed) { f.URL = "feeds.example/x" }, `feed a: url: begins with "": want https://host/path; what is on this machine goes under file`},
		"no host":          {func(f *fact.Feed) { f.URL = "https:///x" }, "feed a: url: has no host: want https://host/path"},
		"no url at all":    {func(f *fact.Feed) { f.URL = "https://feeds.example/%zz?key=secret" }, "feed a: url: cannot be read: want https://host/path"},
		"password in url":  {func(f *fact.Feed) { f.URL = "https://acme:secret@feeds.example/" }, "feed a: url: a user or password in it is refused: put them in auth"},
		"secret in clear":  {func(f *fact.Feed) { f.URL, f.Auth = "http://feeds.example/", secret }, "feed a: auth.token_file: over plain http it could be read on the way: use https (or set allow_private for a network of your own)"},
		"clear at home":    {func(f *fact.Feed) { f.URL, f.Auth, f.AllowPrivate = "http://10.0.0.5/", secret, true }, ""},
		"clear, nothing":   {func(f *fact.Feed) { f.URL, f.Auth = "http://feeds.example/", fact.Auth{CAFile: "/ca"} }, ""},
		"user alone":       {func(f *fact.Feed) { f.Auth.User = "acme" }, "feed a: auth.user: needs password_file too"},
		"key alone":        {func(f *fact.Feed) { f.Auth.KeyFile = "/k" }, "feed a: auth.key_file: needs cert_file too"},
		"header alone":     {func(f *fact.Feed) { f.Auth.HeaderFile = "/h" }, "feed a: auth.header_file: needs header too"},
		"colon":            {func(f *fact.Feed) { f.Auth.User, f.Auth.PasswordFile = "a:b", "/p" }, "feed a: auth.user: must not have a colon"},
		"two of auth":      {func(f *fact.Feed) { f.Auth = fact.Auth{TokenFile: "/t", User: "acme", PasswordFile: "/p"} }, "feed a: auth: the header Authorization is set twice: give one of password_file, token_file and header_file"},
		"token and key":    {func(f *fact.Feed) { f.Auth = fact.Auth{TokenFile: "/t", Header: "X-API-Key", HeaderFile: "/h"} }, ""},
		"format":           {func(f *fact.Feed) { f.Format = "xml" }, `feed a: format: "xml" is unknown: want one of [auto list csv stix misp warninglist]`},
		"confidence":       {func(f *fact.Feed) { f.Confidence = 101 }, "feed a: confidence: 101: want 0 to 100"},
		"red for all":      {func(f *fact.Feed) { f.TLP = schema.TLPRed }, "feed a: tlp: red needs tenant: such indicators never leave theirs, and are refused without one"},
		"red for one":      {func(f *fact.Feed) { f.TLP, f.Tenant = schema.TLPRed, "acme" }, ""},
		"type":             {func(f *fact.Feed) { f.Types = []string{"ip", "name"} }, `feed a: types: "name" is unknown: want some of ip, cidr, domain, url, hash, email, socket, url_prefix, url_path, sender, certificate, ja3, ja3s, ja4, user_agent, mutex, registry, ssdeep`},
		"too often":        {func(f *fact.Feed) { f.Every = time.Millisecond }, "feed a: every: 1ms: want at least 1s; what changes seldom is better asked for every hour"},
		"negative silence": {func(f *fact.Feed) { f.Silence = -1 }, "feed a: silence: must not be negative"},
		"always silent":    {func(f *fact.Feed) { f.Silence = time.Minute }, "feed a: silence: 1m0s is less than every, 1h0m0s: the feed would count as silent between two pulls; want several times every"},
		"silent files":     {func(f *fact.Feed) { f.URL, f.File, f.Silence = "", "/x", time.Minute }, ""}, // they are watched
		"ended before":     {func(f *fact.Feed) { f.ValidFor = -1 }, "feed a: valid_for: must not be negative"},
		"analysts' rank":   {func(f *fact.Feed) { f.Rank = 255 }, "feed a: rank: 255 is that of analysts: want 0 to 254"},
		"header":           {func(f *fact.Feed) { f.CSV.Header = "true" }, `feed a: csv.header: "true": want auto, yes or no`},
		"comma":            {func(f *fact.Feed) { f.CSV.Comma = ", " }, `feed a: csv.comma: ", ": want one character, or tab`},
		"comma of a quote": {func(f *fact.Feed) { f.CSV.Comma = "\"" }, `feed a: csv.comma: "\"": want one character, or tab`},
		"only comments":    {func(f *fact.Feed) { f.CSV.Comma = "#" }, `feed a: csv.comment: is the same as comma, "#": every line would be one`},
		"column 0":         {func(f *fact.Feed) { f.CSV.Value = "0" }, "feed a: csv.value: 0: columns count from 1 (header: yes, where a header is called so)"},
		"column -1":        {func(f *fact.Feed) { f.CSV.Seen = "-1" }, "feed a: csv.seen: -1: columns count from 1 (header: yes, where a header is called so)"},
		"a header 0":       {func(f *fact.Feed) { f.CSV.Value, f.CSV.Header = "0", "yes" }, ""},
		"no header":        {func(f *fact.Feed) { f.CSV.Value, f.CSV.Header = "ioc", "no" }, `feed a: csv.value: "ioc" is no number, and header: no says that nothing names the columns: they count from 1`},
		"shrink":           {func(f *fact.Feed) { f.MaxShrink = 101 }, "feed a: max_shrink: 101: want 0 to 100"},
		"no bytes":         {func(f *fact.Feed) { f.MaxBytes = 0 }, "feed a: max_bytes: must be positive"},
		"two":              {func(f *fact.Feed) { f.MaxBytes, f.Rank = 0, 255 }, "feed a: rank: 255 is that of analysts: want 0 to 254\nfeed a: max_bytes: must be positive"},
	} {
		f := fact.DefaultFeed()
		f.Name, f.URL = "a", "https://feeds.example/"
		x.change(&f)
		got := ""
		if err := f.Validate(); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}

// TestFeedDoubts: each of these works, and is hardly meant.
func TestFeedDoubts(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*fact.Feed)
		want   string
	}{
		"as it is":      {func(*fact.Feed) {}, ""},
		"secret unused": {func(f *fact.Feed) { f.URL, f.File, f.Auth.HeaderFile, f.Auth.Header = "", "/x", "/h", "X-Key" }, "feed a: auth.header_file: is not used: transport file asks no server"},
		"short lives":   {func(f *fact.Feed) { f.ValidFor = time.Minute }, "feed a: valid_for: 1m0s is less than every, 1h0m0s: indicators would end before the next pull says them again"},
		"public, clear": {func(f *fact.Feed) { f.URL, f.AllowPrivate, f.Auth.TokenFile = "http://[2001:db8::1]/", true, "/t" }, "feed a: auth.token_file: goes to 2001:db8::1 in the clear, and that is no private address: use https"},
		"home, clear":   {func(f *fact.Feed) { f.URL, f.AllowPrivate, f.Auth.TokenFile = "http://[::ffff:10.0.0.5]/", true, "/t" }, ""},
	} {
		f := fact.DefaultFeed()
		f.Name, f.URL = "a", "https://feeds.example/"
		x.change(&f)
		if err := f.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := ""
		if err := errors.Join(f.Doubts()...); err != nil {
			got = err.Error()
		}
		if got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}

// TestEach: what errors.Join put together comes apart again, and nothing else does.
func TestEach(t *testing.T) {
	a, b := errors.New("a"), errors.New("b")
	both := fmt.Errorf("%w and %w", a, b)
	wrapped := fmt.Errorf("of c: %w", errors.Join(a, b))
	for _, x := range []struct {
		err  error
		want []error
	}{{nil, nil}, {a, []error{a}}, {errors.Join(a, errors.Join(b, both), nil), []error{a, b, both}}, {wrapped, []error{wrapped}}} {
		if got := fact.Each(x.err); !slices.Equal(got, x.want) {
			t.Errorf("%v: %v", x.err, got)
		}
	}
	if err := fact.Under("x: ", errors.Join(a, b)); err.Error() != "x: a\nx: b" || !errors.Is(err, b) || fact.Under("x: ", nil) != nil {
		t.Errorf("%v", err)
	}
}
