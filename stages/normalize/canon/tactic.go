package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// TacticID gives an ATT&CK tactic's id for its id or name, whatever the name's
// case, spaces, dashes or underscores. A name that several matrices have is that
// of the enterprise matrix.
func TacticID(s string) string {
	if len(s) >= 6 && s[:2] == "TA" && allDigits(s[2:6]) && (len(s) == 6 || s[6] == ' ' || s[6] == ':') {
		return s[:6]
	}
	var buf [maxCategory]byte
	return tactic(letters(&buf, s))
}

func tactic(name string) string {
	switch name {
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
	case "defenseevasion", "defenceevasion", "stealth":
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
	case "networkeffects":
		return "TA0038"
	case "remoteserviceeffects":
		return "TA0039"
	case "impairprocesscontrol":
		return "TA0106"
	case "inhibitresponsefunction":
		return "TA0107"
	}
	return ""
}

// Tactics gives the ids of the tactics in a list of ids or names ("DefenseEvasion,
// Execution"), until yield says no. What is no tactic is left out.
func Tactics(text string, yield func(id string) bool) {
	for text != "" {
		end := firstOf(text, ",;|/\n")
		if id := TacticID(strings.Trim(text[:end], " \t\r[]\"'")); id != "" && !yield(id) {
			return
		}
		text = text[min(end+1, len(text)):]
	}
}

// TacticOfCategory gives the id of the tactic that a vendor's category means: a
// tactic's name, or a word that means one with every vendor that has it. Those of
// Lockheed Martin's kill chain, of the Azure alert intents, and the classtypes of
// Snort and Suricata, short and long, are among them where they mean one thing.
//
// What tells the tool and not the purpose means none (malware, ransomware, exploit,
// trojan, phishing, suspicious activity), nor do words that mean different things
// with different vendors (backdoor, evasion, exploitation, scan): a format that
// knows better maps them.
func TacticOfCategory(category string) string {
	if id := TacticID(strings.TrimSpace(category)); id != "" {
		return id
	}
	var buf [maxCategory]byte
	switch letters(&buf, category) {
	case "probing", "preattack", // Azure: tries to reach a resource before exploitation
		"reconnaissanceactivity":
		return "TA0043"
	case "weaponization":
		return "TA0042"
	case "delivery", "exploitkit", "exploitkitactivitydetected": // by a visited page: T1189
		return "TA0001"
	case "installation":
		return "TA0003"
	case "privesc", "privilegeesc":
		return "TA0004"
	case "credentialtheft", "successfulcredentialtheftdetected", "credentialdumping", "credentialharvesting", "bruteforce", "passwordspray", "passwordspraying":
		return "TA0006"
	case "externalipcheck", "deviceretrievingexternalipaddressdetected": // T1016
		return "TA0007"
	case "c", "cc", "cnc", "candc", "commandcontrol", "commandandcontrolc", "commandandcontrolactivity", "malwarecommandandcontrolactivitydetected",
		"domainc", "domainobservedusedforcdetected":
		return commandAndControl(category)
	case "exfil", "dataexfiltration", "datatheft":
		return "TA0010"
	case "coinmining", "cryptocurrencyminingactivitydetected", "cryptomining", "cryptojacking", "cryptocurrency", // T1496
		"dos", "ddos", "denialofservice", "attempteddos", "successfuldos", "attempteddenialofservice", "detectionofadenialofserviceattack": // T1498, T1499
		return "TA0040"
	}
	return ""
}

// commandAndControl gives the tactic's id unless a single letter, or a digit other
// than that of C2, made the word look like it.
func commandAndControl(category string) string {
	c := strings.TrimSpace(category)
	if len(c) < 2 || len(c) == 2 && !strings.EqualFold(c, "C2") && !strings.EqualFold(c, "CC") {
		return ""
	}
	return "TA0011"
}

// maxCategory is longer than any word of the tables.
const maxCategory = 48

// letters gives the letters of s in lower case without all else, "" where there
// are too many to be in a table. buf is room for them.
func letters(buf *[maxCategory]byte, s string) string {
	n := 0
	for i := range len(s) {
		if !isLetter(s[i]) {
			continue
		}
		if n == len(buf) {
			return ""
		}
		buf[n] = s[i] | 0x20
		n++
	}
	return arena.Text(buf[:n])
}
