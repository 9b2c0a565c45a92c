package canon

// TechniqueID gives an ATT&CK technique's id if s is, or begins with, one:
// "T1078.004", "T1078.004 - Cloud Accounts". Ids that ATT&CK has withdrawn are
// given as they are.
func TechniqueID(s string) string {
	if len(s) < 5 || s[0] != 'T' || !allDigits(s[1:5]) {
		return ""
	}
	end := 5
	if len(s) >= 9 && s[5] == '.' && allDigits(s[6:9]) {
		end = 9
	}
	if end < len(s) && s[end] != ' ' && s[end] != ':' {
		return ""
	}
	return s[:end]
}
