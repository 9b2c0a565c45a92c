package normalize

import "strings"

// techniqueID gives an ATT&CK technique's id if s is, or begins with, one:
// "T1078.004", "T1078.004 - Cloud Accounts".
func techniqueID(s string) string {
	if len(s) < 5 || s[0] != 'T' {
		return ""
	}
	if _, ok := digits(s[1:5]); !ok {
		return ""
	}
	end := 5
	if len(s) >= 9 && s[5] == '.' {
		if _, ok := digits(s[6:9]); ok {
			end = 9
		}
	}
	if end < len(s) && s[end] != ' ' && s[end] != ':' {
		return ""
	}
	return s[:end]
}

// tacticID gives an ATT&CK tactic's id for its id or name, whatever the name's
// case, spaces, dashes or underscores.
func tacticID(s string) string {
	if len(s) >= 6 && s[:2] == "TA" {
		if _, ok := digits(s[2:6]); ok && (len(s) == 6 || s[6] == ' ') {
			return s[:6]
		}
	}
	var buf [24]byte
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if c < 'a' || c > 'z' || s[i] == '_' {
			continue
		}
		if n == len(buf) {
			return ""
		}
		buf[n] = c
		n++
	}
	switch string(buf[:n]) {
	case "reconnaissance", "recon":
		return "TA0043"
	case "resourcedevelopment":
		return "TA0042"
	case "initialaccess":
		return "TA0001"
	case "execution":
		return "TA0002"
	case "persistence":
		return "TA0003"
	case "privilegeescalation":
		return "TA0004"
	case "defenseevasion", "stealth":
		return "TA0005"
	case "credentialaccess":
		return "TA0006"
	case "discovery":
		return "TA0007"
	case "lateralmovement":
		return "TA0008"
	case "collection":
		return "TA0009"
	case "commandandcontrol":
		return "TA0011"
	case "exfiltration":
		return "TA0010"
	case "impact":
		return "TA0040"
	}
	return ""
}

// cutPrefixOf gives what stands before sep, all of s where sep is not in it.
func cutPrefixOf(s, sep string) string {
	before, _, _ := strings.Cut(s, sep)
	return before
}
