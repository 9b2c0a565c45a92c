// Package normalize is the first stage: it turns vendor records into
// schema.Alert, in the semantics of OCSF's Detection Finding.
//
// A record is unpacked (gzip, zstd, NDJSON, array, concatenated JSON, CSV, Zeek's
// TSV, lines of text, lists such as {"records":[...]}), and each document in it
// is read once: JSON by extract, text by syntax. What is kept of it says which
// format it is (mapping), also where a shipper's envelope is around it, whether it
// is an alert at all, and fills the alert. A document ends as alerts, a reject
// (with a reason) or a drop (not an alert), and never as nothing.
//
// The way down the tree is the way of a record: normalize.go (the stage),
// record.go (what a record holds), envelope.go (what is around a document),
// alert.go (what every alert has in common); formats.go says which formats are in
// force. The formats themselves are in the folder formats, one folder each.
//
// The package must not know where records come from, keep anything between
// batches, ask a clock, or guess: what cannot be understood is rejected.
package normalize
