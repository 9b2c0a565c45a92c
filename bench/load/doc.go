// Package load measures the pipeline: each hop by itself and all of them at once,
// over a topic that was filled beforehand, beside a bare exactly-once copy of the
// same records in the same run. What it reports is this process's CPU time per
// record and records per second of the wall; the broker and ClickHouse run in
// processes of their own and are not counted. Ratios hold on a noisy machine,
// single figures do not.
//
// It drives the product's own runners and knows no shortcut through them.
package load
