// Package kafka carries hops over Kafka: it is the only importer of franz-go.
// A Runner drives one hop exactly once: one coordinator goroutine begins, polls,
// fans out to one worker goroutine per lane, joins, produces and ends the
// transaction. A Sink drives the last hop outside transactions: it notes the
// offset range it is about to insert in the commit metadata (the intent),
// inserts exactly that range, then commits. Snapshots of stateful lanes go to
// the state topic. The package also holds what a cluster needs around them:
// topic plans, the dead letter, and the embedded broker for development.
//
// It knows records, offsets and groups, and nothing of alerts or incidents: what
// bytes mean is the business of the pipeline's lanes.
package kafka
