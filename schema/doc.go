// Package schema holds the nouns of Interdict: what travels between stages,
// over Kafka and into ClickHouse. A raw record becomes an Alert with Entities;
// a Match says that an Observable of it is a known Indicator; Members tie
// alerts to Incidents; a Path orders what an incident's alerts touched; a
// Decision says what a policy wanted; a Lease is the state it wants, an Action
// the command that makes it so; a LedgerEvent is what people and machines did.
//
// The package owns types, ids and their wire form (interdict.proto is the
// contract; the codec here is checked against protobuf-go in tests). It imports
// no other package of ours, knows no stage, no Kafka and no ClickHouse, and
// holds no behavior beyond making, comparing, cloning and encoding values.
//
// Each noun's field list in wire*.go is both its encoder and its decoder. For
// people and other programs there is JSON: OCSF 1.8 for alerts and incidents
// (ocsf_*.go), encoding/json for the rest (text.go).
//
// Strings in a decoded value alias the bytes they were decoded from; see Batch
// for how long they are valid and Clone for how to keep one.
package schema
