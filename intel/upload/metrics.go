package upload

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests, objects *prometheus.CounterVec
	commits           prometheus.Counter
}

func newMetrics() metrics {
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "interdict_upload_" + name, Help: help}, []string{label})
	}
	return metrics{
		requests: vec("requests_total", "Requests to the upload API by status code.", "code"),
		objects:  vec("objects_total", "Uploaded objects by result: taken or refused.", "result"),
		commits:  prometheus.NewCounter(prometheus.CounterOpts{Name: "interdict_upload_commits_total", Help: "Commits that uploads were grouped into."}),
	}
}

func code(status int) string { return strconv.Itoa(status) }
