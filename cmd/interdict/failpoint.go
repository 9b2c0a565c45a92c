package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// failpointEnv arms one failpoint for fault tests: "after_intent:3" kills the
// process, as kill -9 would, the third time that point is passed. See
// pipeline/kafka for the points.
const failpointEnv = "INTERDICT_FAILPOINT"

// failpoints gives the function that the hops call at each point; nil where none
// is armed.
func failpoints(spec string) func(string) {
	name, count, _ := strings.Cut(spec, ":")
	if name == "" {
		return nil
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n < 1 {
		n = 1
	}
	var passed atomic.Int64
	return func(point string) {
		if point == name && passed.Add(1) == n {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way
		}
	}
}
