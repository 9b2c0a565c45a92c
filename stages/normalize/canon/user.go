package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// User gives the key of an account: of DOMAIN\alice, alice@corp.example,
// CN=alice,OU=Staff, uid=0(root), a principal of AWS or Google Cloud, a guest of
// Entra ID or a claim of SharePoint the account's name; of a SID the SID, or the
// name that it has on every Windows.
func User(a *arena.Arena, s string) string {
	s = Clean(s)
	if name, ok := plainUser(s); ok {
		return known(Lower(a, name), name)
	}
	s = Clean(Lower(a, s))
	if len(s) > maxUser {
		return s
	}
	for userMark(s) < len(s) { // the name is in what remains; each step takes something away
		next := Clean(userName(a, s))
		if len(next) >= len(s) {
			break
		}
		s = next
	}
	if strings.HasPrefix(s, "s-1-") {
		return knownSID(s)
	}
	return s
}

// plainUser gives the name of an account that has nothing but a domain around it,
// as most do.
func plainUser(s string) (string, bool) {
	switch i := userMark(s); {
	case i == len(s):
	case s[i] == '\\' && userMark(s[i+1:]) == len(s)-i-1:
		s = Clean(s[i+1:])
	case s[i] == '@' && i > 0 && userMark(s[i+1:]) == len(s)-i-1:
		s = Clean(s[:i])
	default:
		return "", false
	}
	return s, !(len(s) > 2 && s[0]|0x20 == 's' && s[1] == '-') // a SID
}

// maxUser is longer than any account's name, with all that stands around it.
const maxUser = 512

// userMark gives the place of the first character that shows that more than a
// name is there, the length where there is none.
func userMark(s string) int {
	for i := range len(s) {
		switch s[i] {
		case '\\', '@', '=', ':', '"', '|', '#':
			return i
		}
	}
	return len(s)
}

// userName takes one thing away that stands around a name in lower case.
func userName(a *arena.Arena, s string) string {
	switch {
	case ends(s, '"', '"'):
		return unquoted(s, '"')
	case strings.HasPrefix(s, "arn:"):
		return awsPrincipal(s)
	case strings.HasPrefix(s, "user:") && strings.IndexByte(s, '@') > 0:
		return s[len("user:"):]
	case strings.HasPrefix(s, "serviceaccount:") && strings.IndexByte(s, '@') > 0:
		return s[len("serviceaccount:"):]
	case strings.HasPrefix(s, "i:0") && strings.IndexByte(s, '|') > 0:
		return s[strings.LastIndexByte(s, '|')+1:]
	}
	if name, ok := unixUser(s); ok {
		return name
	}
	if name, ok := distinguished(a, s); ok {
		return name
	}
	if i := strings.LastIndexByte(s, '\\'); i >= 0 {
		return s[i+1:]
	}
	if i := strings.IndexByte(s[min(1, len(s)):], '@'); i >= 0 {
		return s[:i+1]
	}
	// The directory of a guest has the name alice_home.example#EXT#.
	if home, ok := strings.CutSuffix(s, "#ext#"); ok && home != "" {
		if i := strings.LastIndexByte(home, '_'); i > 0 {
			home = home[:i]
		}
		return home
	}
	return s
}

// unixUser gives the name in uid=0(root) and root(uid=0), as id and PAM write
// them.
func unixUser(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "uid="); ok {
		i := strings.IndexByte(rest, '(')
		j := strings.IndexByte(rest, ')')
		if i > 0 && j > i+1 && allDigits(rest[:i]) {
			return rest[i+1 : j], true
		}
		return "", false
	}
	if i := strings.Index(s, "(uid="); i > 0 && s[len(s)-1] == ')' {
		return s[:i], true
	}
	return "", false
}

// awsPrincipal gives the name in the ARN of a principal in lower case: of a role that was
// assumed, the role, since who assumes it chooses the session's name; but of the
// roles of IAM Identity Center, which writes the user's name there, the session.
// The root of an account keeps its ARN: it is not the root of any machine.
func awsPrincipal(arn string) string {
	colons := 0
	for i := range len(arn) {
		if arn[i] == ':' {
			colons++
		}
		if colons < 5 {
			continue
		}
		kind, name, ok := strings.Cut(arn[i+1:], "/")
		switch {
		case !ok || name == "":
		case kind == "assumed-role":
			role, session, _ := strings.Cut(name, "/")
			if strings.HasPrefix(role, "awsreservedsso_") && session != "" {
				return session
			}
			return role
		case kind == "user", kind == "role", kind == "federated-user":
			return name[strings.LastIndexByte(name, '/')+1:]
		}
		break
	}
	return arn
}

// knownSID names the accounts that have the same SID on every Windows. Nobody is
// nobody.
func knownSID(s string) string {
	switch s {
	case "s-1-5-18":
		return "system"
	case "s-1-5-19":
		return "local service"
	case "s-1-5-20":
		return "network service"
	case "s-1-5-7":
		return "anonymous logon"
	case "s-1-0-0":
		return ""
	}
	return s
}
