// Package respond is the stage that carries commands out. It trusts nothing of
// the way a command came: it verifies the signature, refuses what is over or too
// old to be meant, checks never-contain targets again by its own configuration,
// and only then hands the command to an executor.
//
// A command is idempotent by lease, verb and version. Within one process
// a repeated command is answered from memory and one that a newer version of its
// lease has overtaken is refused; across restarts the executor's target is the
// state, and Apply must be idempotent. The stage has no state to snapshot.
//
// Executors stand behind the Executor port. dry_run changes nothing and says so;
// webhook posts the command to an HTTP endpoint. An executor's error never stops
// the lane: it is retried within bounds and then recorded as failed. A release is
// never refused for its age: letting go must always be possible.
//
// Secrets and keys come from files and are never logged or put in a result.
package respond
