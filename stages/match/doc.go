// Package match says which observables of an alert are known indicators.
//
// It asks an immutable Index three questions in order of cost: a bloom filter
// (which may be wrong, but never about absence), an exact structure of hashes, and
// the bytes themselves. So a match is never a guess. Networks are asked through
// a prefix table; a domain is asked with its parents, a URL also without its scheme,
// by its beginnings, its path and its host, an address with its port, a sender by
// the domain.
//
// What a find is worth is said in one place, Judge: by tenant and time, by what is
// allowed, by benign lists, by the rank of feeds that disagree. The stage, retro-match
// and whoever explains a value to people use the same.
//
// The package owns the index, the question and the judgment: Check says what may be
// an indicator, Build and Builder make an index, Apply makes the next version of one,
// WriteSnapshot and OpenSnapshot keep it in a file, Holder says which is in force,
// Reader asks. How the index is laid out and why is told in
// docs/adr/0012-indicator-index.md; read match.go and judge.go for what is decided,
// index.go, then shard.go and base.go for how things are found.
// Where indicators come from, how they are read and renewed is the business of
// intel. Match knows no feed, no Kafka, no clock.
package match
