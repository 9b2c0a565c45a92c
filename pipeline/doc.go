// Package pipeline puts the stages in order and carries records through them.
// Read plan.go first: it shows every hop. A hop is a chain of stages between
// topics; a lane is one partition's serial work. A lane decodes records into
// a schema.Batch, runs the chain, and encodes what came of it into an Outbox; the
// transport (pipeline/kafka, or Replay over files) makes input, output and
// position one atomic step and tells the lane whether it held.
//
// The package owns order, watermarks, accounting, snapshots and the form of
// records on topics. It knows neither franz-go nor ClickHouse.
package pipeline
