package canon

import "github.com/interdict/interdict/stages/normalize/arena"

// File gives the key of a file's path or name. Windows ignores case, takes both
// slashes, and several for one; Unix does not. \\?\ and \Device\... stay: they
// name the same file in a way that cannot be told from here.
func File(a *arena.Arena, s string) string {
	s = Clean(s)
	s = unquoted(unquoted(s, '"'), '\'')
	if hasPrefixFold(s, "file:///") {
		s = s[len("file://"):]
		if len(s) > 2 && s[2] == ':' {
			s = s[1:]
		}
		s = Clean(s)
	}
	if !windowsPath(s) {
		return s
	}
	if !roughPath(s) {
		return Lower(a, s)
	}
	start := len(s)
	for i := range s {
		if s[i] != '\\' && s[i] != '/' {
			start = i
			break
		}
	}
	start = min(start, 2) // of a share's path or \\?\ both stay
	mark := len(a.Buf)
	for range start {
		a.Buf = append(a.Buf, '\\')
	}
	for i := start; i < len(s); i++ {
		c := s[i]
		if c == '/' {
			c = '\\'
		}
		if c == '\\' && len(a.Buf) > mark && a.Buf[len(a.Buf)-1] == '\\' {
			continue
		}
		a.Buf = append(a.Buf, c)
	}
	return Lower(a, a.From(mark))
}

// windowsPath tells a path of Windows from one of Unix, in which a backslash is
// part of a name; and the name of a Windows program, which has no path.
func windowsPath(s string) bool {
	if s == "" || s[0] == '/' {
		return false
	}
	if len(s) > 1 && s[1] == ':' && isLetter(s[0]) {
		return true
	}
	slash := false
	for i := range len(s) {
		switch s[i] {
		case '\\':
			return true
		case '/':
			slash = true
		}
	}
	return !slash && windowsProgram(s)
}

// windowsProgram reports whether a name ends like that of a file which Windows
// runs.
func windowsProgram(name string) bool {
	n := len(name)
	if n < 5 || name[n-4] != '.' {
		return false
	}
	var ext [3]byte
	for i := range ext {
		ext[i] = name[n-3+i] | 0x20
	}
	switch string(ext[:]) {
	case "exe", "dll", "sys", "bat", "cmd", "ps1", "vbs", "msi", "scr", "lnk", "hta", "cpl":
		return true
	}
	return false
}

// roughPath reports whether a path of Windows has other slashes than it should.
func roughPath(s string) bool {
	for i := range len(s) {
		if s[i] == '/' || s[i] == '\\' && i > 1 && s[i-1] == '\\' {
			return true
		}
	}
	return false
}
