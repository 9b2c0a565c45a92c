package upload

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests, objects *prometheus.CounterVec
}

func newMetrics() metrics {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "interdict_upload_" + name, Help: help}, []string{label})
	}
	return metrics{
		requests: vec("requests_total", "Requests to the upload API by status code.", "code"),
		objects:  vec("objects_total", "Uploaded objects by result: taken or refused.", "result"),
	}
}

func code(status int) string { return strconv.Itoa(status) }

// waitingMetrics describes what waits in a journal.
type waitingMetrics struct{ requests, bytes, seconds, aside *prometheus.Desc }

func newWaitingMetrics() waitingMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("interdict_upload_"+name, help, []string{"feed"}, nil)
	}
	return waitingMetrics{
		requests: desc("waiting_requests", "Accepted uploads that the library does not have yet."),
		bytes:    desc("waiting_bytes", "Bytes of the journal of accepted uploads."),
		seconds:  desc("waiting_seconds", "How long the oldest accepted upload has waited for the library."),
		aside:    desc("aside_bytes", "Bytes of the journal's segments that were set aside: something in them could not be taken."),
	}
}

// Describe implements prometheus.Collector.
func (j *Journal) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{j.waiting.requests, j.waiting.bytes, j.waiting.seconds, j.waiting.aside} {
		to <- d
	}
	j.folds.Describe(to)
}

// Collect implements prometheus.Collector.
func (j *Journal) Collect(to chan<- prometheus.Metric) {
	for _, q := range j.Queues() {
		w, age := q.Waiting(), 0.0
		if w.Since != 0 {
			age = max(0, time.Since(w.Since.Time()).Seconds())
		}
		for d, v := range map[*prometheus.Desc]float64{j.waiting.requests: float64(w.Requests), j.waiting.bytes: float64(w.Bytes), j.waiting.seconds: age, j.waiting.aside: float64(w.Aside)} {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, q.feed)
		}
	}
	j.folds.Collect(to)
}
