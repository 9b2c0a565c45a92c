package distribute

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the worker of the kill tests: they start this binary again with a
// job in the environment.
func TestMain(m *testing.M) {
	if job := os.Getenv(jobEnv); job != "" {
		os.Exit(runJob(job))
	}
	goleak.VerifyTestMain(m)
}
