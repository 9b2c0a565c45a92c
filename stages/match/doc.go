// Package match says which observables of an alert are known indicators.
//
// It asks an immutable Index three questions in order of cost: a bloom filter
// (which may be wrong, but never about absence), an exact structure of hashes, and
// the bytes themselves. So a match is never a guess. Networks are asked through
// a prefix table; a domain is asked with its parents, a URL also by its host.
//
// The package owns the index and the question: Build and Builder make an index,
// Apply makes the next version of one, WriteSnapshot and OpenSnapshot keep it in a
// file, Holder says which is in force. How it is laid out and why is told in
// docs/adr/0012-indicator-index.md; read index.go, then shard.go and base.go.
// Where indicators come from, how they are read and renewed is the business of
// intel. Match knows no feed, no Kafka, no clock.
package match
