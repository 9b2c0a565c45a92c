package intel

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/interdict/interdict/intel/retro"
)

// PastStatus is how far the past was asked about what changed in the library.
type PastStatus struct {
	Asked   time.Time      `json:"asked,omitzero"`   // all changes before it were asked about; zero: not since the start
	Waiting time.Time      `json:"waiting,omitzero"` // since when changes have waited; zero: none do
	Last    retro.Progress `json:"last"`             // of the last run
	LastEnd time.Time      `json:"last_end,omitzero"`
	Error   string         `json:"error,omitzero"` // of the last try; empty: it went well
	Again   time.Time      `json:"again,omitzero"` // when it is tried again
}

// pastMetrics counts over all runs of a process.
type pastMetrics struct {
	runs, findings *prometheus.CounterVec
	waiting, asked *prometheus.Desc
}

func newPastMetrics() pastMetrics {
	counters := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "interdict_retro_" + name, Help: help}, []string{label})
		for _, x := range values {
			v.WithLabelValues(x)
		}
		return v
	}
	return pastMetrics{
		runs: counters("runs_total", "Runs that asked the past about changed indicators, by result.", "result", "done", "failed"),
		findings: counters("findings_total", "What came of asking the past: matches found, taken back and put back, and values that were given up.", "what",
			"found", "withdrawn", "reinstated", "given_up"),
		asked:   prometheus.NewDesc("interdict_retro_asked_seconds", "Unix time of the library that the past was asked about whole; 0: none since the start.", nil, nil),
		waiting: prometheus.NewDesc("interdict_retro_waiting_seconds", "How long the oldest change has waited that the past was not asked about.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (p *Past) Describe(to chan<- *prometheus.Desc) {
	p.metrics.runs.Describe(to)
	p.metrics.findings.Describe(to)
	to <- p.metrics.asked
	to <- p.metrics.waiting
}

// Collect implements prometheus.Collector.
func (p *Past) Collect(to chan<- prometheus.Metric) {
	p.metrics.runs.Collect(to)
	p.metrics.findings.Collect(to)
	var asked, waiting float64
	st := p.Status()
	if !st.Asked.IsZero() {
		asked = float64(st.Asked.UnixMilli()) / 1000
	}
	if !st.Waiting.IsZero() {
		waiting = time.Since(st.Waiting).Seconds()
	}
	to <- prometheus.MustNewConstMetric(p.metrics.asked, prometheus.GaugeValue, asked)
	to <- prometheus.MustNewConstMetric(p.metrics.waiting, prometheus.GaugeValue, waiting)
}

// Status tells how far the past was asked. It may be called at any time.
func (p *Past) Status() PastStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *Past) tell(change func(*PastStatus)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.status)
}

// told notes how a run went. What it found before it failed is on the log, too.
func (p *Past) told(sum retro.Progress, err error) {
	result := "done"
	if err != nil {
		result = "failed"
	}
	p.metrics.runs.WithLabelValues(result).Inc()
	for what, n := range map[string]int{"found": sum.Found, "withdrawn": sum.Withdrawn, "reinstated": sum.Reinstated, "given_up": sum.Cut} {
		p.metrics.findings.WithLabelValues(what).Add(float64(n))
	}
	p.tell(func(st *PastStatus) { st.Last, st.LastEnd = sum, time.Now() })
}
