package service

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics describes the service to Prometheus. What is known of each feed is read
// when it is asked for.
type metrics struct {
	s                                                    *Service
	indicators, success, failures, silent, changes, took *prometheus.Desc
	configured, damaged, broken, lag                     *prometheus.Desc
	duration                                             *prometheus.HistogramVec
}

func newMetrics(s *Service) metrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("interdict_intel_"+name, help, labels, nil)
	}
	return metrics{s: s,
		indicators: desc("feed_indicators", "Indicators of a feed that count.", "feed"),
		success:    desc("feed_last_success_seconds", "Unix time of the last pull or upload without an error; 0: none.", "feed"),
		failures:   desc("feed_failures", "Pulls in a row that failed.", "feed"),
		silent:     desc("feed_silent", "1 while a feed has brought nothing new for longer than it may.", "feed"),
		configured: desc("feed_configured", "0 for a feed that is stored and that nothing fills any more.", "feed"),
		damaged:    desc("feed_damaged", "1 while files of a feed in the library cannot be read.", "feed"),
		broken:     desc("feed_broken", "1 while files of a folder cannot be used and what they said before stays.", "feed"),
		changes:    desc("feed_changes_total", "Indicators added, changed and removed since the start.", "feed", "change"),
		took:       desc("feed_last_pull_seconds", "How long the last pull took.", "feed"),
		lag:        desc("publish_lag_seconds", "How long the oldest commit that is not published has waited."),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "interdict_intel_pull_seconds", Help: "Pulls of all feeds, by result.",
			Buckets: prometheus.ExponentialBuckets(0.05, 3, 11)}, []string{"result"})}
}

// Describe implements prometheus.Collector.
func (s *Service) Describe(to chan<- *prometheus.Desc) {
	m := &s.metrics
	for _, d := range []*prometheus.Desc{m.indicators, m.success, m.failures, m.silent, m.configured, m.damaged, m.broken, m.changes, m.took, m.lag} {
		to <- d
	}
	m.duration.Describe(to)
	for _, c := range s.uploads() {
		c.Describe(to)
	}
}

// Collect implements prometheus.Collector.
func (s *Service) Collect(to chan<- prometheus.Metric) {
	m := &s.metrics
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(m.lag, s.lag().Seconds())
	if err := s.follow(true); err != nil { // a library that cannot be asked is no good news of its feeds
		to <- prometheus.NewInvalidMetric(m.damaged, err)
	}
	s.mu.Lock()
	for name, e := range s.feeds {
		gauge(m.indicators, float64(e.last.Indicators), name)
		gauge(m.success, float64(e.good)/1000, name)
		gauge(m.failures, float64(e.fails), name)
		gauge(m.silent, number(e.silent), name)
		gauge(m.configured, number(e.fed()), name)
		gauge(m.damaged, number(len(e.damaged) > 0), name)
		gauge(m.broken, number(len(e.broken) > 0), name)
		gauge(m.took, e.took.Seconds(), name)
		for _, c := range [...]struct {
			name string
			n    int
		}{{"added", e.totals.Added}, {"changed", e.totals.Changed}, {"removed", e.totals.Removed}} {
			to <- prometheus.MustNewConstMetric(m.changes, prometheus.CounterValue, float64(c.n), name, c.name)
		}
	}
	s.mu.Unlock()
	m.duration.Collect(to)
	for _, c := range s.uploads() {
		c.Collect(to)
	}
}

// uploads are the collectors of what has to do with uploads.
func (s *Service) uploads() (list []prometheus.Collector) {
	if s.journal != nil {
		list = append(list, s.journal)
	}
	if s.upload != nil {
		list = append(list, s.upload.Collectors()...)
	}
	return list
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// pulled notes a pull's duration.
func (m *metrics) pulled(out outcome) {
	result := "committed"
	switch {
	case out.err != nil:
		result = "failed"
	case !out.committed:
		result = "unchanged"
	}
	m.duration.WithLabelValues(result).Observe(out.ended.Sub(out.began).Seconds())
}
