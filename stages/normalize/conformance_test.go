package normalize

import (
	"os"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
	"github.com/interdict/interdict/stages/stagetest"
)

// TestConformance runs what every stage must pass over the golden inputs, half
// of them compressed.
func TestConformance(t *testing.T) {
	var samples []stagetest.Sample
	for i, file := range cases(t) {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			raw = []byte(gz(string(raw)))
		}
		samples = append(samples, func() *schema.Batch {
			return &schema.Batch{Now: CaseTime, Position: uint64(i + 1), Raw: []schema.Raw{
				{Source: testSource(), Value: append([]byte(nil), raw...), Time: CaseTime, Topic: "raw", Offset: 7},
				{Source: testSource(), Value: []byte(with(`"a":1,"a":2`)), Topic: "raw", Offset: 8},
			}}
		})
	}
	stagetest.Run(t, func() stages.Stage { return newNormalizer(t, nil) }, samples...)
}
