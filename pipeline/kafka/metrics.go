package kafka

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// metrics of one hop. They exist also without a registry, so that nothing else
// needs to ask whether there is one.
type metrics struct {
	in, out, rebuilt                     prometheus.Counter
	transactions, restores               *prometheus.CounterVec
	duration                             prometheus.Histogram
	snapshotBytes, snapshotDur           prometheus.Histogram
	laneCount, lag, lsoAge, snapAge, mem prometheus.GaugeFunc

	reg prometheus.Registerer // labeled by hop; nil: none
}

func newMetrics(r *Runner) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "interdict_hop_" + name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "interdict_hop_" + name, Help: help}, []string{label})
	}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "interdict_hop_" + name, Help: help, Buckets: buckets})
	}
	gauge := func(name, help string, of func(Status) float64) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "interdict_hop_" + name, Help: help}, func() float64 { return of(r.Status()) })
	}
	return &metrics{
		in:            counter("records_in_total", "Records given to lanes in transactions that committed."),
		out:           counter("records_out_total", "Records produced in transactions that committed."),
		rebuilt:       counter("sessions_rebuilt_total", "Sessions closed after an error and built anew."),
		transactions:  vec("transactions_total", "Transactions by result.", "result"),
		restores:      vec("restores_total", "How lanes came by their state.", "how"),
		duration:      histogram("transaction_seconds", "From the first record to the end of the transaction.", prometheus.ExponentialBuckets(0.002, 2, 14)),
		snapshotBytes: histogram("snapshot_bytes", "Size of a lane's snapshot before compression.", prometheus.ExponentialBuckets(1<<16, 4, 10)),
		snapshotDur:   histogram("snapshot_seconds", "From the request for a snapshot to the last acknowledged chunk.", prometheus.ExponentialBuckets(0.01, 2, 14)),
		laneCount:     gauge("lanes", "Lanes open in this process.", func(s Status) float64 { return float64(len(s.Lanes)) }),
		mem:           gauge("held_bytes", "Bytes of input held by the transaction in flight.", func(s Status) float64 { return float64(s.HeldBytes) }),
		lsoAge:        gauge("lso_age_seconds", "How long an open transaction upstream has held an input back.", func(s Status) float64 { return float64(s.LSOAgeMsec) / 1000 }),
		lag: gauge("lag", "Offsets between the committed position and the last stable offset, over all lanes.", func(s Status) float64 {
			sum := int64(0)
			for _, l := range s.Lanes {
				sum += max(0, l.Lag)
			}
			return float64(sum)
		}),
		snapAge: gauge("snapshot_age_seconds", "Age of the oldest newest snapshot of a lane; 0 without snapshots.", func(s Status) float64 {
			oldest := 0.0
			for _, l := range s.Lanes {
				if !l.SnapshotAt.IsZero() {
					oldest = max(oldest, r.set.Clock().Sub(l.SnapshotAt).Seconds())
				}
			}
			return oldest
		}),
	}
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.in, m.out, m.rebuilt, m.transactions, m.restores, m.duration, m.snapshotBytes, m.snapshotDur, m.laneCount, m.lag, m.lsoAge, m.snapAge, m.mem}
}

func (m *metrics) register(reg prometheus.Registerer, hop string) error {
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

func (m *metrics) unregister() {
	if m.reg == nil {
		return
	}
	for _, c := range m.all() {
		m.reg.Unregister(c)
	}
}

// hooks gives the client's own metrics. They are made anew for each client: kprom
// registers when a client opens and unregisters when it closes.
func (m *metrics) hooks() []kgo.Opt {
	if m.reg == nil {
		return nil
	}
	return []kgo.Opt{kgo.WithHooks(kprom.NewMetrics("interdict_kafka", kprom.Registerer(m.reg)))}
}

// ended counts a transaction.
func (m *metrics) ended(committed bool, in, out int, took time.Duration) {
	result := "aborted"
	if committed {
		result = "committed"
		m.in.Add(float64(in))
		m.out.Add(float64(out))
	}
	m.transactions.WithLabelValues(result).Inc()
	m.duration.Observe(took.Seconds())
}
