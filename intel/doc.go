// Package intel ties the parts of threat intelligence together, none of which
// knows the others: fetch gets the bytes of feeds, parse makes facts of them,
// library keeps the facts and derives the indicators that count, service does all
// that by schedule, upload takes what others send, distribute brings the outcome
// to every worker, retro asks the past about what is new.
//
// It owns how they meet: Pull for one feed, Manager for a process that runs all of
// them, Explain for the question what is known of a value. It must not know Kafka
// or ClickHouse: logs and stores are ports of the parts.
package intel
