package kafka

// Failpoints, in the order a transaction meets them. A kill at each of them must
// lose nothing and double nothing; tests end the process there.
const (
	FailAfterPoll      = "after_poll"      // records are polled, no lane has seen them
	FailBeforeEnd      = "before_end"      // outputs are produced, the transaction is open
	FailAfterEnd       = "after_end"       // the transaction has ended, the lanes do not know
	FailMidSnapshot    = "mid_snapshot"    // half of a snapshot's chunks are on the topic
	FailBeforeManifest = "before_manifest" // all chunks are, the manifest is not
)

// fail runs the failpoint. It may not return.
func (r *Runner) fail(name string) {
	if r.set.Failpoint != nil {
		r.set.Failpoint(name)
	}
}
