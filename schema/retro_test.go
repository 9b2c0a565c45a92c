package schema_test

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestRetroRevisions: of what is said of one match the alert itself stands before what
// was found later, and what takes back or puts back stands before both, the last word
// first.
func TestRetroRevisions(t *testing.T) {
	made := func(k schema.RetroKind, at schema.Millis) uint64 {
		m := schema.RetroMatch{Kind: k, Made: at}
		return m.RevisionOf()
	}
	const now = schema.Millis(1_795_348_800_000)
	future := schema.Alert{Created: now, Updated: now + 100*366*schema.Day, Content: 1<<64 - 1}
	order := []uint64{made(schema.RetroFound, -1), made(schema.RetroFound, now-1), made(schema.RetroFound, now), (&schema.Alert{Created: now}).RevisionOf(),
		future.RevisionOf(), made(schema.RetroReinstated, -1), made(schema.RetroWithdrawn, now), made(schema.RetroReinstated, now+1)}
	for i := range order[1:] {
		if order[i] >= order[i+1] {
			t.Errorf("revision %d, %#x, is not below the next, %#x", i, order[i], order[i+1])
		}
	}
}
