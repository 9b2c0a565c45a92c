package kafka

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestRecent(t *testing.T) {
	c := newCluster(t)
	cfg, topic := c.config("a"), c.prefix+".raw"
	if _, err := Recent(t.Context(), cfg, topic, 5); err == nil {
		t.Error("a topic that is not there gave no error")
	}
	c.createTopic(t, topic, 3, nil)
	read := func(n int) (got []string) {
		t.Helper()
		all, err := Recent(t.Context(), cfg, topic, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			got = append(got, string(r.Value))
		}
		return got
	}
	if got := read(5); len(got) != 0 {
		t.Errorf("an empty topic gave %v", got)
	}
	cl := c.client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	start := time.Now().Add(-time.Hour)
	for i := range 20 {
		r := &kgo.Record{Topic: topic, Partition: int32(i % 3), Timestamp: start.Add(time.Duration(i) * time.Second), Value: fmt.Appendf(nil, "%02d", i)}
		if i >= 18 {
			r.Partition = 0
		}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(read(4)); got != "[16 17 18 19]" {
		t.Errorf("the last four are %s", got)
	}
	if got := read(100); len(got) != 20 || got[0] != "00" {
		t.Errorf("all of them: %v", got)
	}
}
