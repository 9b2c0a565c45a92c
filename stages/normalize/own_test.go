package normalize

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestOwnOCSF: what the stage writes it can read, with all that threat
// intelligence may ask for, and the ports with their addresses.
func TestOwnOCSF(t *testing.T) {
	n := newNormalizer(t, nil)
	raw, err := os.ReadFile("formats/suricata_eve/cases/network.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	seen := func(b *schema.Batch) (all []string) {
		for i := range b.Alerts {
			for _, e := range b.Alerts[i].Entities {
				if o, ok := e.Observable(); ok {
					all = append(all, fmt.Sprintf("%d %v %s %d", i, o.Type, o.Value, e.Port))
				}
			}
		}
		slices.Sort(all)
		return all
	}
	first := run(t, n, testSource(), CaseTime, raw)
	want := seen(first)
	var own []byte
	for i := range first.Alerts {
		own = append(schema.AppendOCSFAlert(own, &first.Alerts[i]), '\n')
	}
	if got := seen(run(t, n, testSource(), CaseTime, own)); !slices.Equal(got, want) || len(want) < 15 {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
