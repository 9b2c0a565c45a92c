package respond

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const now = schema.Millis(1_750_000_000_000)

// signer signs as disrupt does: the wire form without the signature.
type signer struct {
	key ed25519.PrivateKey
	id  string
	pem []byte
}

func newSigner(seed byte) signer {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	pub := key.Public().(ed25519.PublicKey)
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(pub)
	return signer{key, hex.EncodeToString(sum[:8]), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}
}

func (s signer) sign(a schema.Action) schema.Action {
	a.KeyID, a.Signature = s.id, nil
	a.Signature = ed25519.Sign(s.key, a.AppendWire(nil))
	return a
}

func action(verb schema.Verb, version uint64, host string) schema.Action {
	target := schema.EntityRef{Type: schema.EntityHost, Key: host}
	return schema.Action{
		ID: schema.DeriveID("action", host, verb.String(), string(rune(version))), Tenant: "acme", Verb: verb, Kind: schema.ActionContainHost,
		Lease: schema.NewLeaseID("acme", target, schema.ActionContainHost), Target: target, Issued: now, Until: now + schema.Hour, Policy: "p", Version: version,
	}
}

// recorder is an executor that remembers what it was told and answers by script.
type recorder struct {
	got    []schema.Action
	answer func(call int) (schema.ActionResult, error)
}

func (r *recorder) Apply(_ context.Context, a schema.Action) (schema.ActionResult, error) {
	r.got = append(r.got, a)
	if r.answer == nil {
		return schema.ActionResult{Prior: "free"}, nil
	}
	return r.answer(len(r.got))
}

var errAway = errors.New("away")

// with builds a responder around e that waits for nothing and says how long it
// would have waited.
func with(t testing.TB, cfg Config, e Executor) (*Responder, *[]time.Duration) {
	t.Helper()
	r, err := NewWith(cfg, "test", e)
	if err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	r.sleep = func(ctx context.Context, d time.Duration) error {
		waits = append(waits, d)
		return ctx.Err()
	}
	return r, &waits
}

func process(t testing.TB, s stages.Stage, at schema.Millis, actions ...schema.Action) []schema.ActionResult {
	t.Helper()
	b := &schema.Batch{Now: at, Actions: actions}
	if err := s.Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if len(b.Results) != len(actions) || len(b.Ledger) != len(actions) {
		t.Fatalf("%d actions gave %d results and %d ledger events", len(actions), len(b.Results), len(b.Ledger))
	}
	for i, e := range b.Ledger {
		if e.Origin != schema.OriginExecutor || e.After != b.Results[i].Status || e.Tenant != actions[i].Tenant {
			t.Errorf("ledger event %+v of result %+v", e, b.Results[i])
		}
	}
	return b.Results
}
