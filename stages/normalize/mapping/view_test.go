package mapping

import (
	"slices"
	"testing"
)

// TestViews: a rule within elements sees the element and what is in it, however
// deep, and what follows an element sees the whole again.
func TestViews(t *testing.T) {
	m := newMachine(t, anyFormat+`
entities:
  - each: a[]
    entities:
      - message: x
      - each: b[]
        entities:
          - {message: x, name: y}
          - application: $.x
            when: {x: {has: false}}
          - session: "$.a[].x"
            when: {x: last}
      - container: b[].x
  - account: x`)
	doc := `{"k":1,"a":[{"b":[{"y":"1"},{"x":"b2"}],"x":"a1"},{"b":{"x":"b3"}},{"b":[]},"text",{"x":"a5","b":[{"x":"last"}]}],"x":"top"}`
	want := []string{"a1", "top", "b2", "b2", "b3", "b3", "a5", "last", "a1", "a5", "last", "top"}
	for range 2 { // the second document finds nothing of the first
		m.run(t, doc)
		var got []string
		for _, e := range m.runner.alert.Entities {
			got = append(got, e.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
