package canon

import (
	"slices"
	"strings"
	"testing"
)

func TestAttackIDs(t *testing.T) {
	for in, want := range map[string]string{"T1078": "T1078", "T1078.004": "T1078.004", "T1562.008 - Impair": "T1562.008", "T1562.008: Impair": "T1562.008", "T1086": "T1086",
		"T107": "", "X1078": "", "T1078x": "", "T1078.04": "", "TA0001": "", "": ""} {
		if got := TechniqueID(in); got != want {
			t.Errorf("technique %q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"TA0006": "TA0006", "TA0006 - Credential Access": "TA0006", "CredentialAccess": "TA0006", "credential-access": "TA0006", "Command and Control": "TA0011",
		"Command_And_Control": "TA0011", "Inhibit Response Function": "TA0107", "Malware": "", "": "", "TA00": "", "TA00067": "",
		"a very long name that is no tactic at all, however it is read": ""} {
		if got := TacticID(in); got != want {
			t.Errorf("tactic %q: %q, want %q", in, got, want)
		}
	}
}

func TestTactics(t *testing.T) {
	for in, want := range map[string][]string{
		"DefenseEvasion, Execution":        {"TA0005", "TA0002"},
		"TA0001;TA0002":                    {"TA0001", "TA0002"},
		`["Initial Access","Persistence"]`: {"TA0001", "TA0003"},
		"Malware,Impact":                   {"TA0040"},
		"Discovery":                        {"TA0007"},
		"Malware":                          nil,
		",,":                               nil,
		"":                                 nil,
	} {
		var got []string
		Tactics(in, func(id string) bool {
			got = append(got, id)
			return true
		})
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	n := 0
	Tactics("Impact,Impact,Impact", func(string) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("%d tactics after no", n)
	}
}

func TestTacticOfCategory(t *testing.T) {
	for in, want := range map[string]string{
		"CredentialAccess": "TA0006", "LateralMovement": "TA0008", "Privilege Escalation": "TA0004", "TA0002": "TA0002", " Execution ": "TA0002",
		"Probing": "TA0043", "PreAttack": "TA0043", "Delivery": "TA0001", "Weaponization": "TA0042", "Installation": "TA0003", "Recon": "TA0043",
		"command-and-control": "TA0011", "Malware Command and Control Activity Detected": "TA0011", "C2": "TA0011", "C&C": "TA0011", "CnC": "TA0011", "Command & Control": "TA0011",
		"Command and Control (C2)": "TA0011", "domain-c2": "TA0011", "Domain Observed Used for C2 Detected": "TA0011",
		"credential-theft": "TA0006", "Successful Credential Theft Detected": "TA0006", "exploit-kit": "TA0001", "coin-mining": "TA0040", "CryptoCurrency": "TA0040",
		"attempted-dos": "TA0040", "Attempted Denial of Service": "TA0040", "external-ip-check": "TA0007",
		"Malware": "", "Ransomware": "", "Exploit": "", "SuspiciousActivity": "", "UnwantedSoftware": "", "Trojan": "", "trojan-activity": "", "Backdoor": "", "UnauthorizedAccess": "",
		"Policy": "", "PenTest": "", "Behavior": "", "Evasion": "", "Exploitation": "", "Misc Attack": "", "C": "", "C3": "", "C ": "", "c-": "", "": "", "none": "",
	} {
		if got := TacticOfCategory(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestTechniqueByName(t *testing.T) {
	for in, want := range map[string]string{
		"Brute Force": "T1110", "brute_force": "T1110", "BruteForce": "T1110", "Password Spraying": "T1110.003", "Brute Force: Password Spraying": "T1110.003",
		"Brute Force - Password Spraying": "T1110.003", "Valid Accounts: Cloud Accounts": "T1078.004", "Compromise Accounts: Cloud Accounts": "T1586.003", "Cloud Accounts": "",
		"PowerShell": "T1059.001", "Valid Accounts": "T1078", "OS Credential Dumping": "T1003", "/etc/passwd and /etc/shadow": "T1003.008",
		"Brute Force: Cloud Accounts": "", "Malware": "", "Nothing: Like This": "", "Brute": "", "": "", ":": "", "#": "", "Zzz": "",
	} {
		if got := TechniqueByName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Every line of the table is found by its name and by the name in capitals, which
// also says that the table is sorted.
func TestTechniqueTable(t *testing.T) {
	n, matrices := 0, map[string]bool{}
	for line := range strings.Lines(techniques) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, ids, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok || strings.TrimSpace(name) != name {
			t.Fatalf("line %q", line)
		}
		for _, id := range strings.Split(ids, " ") {
			if TechniqueID(id) != id {
				t.Errorf("%s: id %q", name, id)
			}
			matrices[id[:2]] = true
		}
		if got := techniquesNamed(strings.ToUpper(name)); got != ids {
			t.Errorf("%s: %q, want %q", name, got, ids)
		}
		n++
	}
	if n < 700 || !matrices["T0"] || !matrices["T1"] {
		t.Errorf("%d names of %v", n, matrices)
	}
	if !strings.Contains(techniques, "The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation.") {
		t.Error("no copyright designation")
	}
}

func FuzzAttack(f *testing.F) {
	for _, s := range []string{"T1078.004", "TA0006", "Brute Force: Password Spraying", "DefenseEvasion, Execution", "C2", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id := TechniqueByName(s); id != "" && TechniqueID(id) != id {
			t.Fatalf("%q: %q", s, id)
		}
		for _, id := range []string{TacticID(s), TacticOfCategory(s)} {
			if id != "" && TacticID(id) != id {
				t.Fatalf("%q: %q", s, id)
			}
		}
		Tactics(s, func(id string) bool { return id != "" })
		TechniqueID(s)
	})
}
