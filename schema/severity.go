package schema

// Severity is OCSF's severity_id.
type Severity uint8

// OCSF 1.8 severity_id values.
const (
	SeverityUnknown       Severity = 0
	SeverityInformational Severity = 1
	SeverityLow           Severity = 2
	SeverityMedium        Severity = 3
	SeverityHigh          Severity = 4
	SeverityCritical      Severity = 5
	SeverityFatal         Severity = 6
)

// String gives the lower-case English name.
func (s Severity) String() string {
	switch s {
	case SeverityInformational:
		return "informational"
	case SeverityLow:
		return "low"
	case SeverityMedium:
		return "medium"
	case SeverityHigh:
		return "high"
	case SeverityCritical:
		return "critical"
	case SeverityFatal:
		return "fatal"
	}
	return "unknown"
}

// Verdict is what a vendor or an analyst says of an alert or an indicator.
type Verdict uint8

// Verdicts, in no order of badness.
const (
	VerdictUnknown Verdict = iota
	VerdictMalicious
	VerdictSuspicious
	VerdictBenign        // looked at, found harmless
	VerdictFalsePositive // the detection was wrong: what it caused is released
)

// String gives the lower-case English name.
func (v Verdict) String() string {
	switch v {
	case VerdictMalicious:
		return "malicious"
	case VerdictSuspicious:
		return "suspicious"
	case VerdictBenign:
		return "benign"
	case VerdictFalsePositive:
		return "false_positive"
	}
	return "unknown"
}
