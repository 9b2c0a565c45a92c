// Package retro finds past alerts that saw an indicator before anybody called it
// one, and matches that are not worth any more what they were.
//
// Seen remembers, for every hour, which observables its alerts named: filters on
// disk, a few bytes per distinct value, for all tenants together. Finder asks them
// which hours may have seen a new indicator, has the store give the entities of just
// those hours, and lets stages/match decide what each find is worth, as it would have
// had the indicator come first. What it finds goes into the alerts log as
// schema.RetroMatch, where the alert's incident and the store learn of it.
//
// An indicator may also turn out to be wrong. What is allowed, benign or taken back by
// now is looked for among the matches that alerts have, by the same filters and the same
// judge: those that counted and do not any more are withdrawn, and put back when what
// spoke against them is gone.
//
// Filters may name an hour too many, never one too few: what they cost is a query
// that finds nothing. See key.go for what an entity is remembered by.
//
// The package owns the folder it is given, and knows neither Kafka nor ClickHouse:
// Store and Emit are ports.
package retro
