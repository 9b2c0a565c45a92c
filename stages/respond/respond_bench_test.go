package respond

import (
	"context"
	"testing"

	"github.com/interdict/interdict/schema"
)

// BenchmarkVerify is the cost of one signed command that was carried out before:
// the signature and the look-up.
func BenchmarkVerify(b *testing.B) {
	s := newSigner(1)
	cfg := DefaultConfig()
	cfg.TrustedKeys = [][]byte{s.pem}
	r, _ := with(b, cfg, &recorder{})
	batch := &schema.Batch{Now: now, Actions: []schema.Action{s.sign(action(schema.VerbApply, 1, "ws-1"))}}
	b.ReportAllocs()
	for b.Loop() {
		batch.Results, batch.Ledger = batch.Results[:0], batch.Ledger[:0]
		if err := r.Process(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
}
