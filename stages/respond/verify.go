package respond

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/interdict/interdict/schema"
)

// keyring holds the keys whose commands are obeyed, by Action.KeyID.
type keyring map[string]ed25519.PublicKey

func newKeyring(cfg *Config) (keyring, error) {
	ring := keyring{}
	add := func(from string, data []byte) error {
		block, _ := pem.Decode(data)
		if block == nil {
			return fmt.Errorf("respond: %s is not PEM", from)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return fmt.Errorf("respond: %s is not a public key", from)
		}
		pub, ok := key.(ed25519.PublicKey)
		if !ok {
			return fmt.Errorf("respond: %s is a %T, not an Ed25519 key", from, key)
		}
		sum := sha256.Sum256(pub)
		ring[hex.EncodeToString(sum[:8])] = pub
		return nil
	}
	for i, data := range cfg.TrustedKeys {
		if err := add(fmt.Sprintf("trusted key %d", i), data); err != nil {
			return nil, err
		}
	}
	for _, name := range cfg.TrustedKeyFiles {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("respond: reading a trusted key: %w", err)
		}
		if err := add(name, data); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

var (
	errUnsigned  = errors.New("the command is not signed")
	errKey       = errors.New("the signing key is not trusted")
	errSignature = errors.New("the signature is not of this command")
)

// verify checks the signature over the wire form without it. An empty ring trusts
// everything.
func (r keyring) verify(a *schema.Action) error {
	if len(r) == 0 {
		return nil
	}
	if len(a.Signature) == 0 {
		return errUnsigned
	}
	key, ok := r[a.KeyID]
	if !ok {
		return errKey
	}
	bare := *a
	bare.Signature = nil
	if !ed25519.Verify(key, bare.AppendWire(nil), a.Signature) {
		return errSignature
	}
	return nil
}

// refusal gives the reason why a command must not be carried out, or "".
func (r *Responder) refusal(a *schema.Action, now schema.Millis) string {
	if err := r.keys.verify(a); err != nil {
		return err.Error()
	}
	switch {
	case a.Kind == schema.ActionUnknown || a.Target.IsZero():
		return "the command names no action or no target"
	case a.Verb != schema.VerbApply && a.Verb != schema.VerbRelease:
		return "the command has an unknown verb"
	case a.Lease != schema.NewLeaseID(a.Tenant, a.Target, a.Kind):
		return "the lease is not the one of this target and action"
	case a.Verb == schema.VerbRelease:
		return ""
	case r.never.has(a.Target):
		return "never_contain: the target is listed"
	case a.Until <= now:
		return "the lease ended at " + a.Until.String()
	case now-a.Issued > schema.Millis(r.cfg.MaxAge.Milliseconds()):
		return fmt.Sprintf("issued at %s: older than %v", a.Issued, r.cfg.MaxAge)
	}
	return ""
}

// never holds the targets and ranges nothing is applied to.
type never struct {
	targets  map[schema.EntityRef]bool
	prefixes []netip.Prefix
}

func newNever(list []string) (n never, err error) {
	n.targets = map[schema.EntityRef]bool{}
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			n.prefixes = append(n.prefixes, p.Masked())
			continue
		}
		name, key, ok := strings.Cut(s, ":")
		t, known := schema.ParseEntityType(name)
		if !ok || !known || key == "" {
			return n, fmt.Errorf("%q is neither a range nor an entity type, a colon and a key", s)
		}
		for _, k := range spellings(t, key) {
			n.targets[schema.EntityRef{Type: t, Key: k}] = true
		}
	}
	return n, nil
}

func (n never) has(ref schema.EntityRef) bool {
	for _, k := range spellings(ref.Type, ref.Key) {
		if n.targets[schema.EntityRef{Type: ref.Type, Key: k}] {
			return true
		}
	}
	addr, err := netip.ParseAddr(ref.Key)
	if err != nil {
		return false
	}
	for _, p := range n.prefixes {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// spellings gives the keys a target is compared under: without case, and a host
// also by its short name, since the two name one machine.
func spellings(t schema.EntityType, key string) []string {
	key = strings.ToLower(key)
	if _, err := netip.ParseAddr(key); t == schema.EntityHost && err != nil {
		if short, _, full := strings.Cut(key, "."); full && short != "" {
			return []string{key, short}
		}
	}
	return []string{key}
}
