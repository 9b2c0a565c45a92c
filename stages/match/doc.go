// Package match says which observables of an alert are known indicators.
//
// It asks an immutable Index three questions in order of cost: a bloom filter
// (which may be wrong, but never about absence), an exact table of hashes, and
// the bytes themselves. So a match is never a guess. Networks are asked through
// a prefix table; a domain is asked with its parents, a URL also by its host.
//
// The package owns the index and the question. Where indicators come from, how
// they are read, stored and renewed is the business of intel, which builds an
// index and swaps it into a Holder. Match knows no feed, no Kafka, no clock.
package match
