package pipeline

import (
	"github.com/interdict/interdict/schema"
	"github.com/prometheus/client_golang/prometheus"
)

// Counts is the accounting of a process: for every stage, in = out + dropped +
// rejected, in documents or alerts. It counts work, so that what an aborted
// transaction or a restart does again is counted again; what became of each
// record is in SourceStats, which travels with the data. A nil *Counts counts
// nothing.
type Counts struct {
	in, out  *prometheus.CounterVec
	dropped  *prometheus.CounterVec
	rejected *prometheus.CounterVec
	outputs  *prometheus.CounterVec

	documents  *prometheus.CounterVec
	lastRecord *prometheus.GaugeVec
}

// NewCounts registers the accounting with r.
func NewCounts(r prometheus.Registerer) *Counts {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "interdict", Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	last := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "interdict", Name: "source_last_record_timestamp_seconds",
		Help: "When records of a source were last committed here, by hop 1's clock."}, []string{"tenant", "source"})
	r.MustRegister(last)
	return &Counts{
		in:       vec("stage_in_total", "Documents or alerts given to a stage.", "stage"),
		out:      vec("stage_out_total", "Alerts a stage let through.", "stage"),
		dropped:  vec("stage_dropped_total", "Left out on purpose, by reason.", "stage", "reason"),
		rejected: vec("stage_rejected_total", "Sent to the dead letter, by reason.", "stage", "reason"),
		outputs:  vec("outputs_total", "Records produced, by topic.", "topic"),

		documents:  vec("source_documents_total", "Documents of a source in committed transactions, by what became of them.", "tenant", "source", "result"),
		lastRecord: last,
	}
}

// source books a committed transaction of a raw partition: unlike the other
// counts, each document once.
func (c *Counts) source(src *schema.Source, s schema.SourceStats, at schema.Millis) {
	if c == nil || s.Records == 0 {
		return
	}
	for _, r := range [...]struct {
		name string
		n    uint64
	}{{"accepted", s.Accepted}, {"ignored", s.Ignored}, {"rejected", s.Rejected}} {
		c.documents.WithLabelValues(src.Tenant, src.ID, r.name).Add(float64(r.n))
	}
	c.lastRecord.WithLabelValues(src.Tenant, src.ID).Set(float64(at) / 1000)
}

// tallied is the size of a batch at one moment.
type tallied struct {
	alerts, rejects, drops int
	batch                  *schema.Batch
}

func tally(b *schema.Batch) tallied {
	return tallied{len(b.Alerts), len(b.Rejects), len(b.Drops), b}
}

// add books one step. The stage that splits records into documents has its input
// counted by what came of them, since before it there are only records.
func (c *Counts) add(stage string, before, after tallied) {
	if c == nil {
		return
	}
	out := after.alerts
	in := after.alerts + (after.rejects - before.rejects) + (after.drops - before.drops)
	c.in.WithLabelValues(stage).Add(float64(in))
	c.out.WithLabelValues(stage).Add(float64(out))
	for _, r := range after.batch.Rejects[before.rejects:] {
		c.rejected.WithLabelValues(stage, r.Reason.String()).Inc()
	}
	var drops [256]int
	for _, d := range after.batch.Drops[before.drops:] {
		drops[d.Reason]++
	}
	for r, n := range drops {
		if n > 0 {
			c.dropped.WithLabelValues(stage, schema.Reason(r).String()).Add(float64(n))
		}
	}
}

// produced books what a lane put into its outbox.
func (c *Counts) produced(msgs []Out) {
	if c == nil || len(msgs) == 0 {
		return
	}
	var n [topicCount]int
	for i := range msgs {
		n[msgs[i].Topic]++
	}
	for t, n := range n {
		if n > 0 {
			c.outputs.WithLabelValues(Topic(t).Spec().Suffix).Add(float64(n))
		}
	}
}
