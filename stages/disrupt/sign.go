package disrupt

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/interdict/interdict/schema"
)

// signer signs actions; without a key it leaves them unsigned.
type signer struct {
	key ed25519.PrivateKey
	id  string
}

func newSigner(cfg *Config) (*signer, error) {
	data, from := cfg.SigningKey, "signing key"
	if data == nil {
		if cfg.SigningKeyFile == "" {
			return &signer{}, nil
		}
		var err error
		if data, err = os.ReadFile(cfg.SigningKeyFile); err != nil {
			return nil, fmt.Errorf("disrupt: reading the signing key: %w", err)
		}
		from = cfg.SigningKeyFile
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, fmt.Errorf("disrupt: %s: %w", from, err)
	}
	return &signer{key: key, id: KeyID(key.Public().(ed25519.PublicKey))}, nil
}

// The errors never show the key.
func parseKey(data []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("is not a PKCS #8 private key")
	}
	ed, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("is a %T, not an Ed25519 key", key)
	}
	return ed, nil
}

// KeyID names a public key in Action.KeyID: 16 hex digits of its SHA-256.
func KeyID(pub ed25519.PublicKey) string {
	sum := sha256.Sum256(pub)
	return hex.EncodeToString(sum[:8])
}

// sign signs the wire form of a with its KeyID and without a signature. Ed25519
// is deterministic: the same action has the same signature on every worker.
func (s *signer) sign(a *schema.Action) {
	if s.key == nil {
		return
	}
	a.KeyID, a.Signature = s.id, nil
	a.Signature = ed25519.Sign(s.key, a.AppendWire(nil))
}
