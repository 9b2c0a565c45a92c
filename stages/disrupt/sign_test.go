package disrupt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testKey(t *testing.T) (ed25519.PrivateKey, []byte) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestActionsAreSigned(t *testing.T) {
	key, text := testKey(t)
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	byFile, byBytes := simpleConfig(), simpleConfig()
	byFile.SigningKeyFile = file
	byBytes.SigningKey = text
	a := contained(t, build(t, byFile)).Actions[0]
	b := contained(t, build(t, byBytes)).Actions[0]
	pub := key.Public().(ed25519.PublicKey)
	if a.KeyID != KeyID(pub) || !bytes.Equal(a.Signature, b.Signature) {
		t.Errorf("key %s, signatures %x and %x", a.KeyID, a.Signature, b.Signature)
	}
	sig := a.Signature
	a.Signature = nil
	if !ed25519.Verify(pub, a.AppendWire(nil), sig) {
		t.Error("the signature is not of the wire form without it")
	}
	a.Until++
	if ed25519.Verify(pub, a.AppendWire(nil), sig) {
		t.Error("the signature is also of another action")
	}
	if plain := contained(t, build(t, simpleConfig())).Actions[0]; plain.KeyID != "" || plain.Signature != nil {
		t.Error("signed without a key")
	}
}

func TestBadSigningKeys(t *testing.T) {
	_, text := testKey(t)
	for name, data := range map[string][]byte{"not PEM": []byte("hunter2-secret"), "not PKCS 8": []byte(strings.Replace(string(text), "MC4", "AAA", 1))} {
		cfg := simpleConfig()
		cfg.SigningKey = data
		_, err := New(cfg)
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
	cfg := simpleConfig()
	cfg.SigningKeyFile = filepath.Join(t.TempDir(), "missing.pem")
	if _, err := New(cfg); err == nil {
		t.Error("a missing file is taken")
	}
}
