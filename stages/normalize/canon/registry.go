package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Registry gives the key of a Windows registry path: lower case, the hive's full
// name first, whichever of its names was written (HKLM\..., HKLM:\...,
// \REGISTRY\MACHINE\..., Computer\HKEY_LOCAL_MACHINE\...).
func Registry(a *arena.Arena, s string) string {
	s = Clean(Lower(a, Clean(s)))
	for n := -1; n != len(s); {
		n = len(s)
		s = Clean(unquoted(trimTail(s, '\\'), '"'))
	}
	s = strings.TrimPrefix(s, computer(s))
	switch {
	case strings.HasPrefix(s, `\registry\machine`):
		if path := s[len(`\registry\machine`):]; path == "" || path[0] == '\\' {
			return a.Join("hkey_local_machine", path)
		}
	case strings.HasPrefix(s, `\registry\user`):
		if path := s[len(`\registry\user`):]; path == "" || path[0] == '\\' {
			return a.Join("hkey_users", path)
		}
	}
	end := indexOf(s, '\\', '\\')
	if full := hiveNamed(strings.TrimSuffix(s[:end], ":")); full != "" && full != s[:end] {
		return a.Join(full, s[end:])
	}
	return s
}

// computer gives what the registry editor writes before a hive.
func computer(s string) string {
	if strings.HasPrefix(s, `computer\hkey_`) {
		return `computer\`
	}
	return ""
}

// hiveNamed gives the full name of a hive in lower case.
func hiveNamed(s string) string {
	switch s {
	case "hklm", "hkey_local_machine":
		return "hkey_local_machine"
	case "hkcu", "hkey_current_user":
		return "hkey_current_user"
	case "hku", "hkey_users":
		return "hkey_users"
	case "hkcr", "hkey_classes_root":
		return "hkey_classes_root"
	case "hkcc", "hkey_current_config":
		return "hkey_current_config"
	}
	return ""
}
