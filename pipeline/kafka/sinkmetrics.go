package kafka

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// sinkMetrics exist also without a registry, so that nothing else needs to ask
// whether there is one.
type sinkMetrics struct {
	rows, ranges, blocks, failures prometheus.Counter
	recovered, budgetWait          prometheus.Counter
	insertSeconds                  prometheus.Histogram
	buffered                       prometheus.GaugeFunc
	parts                          sinkPartMetrics

	reg prometheus.Registerer // labeled by hop; nil: none
}

func newSinkMetrics(s *Sink) *sinkMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "interdict_sink_" + name, Help: help})
	}
	return &sinkMetrics{
		rows:       counter("rows_total", "Records made durable."),
		ranges:     counter("ranges_total", "Ranges made durable."),
		blocks:     counter("blocks_total", "Blocks the store reported, failed attempts included."),
		failures:   counter("failures_total", "Attempts that failed and are made again."),
		recovered:  counter("recovered_total", "Ranges that another member, or an earlier run, had announced."),
		budgetWait: counter("budget_wait_seconds_total", "Time in which a range was due and the insert budget used up."),
		insertSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "interdict_sink_insert_seconds",
			Help: "From the intent to the answer of the store.", Buckets: prometheus.ExponentialBuckets(0.002, 2, 15)}),
		buffered: prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "interdict_sink_buffered_bytes",
			Help: "Records read and not yet durable."}, func() float64 { return float64(s.Status().Buffered) }),
		parts: sinkPartMetrics{
			sink: s,
			lag: prometheus.NewDesc("interdict_sink_lag", "Offsets between the committed position and the last stable offset seen.",
				[]string{"topic", "partition"}, nil),
			committed: prometheus.NewDesc("interdict_sink_committed_offset", "Position up to which records are durable.",
				[]string{"topic", "partition"}, nil),
		},
	}
}

// sinkPartMetrics reads the partitions when it is asked, so that those given up
// are gone.
type sinkPartMetrics struct {
	sink           *Sink
	lag, committed *prometheus.Desc
}

func (m sinkPartMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.lag
	ch <- m.committed
}

func (m sinkPartMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, p := range m.sink.Status().Partitions {
		n := strconv.Itoa(int(p.Partition))
		ch <- prometheus.MustNewConstMetric(m.committed, prometheus.GaugeValue, float64(p.Committed), p.Topic, n)
		if p.Lag >= 0 {
			ch <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, float64(p.Lag), p.Topic, n)
		}
	}
}

func (m *sinkMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.rows, m.ranges, m.blocks, m.failures, m.recovered, m.budgetWait, m.insertSeconds, m.buffered, m.parts}
}

func (m *sinkMetrics) register(reg prometheus.Registerer, hop string) error {
	if reg == nil {
		return nil
	}
	m.reg = prometheus.WrapRegistererWith(prometheus.Labels{"hop": hop}, reg)
	for _, c := range m.all() {
		if err := m.reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *sinkMetrics) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all() {
		m.reg.Unregister(c)
	}
}

// hooks gives the client's own metrics.
func (m *sinkMetrics) hooks() []kgo.Opt {
	if m.reg == nil {
		return nil
	}
	return []kgo.Opt{kgo.WithHooks(kprom.NewMetrics("interdict_kafka", kprom.Registerer(m.reg)))}
}
