// Package stages states the contract that every stage keeps. The stages
// themselves are verbs in folders of their own, in the order of the data:
//
//	stage      reads              writes                        state
//	normalize  Raw                Alerts, Rejects, Drops        none
//	match      Alerts             Alert.Matches, Snapshot       the index, shared and immutable
//	correlate  Alerts, Control    Incidents, Members, Paths     entity graph, per shard
//	disrupt    Alerts, Incidents  Decisions, Leases, Actions    evidence and leases, per shard
//	respond    Actions            Results                       none: the target is the state
//	persist    records of topics  rows                          none
//
// respond and persist stand behind ports; the first four are Stages. Of ours,
// stages import only schema and this package: they know neither Kafka nor
// ClickHouse, and take time from the batch, so that the same code runs on
// a cluster, embedded, and over files.
package stages
