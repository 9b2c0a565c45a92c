// Package ocsf holds what Interdict needs of the Open Cybersecurity Schema
// Framework: typed enums for the numbers that findings, incidents and
// remediation activities carry, and a Validator that checks an OCSF JSON event
// against the requirement tables of the schema.
//
// Both are generated from the schema source by internal/ocsfgen (go generate);
// only names and numbers are taken over. The tables cover every class of the
// findings and remediation categories and every object reachable from them,
// with inheritance and profiles resolved, without schema extensions (so no
// Windows registry objects or observables).
//
// The package knows nothing of vendors, of Interdict's own nouns, of Kafka or
// of storage, and imports no other package of Interdict.
package ocsf

//go:generate go run ./internal/ocsfgen -out . ../../../shared/data/ocsf-schema-1.8.0
