package ocsf

import (
	"fmt"
	"strings"
	"testing"
)

// roundTrip lists the values of an enum found by scanning all numbers up to
// 10,000 and fails where String and Parse are not inverse to each other.
func roundTrip[E ~int32](t *testing.T, out *strings.Builder, parse func(string) (E, bool), text func(E) string) {
	t.Helper()
	known := 0
	for n := range int32(10000) {
		v, ok := parse(text(E(n)))
		if !ok {
			continue
		}
		if v != E(n) {
			t.Errorf("%T: %q parses to %d, not to %d", v, text(E(n)), v, n)
		}
		if known == 0 {
			fmt.Fprintf(out, "%s\n", strings.TrimPrefix(fmt.Sprintf("%T", v), "ocsf."))
		}
		known++
		fmt.Fprintf(out, "\t%d %s\n", n, text(v))
	}
	if known < 2 {
		t.Errorf("%T has %d values", E(0), known)
	}
	if _, ok := parse("no such caption"); ok {
		t.Errorf("%T: an unknown caption parses", E(0))
	}
	if got := text(-1); !strings.HasSuffix(got, "(-1)") {
		t.Errorf("%T: -1 prints as %q", E(0), got)
	}
}

func TestEnums(t *testing.T) {
	var out strings.Builder
	roundTrip(t, &out, ParseCategoryUID, CategoryUID.String)
	roundTrip(t, &out, ParseClassUID, ClassUID.String)
	roundTrip(t, &out, ParseSeverityID, SeverityID.String)
	roundTrip(t, &out, ParseFindingStatusID, FindingStatusID.String)
	roundTrip(t, &out, ParseIncidentStatusID, IncidentStatusID.String)
	roundTrip(t, &out, ParseFindingActivityID, FindingActivityID.String)
	roundTrip(t, &out, ParseIncidentActivityID, IncidentActivityID.String)
	roundTrip(t, &out, ParseConfidenceID, ConfidenceID.String)
	roundTrip(t, &out, ParseImpactID, ImpactID.String)
	roundTrip(t, &out, ParseRiskLevelID, RiskLevelID.String)
	roundTrip(t, &out, ParsePriorityID, PriorityID.String)
	roundTrip(t, &out, ParseVerdictID, VerdictID.String)
	roundTrip(t, &out, ParseAnalyticTypeID, AnalyticTypeID.String)
	roundTrip(t, &out, ParseKillChainPhaseID, KillChainPhaseID.String)
	roundTrip(t, &out, ParseStatusID, StatusID.String)
	roundTrip(t, &out, ParseActionID, ActionID.String)
	roundTrip(t, &out, ParseDispositionID, DispositionID.String)
	roundTrip(t, &out, ParseRemediationActivityID, RemediationActivityID.String)
	roundTrip(t, &out, ParseRemediationStatusID, RemediationStatusID.String)
	roundTrip(t, &out, ParseObservableTypeID, ObservableTypeID.String)
	roundTrip(t, &out, ParseReputationScoreID, ReputationScoreID.String)
	roundTrip(t, &out, ParseOSINTTypeID, OSINTTypeID.String)
	roundTrip(t, &out, ParseHashAlgorithmID, HashAlgorithmID.String)
	roundTrip(t, &out, ParseAccountTypeID, AccountTypeID.String)
	roundTrip(t, &out, ParseUserTypeID, UserTypeID.String)
	roundTrip(t, &out, ParseDeviceTypeID, DeviceTypeID.String)
	roundTrip(t, &out, ParseOSTypeID, OSTypeID.String)
	roundTrip(t, &out, ParseResourceRoleID, ResourceRoleID.String)
	roundTrip(t, &out, ParseDirectionID, DirectionID.String)
	roundTrip(t, &out, ParseBoundaryID, BoundaryID.String)
	compareGolden(t, "enums.golden", out.String())
}

// TestLayouts pins the objects that Interdict writes into findings: their
// attributes, types, requirements and profiles.
func TestLayouts(t *testing.T) {
	v := newValidator(t)
	var out strings.Builder
	show := func(name string, attributes []Attribute, ok bool) {
		if !ok {
			t.Errorf("%s is not in the tables", name)
		}
		out.WriteString(name + "\n")
		for _, a := range attributes {
			array := ""
			if a.Array {
				array = "[]"
			}
			fmt.Fprintf(&out, "\t%s %s%s %v", a.Name, array, a.Type, a.Requirement)
			if len(a.Profiles) > 0 {
				fmt.Fprintf(&out, " in profile %s", strings.Join(a.Profiles, " or "))
			}
			out.WriteByte('\n')
		}
	}
	for _, class := range []ClassUID{ClassDetectionFinding, ClassIncidentFinding, ClassNetworkRemediationActivity} {
		attributes, ok := v.ClassAttributes(class)
		show(class.String(), attributes, ok)
	}
	for _, name := range []string{"attack", "tactic", "technique", "sub_technique", "kill_chain_phase", "finding_info", "observable", "metadata", "product"} {
		attributes, ok := v.ObjectAttributes(name)
		show(name, attributes, ok)
	}
	compareGolden(t, "layouts.golden", out.String())

	if _, ok := v.ClassAttributes(4001); ok {
		t.Error("a network class is in the tables")
	}
	if _, ok := v.ObjectAttributes("detection_finding"); ok {
		t.Error("a class is found among the objects")
	}
	// What a caller does to its copy stays with the caller.
	mine, _ := v.ObjectAttributes("observable")
	for i := range mine {
		mine[i].Name = "changed"
		clear(mine[i].Enum)
	}
	if got := v.Validate(readFile(t, "detection_finding.json")); len(got) != 0 {
		t.Errorf("the validator shares its tables: %v", got)
	}
}

func TestTypeUID(t *testing.T) {
	if got := TypeUID(ClassIncidentFinding, int32(IncidentActivityClose)); got != 200503 {
		t.Errorf("got %d", got)
	}
}

// Broken tables are refused when they are read, not met in the middle of an event.
func TestBrokenTables(t *testing.T) {
	item := func(attribute, more string) string {
		return `{"version":"1","types":{"string_t":{},"odd_t":{"base":"nothing_t"}},"classes":[{"name":"c","uid":1,"attributes":[` + attribute + `]` + more + `}]}`
	}
	if _, err := readTable([]byte(item(`{"n":"a","t":"string_t"}`, ""))); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"no JSON":            "{",
		"unknown field":      item(`{"n":"a","t":"string_t","z":1}`, ""),
		"unknown type":       item(`{"n":"a","t":"missing"}`, ""),
		"unknown base":       item(`{"n":"a","t":"odd_t"}`, ""),
		"unknown constraint": item(`{"n":"a","t":"string_t"}`, `,"just_one":["b"]`),
	} {
		if _, err := readTable([]byte(file)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
