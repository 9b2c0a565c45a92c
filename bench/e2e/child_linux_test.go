package e2e

import "syscall"

// childAttr keeps ^C from the children, so that the test decides how they end,
// and ends them if the test dies.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
