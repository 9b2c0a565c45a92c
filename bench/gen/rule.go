package gen

import "slices"

// source is a sensor family.
type source uint8

const (
	suricata source = iota
	defender
	guardDuty
	okta
	edr
	sources = 5
)

var sourceNames = [sources]string{"suricata", "defender", "guardduty", "okta", "edr"}

func (s source) String() string { return sourceNames[s] }

// Sources lists the sensor families: the values of Record.Source.
func Sources() []string { return slices.Clone(sourceNames[:]) }

// has says which entities an alert of a rule carries when none is lost.
type has uint16

const (
	hasHost has = 1 << iota
	hasUser
	hasProcess
	hasFile
	hasRemote // an address outside
	hasDomain
	hasPeer // a second machine inside
	hasMailbox
	hasBucket
	inbound // the remote side, or the peer, opened the connection
)

// rule is one detection of one product. Its weight is its share of the noise:
// most rules that catch attacks also fire on the harmless.
type rule struct {
	source    source
	id        string // the vendor's name of the detection
	title     string
	detail    string // product, protocol, API or outcome, as the source needs it
	technique string
	tactic    tactic
	severity  uint8 // 1 informational to 5 critical
	weight    uint64
	has       has
	image     string // program that ran
	command   string
	port      uint16
}

// tactic is an ATT&CK tactic, in the order of an attack.
type tactic uint8

const (
	noTactic tactic = iota
	reconnaissance
	initialAccess
	execution
	persistence
	privilegeEscalation
	defenseEvasion
	credentialAccess
	discovery
	lateralMovement
	collection
	commandAndControl
	exfiltration
	impact
)

var tactics = [...]struct{ uid, name, stage, category string }{
	noTactic:            {"", "", "", "SuspiciousActivity"},
	reconnaissance:      {"TA0043", "Reconnaissance", "reconnaissance", "Reconnaissance"},
	initialAccess:       {"TA0001", "Initial Access", "initial_access", "InitialAccess"},
	execution:           {"TA0002", "Execution", "execution", "Execution"},
	persistence:         {"TA0003", "Persistence", "persistence", "Persistence"},
	privilegeEscalation: {"TA0004", "Privilege Escalation", "privilege_escalation", "PrivilegeEscalation"},
	defenseEvasion:      {"TA0005", "Defense Evasion", "defense_evasion", "DefenseEvasion"},
	credentialAccess:    {"TA0006", "Credential Access", "credential_access", "CredentialAccess"},
	discovery:           {"TA0007", "Discovery", "discovery", "Discovery"},
	lateralMovement:     {"TA0008", "Lateral Movement", "lateral_movement", "LateralMovement"},
	collection:          {"TA0009", "Collection", "collection", "Collection"},
	commandAndControl:   {"TA0011", "Command and Control", "command_and_control", "CommandAndControl"},
	exfiltration:        {"TA0010", "Exfiltration", "exfiltration", "Exfiltration"},
	impact:              {"TA0040", "Impact", "impact", "Impact"},
}

// techniqueNames holds the ATT&CK names of the techniques that rules use.
var techniqueNames = map[string]string{
	"T1003": "OS Credential Dumping", "T1003.001": "LSASS Memory", "T1018": "Remote System Discovery",
	"T1021": "Remote Services", "T1021.001": "Remote Desktop Protocol", "T1021.002": "SMB/Windows Admin Shares",
	"T1027": "Obfuscated Files or Information", "T1030": "Data Transfer Size Limits",
	"T1041": "Exfiltration Over C2 Channel", "T1046": "Network Service Discovery",
	"T1053": "Scheduled Task/Job", "T1053.005": "Scheduled Task",
	"T1059": "Command and Scripting Interpreter", "T1059.001": "PowerShell", "T1059.003": "Windows Command Shell",
	"T1068": "Exploitation for Privilege Escalation", "T1071": "Application Layer Protocol",
	"T1071.001": "Web Protocols", "T1071.004": "DNS", "T1078": "Valid Accounts", "T1078.004": "Cloud Accounts",
	"T1087": "Account Discovery", "T1087.002": "Domain Account", "T1098": "Account Manipulation",
	"T1098.001": "Additional Cloud Credentials", "T1110": "Brute Force", "T1110.003": "Password Spraying",
	"T1114": "Email Collection", "T1114.002": "Remote Email Collection", "T1114.003": "Email Forwarding Rule",
	"T1190": "Exploit Public-Facing Application", "T1204": "User Execution", "T1204.002": "Malicious File",
	"T1219": "Remote Access Tools", "T1486": "Data Encrypted for Impact", "T1490": "Inhibit System Recovery",
	"T1496": "Resource Hijacking", "T1505": "Server Software Component", "T1505.003": "Web Shell",
	"T1530": "Data from Cloud Storage", "T1537": "Transfer Data to Cloud Account",
	"T1547": "Boot or Logon Autostart Execution", "T1547.001": "Registry Run Keys / Startup Folder",
	"T1560": "Archive Collected Data", "T1560.001": "Archive via Utility",
	"T1562": "Impair Defenses", "T1562.001": "Disable or Modify Tools", "T1562.008": "Disable or Modify Cloud Logs",
	"T1566": "Phishing", "T1566.001": "Spearphishing Attachment", "T1566.002": "Spearphishing Link",
	"T1567": "Exfiltration Over Web Service", "T1567.002": "Exfiltration to Cloud Storage",
	"T1580": "Cloud Infrastructure Discovery", "T1595": "Active Scanning", "T1595.002": "Vulnerability Scanning",
	"T1621": "Multi-Factor Authentication Request Generation",
}

// catalog holds all rules and how to draw one.
type catalog struct {
	rules  []rule
	first  [sources]int     // rules of a source are adjacent
	noise  [sources]weights // over the rules of the source
	mix    weights          // over sources
	silent [sources]int     // telemetry kinds of a source start here ...
	pace   [sources]weights // ... and are drawn with these weights

}

func newCatalog(mix Mix) *catalog {
	c := &catalog{}
	byMix := mix.weights()
	c.mix = newWeights(sources, func(i int) uint64 { return uint64(byMix[i]) })
	alerts := [sources][]rule{suricataRules[:], defenderRules[:], guardDutyRules[:], oktaRules[:], edrRules[:]}
	for s, rules := range alerts {
		c.first[s] = len(c.rules)
		c.rules = append(c.rules, rules...)
		c.noise[s] = newWeights(len(rules), func(i int) uint64 { return rules[i].weight })
	}
	for s, rules := range [sources][]rule{suricata: suricataTelemetry[:], okta: oktaTelemetry[:]} {
		if len(rules) == 0 {
			continue
		}
		c.silent[s] = len(c.rules)
		c.rules = append(c.rules, rules...)
		c.pace[s] = newWeights(len(rules), func(i int) uint64 { return rules[i].weight })
	}
	return c
}

// noisy draws a rule of a source by its share of the noise.
func (c *catalog) noisy(r *rng, s source) uint16 { return uint16(c.first[s] + c.noise[s].draw(r)) }

func (c *catalog) telemetry(r *rng, s source) uint16 { return uint16(c.silent[s] + c.pace[s].draw(r)) }

// find lists the alert rules of a source for a technique.
func (c *catalog) find(s source, technique string) []uint16 {
	var out []uint16
	for i := range c.noise[s].cum {
		if c.rules[c.first[s]+i].technique == technique {
			out = append(out, uint16(c.first[s]+i))
		}
	}
	return out
}
