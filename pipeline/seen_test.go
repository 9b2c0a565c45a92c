package pipeline

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages"
)

type seer struct {
	titles []string
	err    error
}

func (s *seer) See(alerts []schema.Alert) error {
	for i := range alerts {
		s.titles = append(s.titles, alerts[i].Title)
	}
	return s.err
}

// TestSeenSink: alerts of the log are seen, other entries passed over, and an error of
// the memory comes back as it is, to be tried again.
func TestSeenSink(t *testing.T) {
	p := &Plan{topic: func(t Topic) string { return t.Name("x") }}
	if _, ok := p.SeenSink(); ok {
		t.Error("a sink without a memory")
	}
	s := &seer{}
	p.deps.Seen = s
	hop, ok := p.SeenSink()
	if !ok || hop.Name != "seen" || !slices.Equal(hop.Inputs, []string{"x.alerts"}) {
		t.Fatalf("%+v", hop)
	}
	r := Range{Topic: "x.alerts", Records: logOf(5, alertEntry("t", "a", 1), watermarkEntry("t", 1, 1), retroEntry("t", "v"), alertEntry("t", "b", 1))}
	if n, err := hop.Insert(context.Background(), r); n != 1 || err != nil || !slices.Equal(s.titles, []string{"a", "b"}) {
		t.Errorf("%d blocks, %v, saw %q", n, err, s.titles)
	}
	if n, err := hop.Insert(context.Background(), Range{Records: logOf(9, watermarkEntry("t", 1, 1))}); n != 0 || err != nil {
		t.Errorf("nothing to see: %d blocks, %v", n, err)
	}
	s.err = errors.New("disk full")
	if _, err := hop.Insert(context.Background(), r); !errors.Is(err, s.err) || stages.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
	r.Records[0].Value = []byte{0x0a, 0x7f}
	if _, err := hop.Insert(context.Background(), r); !stages.IsPermanent(err) {
		t.Errorf("damage: %v", err)
	}
}
