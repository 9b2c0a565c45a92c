package upload

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/interdict/interdict/intel/fact"
)

// minToken is the least length of a token: shorter ones could be guessed.
const minToken = 20

// client is a Client made ready. Its token is kept as a digest only, so that a
// dump of memory does not give it away.
type client struct {
	anonymous bool
	token     [sha256.Size]byte
	feeds     map[string]*fact.Feed // by source, read only
	pace      *pace
}

func newClient(c Client, configured []fact.Feed) (*client, error) {
	out := &client{anonymous: c.TokenFile == "", feeds: map[string]*fact.Feed{}, pace: new(pace)}
	if !out.anonymous {
		token, err := readToken(c.TokenFile)
		if err != nil {
			return nil, err
		}
		out.token = sha256.Sum256(token)
		clear(token)
	}
	for _, source := range c.Sources {
		name, err := FeedName(source)
		if err != nil {
			return nil, fmt.Errorf("upload: source %q: %w", source, err)
		}
		f, err := feed(name, c.Tenant, configured)
		if err != nil {
			return nil, err
		}
		out.feeds[source] = &f
	}
	return out, nil
}

func readToken(file string) ([]byte, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("upload: reading a token: %w", err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("upload: reading a token: %w", err)
	}
	token := bytes.TrimSpace(text)
	if len(token) < minToken {
		return nil, fmt.Errorf("upload: the token in %s has %d characters, want at least %d", file, len(token), minToken)
	}
	if bytes.ContainsAny(token, " \t\r\n") {
		return nil, fmt.Errorf("upload: %s holds more than one token", file)
	}
	return token, nil
}

// who gives the client that an Authorization header is of, or nil. Every client is
// compared in constant time, so that how long it takes tells nothing.
func who(clients []*client, authorization string) *client {
	scheme, token, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	bearer := strings.EqualFold(scheme, "Bearer")
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found *client
	for _, c := range clients {
		if c.anonymous {
			if authorization == "" {
				found = c
			}
			continue
		}
		if subtle.ConstantTimeCompare(sum[:], c.token[:]) == 1 && bearer {
			found = c
		}
	}
	return found
}
