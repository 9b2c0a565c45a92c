// Package intel keeps the library of indicators: it reads feeds (plain lists and
// STIX 2.1 bundles), cleans their values into the form that alerts use, stores
// one file per feed in a data folder, and builds the index that match asks.
//
// It owns where indicators come from and why a line of a feed was refused. It
// knows nothing of alerts, Kafka or ClickHouse.
package intel
