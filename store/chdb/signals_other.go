//go:build !(linux && (amd64 || arm64))

package chdb

import (
	"fmt"
	"runtime"
)

// keepSignals refuses: the library is pinned for Linux, and elsewhere nothing
// would protect the Go runtime from it.
func keepSignals(func()) error {
	return fmt.Errorf("the embedded ClickHouse engine does not run on %s/%s: set a ClickHouse DSN (clickhouse.dsn)", runtime.GOOS, runtime.GOARCH)
}
