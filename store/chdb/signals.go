//go:build linux && (amd64 || arm64)

package chdb

import (
	"fmt"
	"syscall"
	"unsafe"
)

const lastSignal = 64

// kernelSigaction is the kernel's struct sigaction on 64-bit Linux.
type kernelSigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// saOnStack makes a handler run on the thread's alternate stack, if it has one.
const saOnStack = 0x08000000

// keepSignals runs f and then repairs what f did to the process's signals.
//
// Handlers of the Go runtime are put back. Releases of the engine differ in what
// opening a connection does to deadly signals (SIGSEGV, SIGBUS, SIGFPE and
// others): left alone, reset to defaults, or taken over, even when told to leave
// them. Without Go's handlers a nil dereference ends the process instead of
// panicking.
//
// Handlers of the engine on signals that Go does not use stay, and are made to
// run on the alternate stack: the engine sends the first real-time signal to
// every thread to answer system.stack_trace. Without a handler that signal ends
// the process; with one that runs on the current stack it overwrites whatever
// lies below a goroutine's small stack.
//
// The system call is used rather than libc's sigaction because it puts back the
// exact restorer too. Callers must not run two of these at once: the second
// would take the first's damage for the original.
func keepSignals(f func()) error {
	var before [lastSignal + 1]kernelSigaction
	for sig := 1; sig <= lastSignal; sig++ {
		if err := rtSigaction(sig, nil, &before[sig]); err != nil {
			return err
		}
	}
	f()
	for sig := 1; sig <= lastSignal; sig++ {
		var after kernelSigaction
		if err := rtSigaction(sig, nil, &after); err != nil {
			return err
		}
		want := before[sig]
		if want.handler == 0 && after.handler != 0 {
			want = after
			want.flags |= saOnStack
		}
		if after == want {
			continue
		}
		if err := rtSigaction(sig, &want, nil); err != nil {
			return err
		}
	}
	return nil
}

func rtSigaction(sig int, act, old *kernelSigaction) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), 8, 0, 0)
	if errno != 0 {
		return fmt.Errorf("sigaction %d: %w", sig, errno)
	}
	return nil
}
