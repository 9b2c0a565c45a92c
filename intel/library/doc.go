// Package library keeps the facts of every feed on disk and derives from them the
// indicators that count: with a feed's defaults, relations, sightings and ingestion
// rules when they are derived, with analysts' overrides whenever they are read.
//
// It owns the life cycle: which version of an object counts, what has been revoked,
// has expired or was left out and why, who gave what and when, and the generations
// of each feed, so that a crash leaves the old state or the new one and a reader
// never waits. Read own.go for the order in which fields are decided, settle.go for
// what a pull does to what was known, table.go for the files.
//
// It must not know how feeds are got or parsed, Kafka, or what an alert is; whether
// an indicator counts for an alert at a time is decided by package match.
package library
