package fetch

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/interdict/interdict/intel/fact"
)

// largestSecret bounds what is read of a file with a secret, in bytes; the files
// with certificates may have more.
const (
	largestSecret = 64 << 10
	largestPEM    = 4 << 20
)

// credentials are what a feed's Auth says, read from its files.
type credentials struct {
	header  http.Header // for the feed's own host only
	secrets []string    // never to be shown
	cert    *tls.Certificate
	roots   *x509.CertPool // nil: the system's
}

func readCredentials(a *fact.Auth) (*credentials, error) {
	c := &credentials{header: http.Header{}}
	if (a.User != "") != (a.PasswordFile != "") {
		return nil, errors.New("auth: user and password_file go together")
	}
	if (a.Header != "") != (a.HeaderFile != "") {
		return nil, errors.New("auth: header and header_file go together")
	}
	if (a.CertFile != "") != (a.KeyFile != "") {
		return nil, errors.New("auth: cert_file and key_file go together")
	}
	set := func(name, value string) error {
		if c.header.Get(name) != "" {
			return fmt.Errorf("auth: the header %s is set twice: give one of password, token and header", name)
		}
		c.header.Set(name, value)
		return nil
	}
	if a.User != "" {
		if strings.Contains(a.User, ":") {
			return nil, errors.New("auth: the user must not have a colon")
		}
		password, err := readSecret("password_file", a.PasswordFile)
		if err != nil {
			return nil, err
		}
		pair := base64.StdEncoding.EncodeToString([]byte(a.User + ":" + password))
		c.secrets = append(c.secrets, password, pair)
		if err := set("Authorization", "Basic "+pair); err != nil {
			return nil, err
		}
	}
	if a.TokenFile != "" {
		token, err := readSecret("token_file", a.TokenFile)
		if err != nil {
			return nil, err
		}
		c.secrets = append(c.secrets, token)
		if err := set("Authorization", "Bearer "+token); err != nil {
			return nil, err
		}
	}
	if a.Header != "" {
		name := textproto.CanonicalMIMEHeaderKey(a.Header)
		if !ownHeader(name) {
			return nil, fmt.Errorf("auth: %q is not a header that may be set", a.Header)
		}
		value, err := readSecret("header_file", a.HeaderFile)
		if err != nil {
			return nil, err
		}
		c.secrets = append(c.secrets, value)
		if err := set(name, value); err != nil {
			return nil, err
		}
	}
	if a.CertFile != "" {
		cert, err := readBounded("cert_file", a.CertFile, largestPEM)
		if err != nil {
			return nil, err
		}
		key, err := readBounded("key_file", a.KeyFile, largestPEM)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("auth: cert_file and key_file: %w", err)
		}
		c.cert = &pair
	}
	if a.CAFile != "" {
		text, err := readBounded("ca_file", a.CAFile, largestPEM)
		if err != nil {
			return nil, err
		}
		c.roots = x509.NewCertPool()
		if !c.roots.AppendCertsFromPEM(text) {
			return nil, errors.New("auth: ca_file has no certificate in PEM form")
		}
	}
	for _, s := range c.secrets { // as a URL has them
		c.secrets = append(c.secrets, url.PathEscape(s), url.QueryEscape(s))
	}
	return c, nil
}

// readSecret reads a file of one line, without the line's end.
func readSecret(what, name string) (string, error) {
	text, err := readBounded(what, name, largestSecret)
	if err != nil {
		return "", err
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark)))
	if len(text) == 0 {
		return "", fmt.Errorf("auth: %s is empty", what)
	}
	for _, b := range text {
		if b < ' ' || b == 0x7f {
			return "", fmt.Errorf("auth: %s has more than one line, or a control character", what)
		}
	}
	return string(text), nil
}

func readBounded(what, name string, most int64) ([]byte, error) {
	f, err := openRegular(os.Stat, os.OpenFile, name)
	if err != nil {
		return nil, fmt.Errorf("auth: %s: %w", what, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("auth: %s: %w", what, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("auth: %s has more than %d bytes", what, most)
	}
	return text, nil
}

// ownHeader reports whether an operator may set a header: a token, and none that
// says how the message is framed or what we ask for.
func ownHeader(name string) bool {
	for _, r := range name {
		if r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r) {
			return false
		}
	}
	return name != "" && !strings.HasPrefix(name, "Proxy-") && !slices.Contains([]string{"Accept", "Accept-Encoding", "Connection", "Content-Length", "Expect",
		"Host", "If-Modified-Since", "If-None-Match", "Keep-Alive", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "User-Agent"}, name)
}

// concealed is an error whose words were changed.
type concealed struct {
	error
	text string
}

func (c *concealed) Error() string { return c.text }
func (c *concealed) Unwrap() error { return c.error }

// conceal takes secrets out of an error, where a server may have put them: in the
// target of a redirect, for one.
func (c *credentials) conceal(err error) error {
	if err == nil {
		return nil
	}
	if text := c.hide(err.Error()); text != err.Error() {
		return &concealed{error: err, text: text}
	}
	return err
}

// hide takes secrets out of what a server said.
func (c *credentials) hide(text string) string {
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "[secret]")
	}
	return text
}
