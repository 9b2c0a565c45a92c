package e2e

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize"
)

// TestCPTC takes every alert of a labeled capture through Kafka into ClickHouse:
// real sensors' words, not the generator's.
func TestCPTC(t *testing.T) {
	t.Parallel()
	notShort(t)
	files, err := filepath.Glob("../../../shared/data/labelled/cptc-2017-suricata/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("the CPTC capture is not at ../shared/data")
		}
		t.Skip("SKIPPED: the CPTC capture is not at ../shared/data beside the checkout")
	}
	var feeds []string
	for _, f := range files {
		feeds = append(feeds, pipeline.SourceName(f))
	}
	l := newLab(t, labConfig{feeds: feeds, partitions: 1})
	total := 0
	for i, f := range files {
		s := l.sources[i]
		var msgs []message
		err := pipeline.ReadRecords(t.Context(), f, nil, func(r pipeline.FileRecord) error {
			v := bytes.Clone(r.Value)
			msgs = append(msgs, message{src: s, value: v, time: timeOf(t, v)})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// A topic holds them in the order in which they were written.
		slices.SortStableFunc(msgs, func(a, b message) int { return int(a.time - b.time) })
		l.produce(msgs)
		total += len(msgs)
	}
	w := l.worker("one", "")
	l.settle()
	w.stop(t)
	l.checkAccounting()
	t.Logf("%d files, %d records, %d alerts in %d incidents", len(files), total, l.number("SELECT count() FROM v_alerts"),
		l.number("SELECT uniqExact(incident_id) FROM incident_members FINAL"))
	if n := l.number("SELECT count() FROM v_alerts"); n < 1000 {
		t.Errorf("the capture gave %d alerts", n)
	}
}

// timeOf is when the sensor made the record; noon of the world for one without a time.
func timeOf(t *testing.T, value []byte) schema.Millis {
	t.Helper()
	n, err := normalize.New(normalize.Default(), formats(t))
	if err != nil {
		t.Fatal(err)
	}
	b := &schema.Batch{Raw: []schema.Raw{{Source: &schema.Source{}, Value: value}}}
	if err := n.Process(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if len(b.Alerts) > 0 {
		return b.Alerts[0].Created
	}
	return at(12)
}
