package chdb

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// ProbeSignals loads the engine, opens connections, and then needs the Go
// runtime's handlers: each nil dereference must panic, not end the process.
func ProbeSignals(lib, dir string) error {
	e, err := loadEngine(lib, []string{"--path=" + dir})
	if err != nil {
		return err
	}
	for i := range 3 {
		c, err := e.open()
		if err != nil {
			return err
		}
		if err := c.exec("SELECT 1"); err != nil {
			return err
		}
		if !recovers() {
			return fmt.Errorf("no panic after connection %d", i)
		}
	}
	return nil
}

func recovers() (ok bool) {
	defer func() { ok = recover() != nil }()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var p *[1 << 10]int
	_ = p[len(lockFile)] + 1
	return false
}

// LoseSignal runs the guard around code that removes Go's handler for sig and
// installs one for free, and reports what the kernel holds afterwards.
func LoseSignal(sig, free int) (kept, left bool, err error) {
	var before, after, own kernelSigaction
	if err := rtSigaction(sig, nil, &before); err != nil {
		return false, false, err
	}
	if err := rtSigaction(free, nil, &own); err != nil {
		return false, false, err
	}
	const ignore = 1 // SIG_IGN stands for a handler of the engine's
	var inner error
	err = keepSignals(func() {
		inner = errors.Join(rtSigaction(sig, &kernelSigaction{}, nil), rtSigaction(free, &kernelSigaction{handler: ignore}, nil))
	})
	if err = errors.Join(err, inner); err != nil {
		return false, false, err
	}
	if err := rtSigaction(sig, nil, &after); err != nil {
		return false, false, err
	}
	kept = before.handler != 0 && after == before
	if err := rtSigaction(free, nil, &after); err != nil {
		return false, false, err
	}
	left = after.handler == ignore && after.flags&saOnStack != 0
	return kept, left, rtSigaction(free, &own, nil)
}
