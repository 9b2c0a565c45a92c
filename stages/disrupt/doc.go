// Package disrupt is the stage that decides to contain. It reads the alerts that
// correlate has placed, holds them against policies, and writes decisions,
// leases and signed commands.
//
// It owns the evidence against each target, the leases in force, the budget and
// the inventory of its tenants: one instance per virtual shard, several tenants,
// nothing shared between them. Evidence counts for a target only when an alert
// names that target itself; membership of an incident counts for nothing. Every
// policy whose conditions are met leaves a decision, also when it only watches or
// a safety rule (safety.go) stood against it.
//
// A lease is desired state with an end. Causes share the lease of their target;
// it is released when the last of them is gone. Time is the log's: the newest
// ingest time and tick of the tenant, so that nothing depends on where one batch
// ends and the next begins. Control records of a batch come before its alerts.
//
// A lease or release leaves a ledger event of origin disruption that names the
// incident; from it the pipeline sequences the control record that tells
// correlate to keep the incident together. This package knows nothing of
// executors: respond verifies the signature and acts.
package disrupt
