// Package stagetest holds the conformance suite that every stage passes: what
// the contract in package stages promises, as tests.
//
// Run drives a stage over sample batches, in order, and compares everything it
// writes and, where it has state, every snapshot, with a plain run of another
// instance over the same samples:
//
//   - the same input gives the same output, also through ticks of time;
//   - an empty batch gives nothing;
//   - the input is read, never changed, where it belongs to the log;
//   - nothing of a batch is kept: its memory is overwritten after each call;
//   - Rollback restores the state exactly, Commit keeps it, both again and again;
//   - a snapshot is the same twice, and an instance restored from it goes on alike;
//   - a canceled context is survived.
//
// Samples must be enough to make the stage do its work: a stage that stays silent
// over them fails. The package knows no stage.
package stagetest
