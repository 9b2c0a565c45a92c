// Package normalize is the first stage: it turns vendor records into
// schema.Alert, in the semantics of OCSF's Detection Finding.
//
// A record is unpacked (gzip, zstd, NDJSON, array, concatenated JSON, CSV,
// lists such as {"records":[...]}), and each document in it is scanned once.
// The scan checks the whole document, strictly, and keeps the values at the
// paths that any format wants. The kept values say which format it is, whether
// it is an alert at all, and fill the alert. A document ends as exactly one of
// an alert, a reject (with a reason) or a drop (not an alert).
//
// The package owns the meaning of formats: their shape, their alert predicate,
// their fields, and the canonical form of entities (canon.go says what that
// is). A format is data for the scanner (paths, clauses) and one function that
// fills; see format.go. It must not know where records come from, keep
// anything between batches, ask a clock, or guess: what cannot be understood is
// rejected.
package normalize
