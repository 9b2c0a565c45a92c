package fact

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
)

// analystRank is the rank of what analysts say themselves (match.RankAnalyst).
const analystRank = 255

var feedName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Remote reports a transport that gets the feed from a server.
func (t Transport) Remote() bool {
	return t == TransportHTTP || t == TransportTAXII || t == TransportMISP
}

// Under puts a prefix before an error, or before each of those that errors.Join put
// together. Errors of settings begin with the key of the setting and a colon.
func Under(prefix string, err error) error {
	if err == nil {
		return nil
	}
	var list []error
	for _, e := range Each(err) {
		list = append(list, fmt.Errorf("%s%w", prefix, e))
	}
	return errors.Join(list...)
}

// Each gives the errors that errors.Join put together, or the one that it is.
func Each(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var list []error
	var lines []string
	for _, e := range many.Unwrap() {
		list, lines = append(list, Each(e)...), append(lines, e.Error())
	}
	if strings.Join(lines, "\n") != err.Error() { // it says more than they do
		return []error{err}
	}
	return list
}

// Validate reports every setting that cannot work, and fills Transport where it
// follows from URL or File.
func (f *Feed) Validate() error {
	if !feedName.MatchString(f.Name) {
		return fmt.Errorf("feed %q: name: want letters, digits, dot, dash and underscore, at most 100, such as partner-ips", f.Name)
	}
	var bad []error
	check := func(ok bool, text string, args ...any) {
		if !ok {
			bad = append(bad, fmt.Errorf("feed %s: "+text, append([]any{f.Name}, args...)...))
		}
	}
	f.validatePlace(check)
	if f.Transport.Remote() {
		f.validateAuth(check)
	}
	f.CSV.validate(check)
	check(slices.Contains(Formats(), f.Format), "format: %q is unknown: want one of %v", f.Format, Formats())
	check(f.Confidence <= 100, "confidence: %d: want 0 to 100", f.Confidence)
	check(f.MaxShrink <= 100, "max_shrink: %d: want 0 to 100", f.MaxShrink)
	check(f.MaxRefused <= 100, "max_refused: %d: want 0 to 100", f.MaxRefused)
	check(f.Rank != analystRank, "rank: %d is that of analysts: want 0 to %d", f.Rank, analystRank-1)
	check(!f.TLP.Bound() || f.Tenant != "", "tlp: %s needs tenant: such indicators never leave theirs, and are refused without one", f.TLP)
	for _, t := range f.Types {
		parsed := schema.ObservableUnknown
		check(parsed.UnmarshalText([]byte(t)) == nil && t != "unknown", "types: %q is unknown: want some of %s", t, strings.Join(typeNames(), ", "))
	}
	check(f.Every >= time.Second, "every: %v: want at least 1s; what changes seldom is better asked for every hour", f.Every)
	check(f.Silence >= 0, "silence: must not be negative")
	check(f.Silence <= 0 || f.Every < time.Second || f.Silence >= f.Every || !f.Transport.Remote(),
		"silence: %v is less than every, %v: the feed would count as silent between two pulls; want several times every", f.Silence, f.Every)
	check(f.ValidFor >= 0, "valid_for: must not be negative")
	check(f.MaxBytes > 0, "max_bytes: must be positive")
	return errors.Join(bad...)
}

// validatePlace checks where a feed is got, and by what.
func (f *Feed) validatePlace(check func(bool, string, ...any)) {
	if f.Transport == "" {
		switch {
		case f.URL != "" && f.File != "":
			check(false, "url and file: give one of them")
			return
		case f.URL != "":
			f.Transport = TransportHTTP
		case f.File != "":
			f.Transport = TransportFile
		default:
			check(false, "url, file: give one of them, or transport: upload")
			return
		}
	}
	switch {
	case f.Transport == TransportFile:
		check(f.File != "", "file: transport file needs it")
		_, err := filepath.Match(f.File, "")
		check(err == nil, "file: %q is no glob that can be read: a bracket is open, or a backslash is at its end", f.File)
	case f.Transport.Remote():
		if f.URL == "" {
			check(false, "url: transport %s needs it", f.Transport)
			return
		}
		f.validateURL(check)
		check(f.Transport != TransportTAXII || f.Collection != "", "collection: transport taxii needs it: the collection's id or title")
	default:
		check(f.Transport == TransportUpload, "transport: %q is unknown: want %s, %s, %s, %s or %s", f.Transport, TransportFile, TransportHTTP, TransportTAXII, TransportMISP, TransportUpload)
	}
}

// validateURL never quotes more of a URL than its scheme: the rest may hold a secret.
func (f *Feed) validateURL(check func(bool, string, ...any)) {
	u, err := url.Parse(f.URL)
	if err != nil {
		check(false, "url: cannot be read: want https://host/path")
		return
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		check(false, "url: begins with %q: want https://host/path; what is on this machine goes under file", u.Scheme)
	case u.Hostname() == "":
		check(false, "url: has no host: want https://host/path")
	}
	check(u.User == nil, "url: a user or password in it is refused: put them in auth")
	if u.Scheme == "http" && !f.AllowPrivate {
		key := f.Auth.secret()
		check(key == "", "auth.%s: over plain http it could be read on the way: use https (or set allow_private for a network of your own)", key)
	}
}

// secret names the setting by which a server gets a secret or a certificate; empty if
// none is set.
func (a *Auth) secret() string {
	for _, x := range [...]struct{ key, value string }{{"password_file", a.PasswordFile}, {"token_file", a.TokenFile}, {"header_file", a.HeaderFile}, {"cert_file", a.CertFile}} {
		if x.value != "" {
			return x.key
		}
	}
	return ""
}

func (f *Feed) validateAuth(check func(bool, string, ...any)) {
	a := &f.Auth
	pair := func(k1, v1, k2, v2 string) {
		check(v1 == "" || v2 != "", "auth.%s: needs %s too", k1, k2)
		check(v2 == "" || v1 != "", "auth.%s: needs %s too", k2, k1)
	}
	pair("user", a.User, "password_file", a.PasswordFile)
	pair("header", a.Header, "header_file", a.HeaderFile)
	pair("cert_file", a.CertFile, "key_file", a.KeyFile)
	check(!strings.Contains(a.User, ":"), "auth.user: must not have a colon")
	own := 0
	for _, says := range [...]bool{a.User != "", a.TokenFile != "", strings.EqualFold(a.Header, "Authorization")} {
		if says {
			own++
		}
	}
	check(own < 2, "auth: the header Authorization is set twice: give one of password_file, token_file and header_file")
}

// validate checks the mapping. A column is named by its header, or counted from 1.
func (c CSV) validate(check func(bool, string, ...any)) {
	check(slices.Contains([]string{"", "auto", "yes", "no"}, c.Header), "csv.header: %q: want auto, yes or no", c.Header)
	check((len(c.Comma) <= 1 || c.Comma == "tab") && !strings.ContainsAny(c.Comma, "\"\r\n"), "csv.comma: %q: want one character, or tab", c.Comma)
	check(c.Comma == "" || c.Comma != c.Comment, "csv.comment: is the same as comma, %q: every line would be one", c.Comma)
	for _, x := range [...]struct{ key, column string }{{"value", c.Value}, {"type", c.Type}, {"verdict", c.Verdict}, {"severity", c.Severity}, {"confidence", c.Confidence},
		{"tlp", c.TLP}, {"label", c.Label}, {"malware", c.Malware}, {"actor", c.Actor}, {"first", c.First}, {"until", c.Until}, {"seen", c.Seen}} {
		if x.column == "" {
			continue
		}
		n, err := strconv.Atoi(x.column)
		check(err == nil || c.Header != "no", "csv.%s: %q is no number, and header: no says that nothing names the columns: they count from 1", x.key, x.column)
		check(err != nil || n > 0 || c.Header == "yes", "csv.%s: %d: columns count from 1 (header: yes, where a header is called so)", x.key, n)
	}
}

// Doubts gives what is most likely not meant, though it works.
func (f *Feed) Doubts() []error {
	var list []error
	say := func(text string, args ...any) {
		list = append(list, fmt.Errorf("feed %s: "+text, append([]any{f.Name}, args...)...))
	}
	key := f.Auth.secret()
	if key != "" && !f.Transport.Remote() {
		say("auth.%s: is not used: transport %s asks no server", key, f.Transport)
	}
	if f.Transport.Remote() && f.ValidFor > 0 && f.ValidFor < f.Every {
		say("valid_for: %v is less than every, %v: indicators would end before the next pull says them again", f.ValidFor, f.Every)
	}
	if u, err := url.Parse(f.URL); err == nil && u.Scheme == "http" && key != "" {
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !a.Unmap().IsPrivate() && !a.Unmap().IsLoopback() && !a.Unmap().IsLinkLocalUnicast() {
			say("auth.%s: goes to %s in the clear, and that is no private address: use https", key, a)
		}
	}
	return list
}

// typeNames lists the words for types.
func typeNames() []string {
	var names []string
	for t := schema.ObservableIP; int(t) < schema.ObservableTypes; t++ {
		names = append(names, t.String())
	}
	return names
}
