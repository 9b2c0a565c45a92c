package pipeline

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain: reading compressed files starts goroutines; none may stay.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
