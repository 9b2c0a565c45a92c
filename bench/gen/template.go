package gen

// place says on which machine a step of a campaign happens.
type place uint8

const (
	onEntry   place = iota // where the attacker came in
	onCurrent              // where the attacker stands
	onAny                  // any machine taken so far
	onSpread               // any machine taken so far but the first
	onMove                 // from where the attacker stands to a new machine, which becomes the stand
	onMoved                // another sensor's view of the last move
)

// step is a technique that a campaign uses, seen by any one of the sensors.
type step struct {
	technique string
	seenBy    []source
	on        place
	required  bool   // present in every campaign that is large enough
	weight    uint64 // share of the alerts beyond one per required step
	fan       bool   // each alert hits another person
}

type entry uint8

const (
	entryDesk entry = iota
	entryWeb
	entryCloud
)

// template is a kind of attack; its steps are in the order of the attack.
type template struct {
	name  string
	entry entry
	steps []step
	// whole makes the attack fit into an hour and lets the required steps keep
	// host, user, file and controller, whatever EntityLoss says.
	whole bool
}

// templates: the first is the reference attack. Campaign i < len(templates) uses
// template i, so that even a small world shows each kind; later ones are drawn.
func templates() []template {
	both := func(technique string, a, b source, on, again place) []step {
		return []step{
			{technique: technique, seenBy: []source{a}, on: on, required: true, weight: 0},
			{technique: technique, seenBy: []source{b}, on: again, required: true, weight: 0},
		}
	}
	// Required steps come in pairs of one technique, with the sensors' order
	// alternating: a campaign too small for ten alerts takes about every other
	// step, and so still has every technique and both sensors.
	ransomware := []step{
		{technique: "T1071.001", seenBy: []source{suricata, edr}, on: onEntry, weight: 4},
		{technique: "T1018", seenBy: []source{edr, defender}, on: onEntry, weight: 2},
	}
	ransomware = append(ransomware, both("T1003.001", edr, defender, onEntry, onEntry)...)
	ransomware = append(ransomware, both("T1021.002", defender, edr, onMove, onMoved)...)
	ransomware = append(ransomware, both("T1562.001", edr, defender, onEntry, onEntry)...)
	ransomware = append(ransomware, step{technique: "T1021.002", seenBy: []source{suricata, edr, defender}, on: onMove, weight: 3})
	ransomware = append(ransomware, step{technique: "T1562.001", seenBy: []source{edr, defender}, on: onSpread, weight: 3})
	ransomware = append(ransomware, both("T1490", defender, edr, onEntry, onEntry)...)
	ransomware = append(ransomware, step{technique: "T1490", seenBy: []source{edr, defender}, on: onSpread, weight: 3})
	ransomware = append(ransomware, both("T1486", edr, defender, onEntry, onEntry)...)
	ransomware = append(ransomware, step{technique: "T1486", seenBy: []source{edr, defender}, on: onSpread, weight: 5})

	endpoint := []source{edr, defender}
	return []template{
		{name: "ransomware", entry: entryDesk, steps: ransomware, whole: true},
		{name: "phishing_exfiltration", entry: entryDesk, steps: []step{
			{technique: "T1566.002", seenBy: []source{defender}, on: onEntry, required: true, weight: 1},
			{technique: "T1204.002", seenBy: []source{edr, defender, suricata}, on: onEntry, required: true, weight: 2},
			{technique: "T1059.001", seenBy: endpoint, on: onCurrent, required: true, weight: 2},
			{technique: "T1547.001", seenBy: endpoint, on: onCurrent, weight: 2},
			{technique: "T1087.002", seenBy: endpoint, on: onCurrent, weight: 2},
			{technique: "T1021.001", seenBy: []source{edr, defender, suricata}, on: onMove, weight: 2},
			{technique: "T1560.001", seenBy: endpoint, on: onCurrent, weight: 1},
			{technique: "T1071.001", seenBy: []source{suricata, edr, defender}, on: onAny, required: true, weight: 6},
			{technique: "T1041", seenBy: []source{suricata}, on: onAny, required: true, weight: 3},
		}},
		{name: "cloud_key_abuse", entry: entryCloud, steps: []step{
			{technique: "T1078.004", seenBy: []source{okta, guardDuty}, on: onEntry, required: true, weight: 3},
			{technique: "T1098.001", seenBy: []source{guardDuty}, on: onEntry, required: true, weight: 1},
			{technique: "T1098", seenBy: []source{guardDuty, okta}, on: onEntry, weight: 1},
			{technique: "T1562.008", seenBy: []source{guardDuty}, on: onEntry, weight: 1},
			{technique: "T1580", seenBy: []source{guardDuty}, on: onEntry, required: true, weight: 4},
			{technique: "T1530", seenBy: []source{guardDuty}, on: onEntry, required: true, weight: 3},
			{technique: "T1537", seenBy: []source{guardDuty}, on: onEntry, required: true, weight: 2},
			{technique: "T1496", seenBy: []source{guardDuty}, on: onAny, weight: 1},
		}},
		{name: "password_spray", entry: entryDesk, steps: []step{
			{technique: "T1110.003", seenBy: []source{okta, okta, okta, suricata, defender}, on: onEntry, required: true, weight: 10, fan: true},
			{technique: "T1621", seenBy: []source{okta}, on: onEntry, weight: 2},
			{technique: "T1078", seenBy: []source{okta, defender}, on: onEntry, required: true, weight: 2},
			{technique: "T1098", seenBy: []source{okta}, on: onEntry, required: true, weight: 1},
			{technique: "T1087.002", seenBy: []source{defender}, on: onEntry, weight: 1},
			{technique: "T1114.003", seenBy: []source{defender}, on: onEntry, required: true, weight: 1},
			{technique: "T1114.002", seenBy: []source{defender}, on: onEntry, required: true, weight: 2},
		}},
		{name: "web_shell", entry: entryWeb, steps: []step{
			{technique: "T1595.002", seenBy: []source{suricata}, on: onEntry, weight: 4},
			{technique: "T1190", seenBy: []source{suricata}, on: onEntry, required: true, weight: 3},
			{technique: "T1505.003", seenBy: []source{defender, suricata, edr}, on: onEntry, required: true, weight: 2},
			{technique: "T1059.003", seenBy: endpoint, on: onEntry, required: true, weight: 4},
			{technique: "T1068", seenBy: []source{edr}, on: onEntry, weight: 1},
			{technique: "T1003.001", seenBy: endpoint, on: onCurrent, required: true, weight: 1},
			{technique: "T1018", seenBy: endpoint, on: onCurrent, weight: 2},
			{technique: "T1021.002", seenBy: []source{suricata, edr, defender}, on: onMove, required: true, weight: 3},
			{technique: "T1071.001", seenBy: []source{suricata, edr}, on: onAny, weight: 4},
			{technique: "T1041", seenBy: []source{suricata}, on: onAny, weight: 2},
		}},
	}
}
