//go:build !linux

package e2e

import "syscall"

// childAttr keeps ^C from the children, so that the test decides how they end.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
