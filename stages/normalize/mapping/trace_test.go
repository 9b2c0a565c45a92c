package mapping

import (
	"slices"
	"testing"
)

// TestTrace: what a rule did is told with its line, also where it only adds a port
// to what another has made.
func TestTrace(t *testing.T) {
	m := newMachine(t, "format: f\ndoc: d\ndetect: [k]\nentities:\n  - ip: a\n    role: source\n  - {ip: b, port: p}\n  - {ip: b, port: q}\n")
	var got []Step
	m.runner.Trace = func(s Step) { got = append(got, s) }
	for doc, want := range map[string][]Step{
		`{"k":1,"a":"192.0.2.1","b":"192.0.2.1","p":7,"q":8}`: {{5, "entity ip source", "192.0.2.1"}, {7, "entity ip source", "192.0.2.1 port 7"}},
		`{"k":1,"a":"192.0.2.1","b":"192.0.2.2","p":7,"q":8}`: {{5, "entity ip source", "192.0.2.1"}, {7, "entity ip related", "192.0.2.2 port 7"}},
		`{"k":1,"a":"192.0.2.1","b":"192.0.2.1","q":8}`:       {{5, "entity ip source", "192.0.2.1"}, {8, "entity ip source", "192.0.2.1 port 8"}},
	} {
		got = nil
		m.run(t, doc)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", doc, got, want)
		}
	}
}
