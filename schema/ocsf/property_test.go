package ocsf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// builder writes events that conform, straight from the tables: it is the
// other reading of them that the validator is held against.
type builder struct {
	t     *rapid.T
	table *table
}

// event draws an event of a class with every profile declared.
func (b builder) event(class *layout, uid int64) object {
	o := b.object(class, 0)
	activities := class.entries[class.index["activity_id"]].Enum
	activity := rapid.SampledFrom(activities).Draw(b.t, "activity")
	o["class_uid"], o["activity_id"], o["type_uid"] = uid, activity, uid*100+activity
	metadata := o["metadata"].(object)
	metadata["version"] = b.table.version
	profiles := []value{}
	for _, p := range b.table.profiles {
		profiles = append(profiles, p)
	}
	metadata["profiles"] = profiles
	return o
}

func (b builder) object(l *layout, depth int) object {
	o := object{}
	// One of a just_one group, and at least one of an at_least_one group.
	must := map[string]bool{}
	for _, group := range [][]string{l.justOne, l.atLeastOne} {
		if len(group) > 0 {
			must[rapid.SampledFrom(group).Draw(b.t, l.name)] = true
		}
	}
	for i := range l.entries {
		e := &l.entries[i]
		want := e.Requirement == Required || must[e.Name]
		if !want && slices.Contains(l.justOne, e.Name) {
			continue
		}
		// Deep down only what is needed, or events would never end.
		if !want && (depth > 2 || rapid.IntRange(0, 3).Draw(b.t, e.Name) > 0) {
			continue
		}
		v := b.value(e, depth)
		if e.Array {
			v = []value{v}
		}
		o[e.Name] = v
	}
	return o
}

func (b builder) value(e *entry, depth int) value {
	if e.object != nil {
		return b.object(e.object, depth+1)
	}
	if len(e.EnumWords) > 0 {
		return rapid.SampledFrom(e.EnumWords).Draw(b.t, e.Name)
	}
	if len(e.Enum) > 0 {
		return rapid.SampledFrom(e.Enum).Draw(b.t, e.Name)
	}
	switch e.scalar.shape {
	case shapeInteger:
		if e.scalar.hasRange {
			return rapid.Int64Range(e.scalar.low, e.scalar.high).Draw(b.t, e.Name)
		}
		return rapid.Int64().Draw(b.t, e.Name)
	case shapeFloat:
		return rapid.Float64Range(-1e9, 1e9).Draw(b.t, e.Name)
	case shapeBoolean:
		return rapid.Bool().Draw(b.t, e.Name)
	case shapeAny:
		return object{"any": []value{1, "x", nil}}
	}
	switch e.Type {
	case "ip_t":
		return "192.0.2.7"
	case "mac_t":
		return "00:11:22:33:44:55"
	case "subnet_t":
		return "192.0.2.0/24"
	case "email_t":
		return "a@example.com"
	case "uuid_t":
		return "6f1e2c1a-0d7f-5a53-9a44-0f6d3b1a7e10"
	case "datetime_t":
		return "2026-01-01T00:00:00Z"
	case "bytestring_t":
		return "YQ=="
	}
	return "text"
}

func encode(t rapid.TB, v value) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drawEvent draws a class and a conforming event of it.
func drawEvent(t *rapid.T, v *Validator, uids []int64) (*layout, object) {
	uid := rapid.SampledFrom(uids).Draw(t, "class")
	class := v.table.classes[uid]
	return class, builder{t, v.table}.event(class, uid)
}

func classUIDs(v *Validator) []int64 {
	var uids []int64
	for uid := range v.table.classes {
		uids = append(uids, uid)
	}
	slices.Sort(uids)
	return uids
}

// Whatever the tables allow conforms, and one attribute taken away brings
// exactly the problems that its requirement and the constraints say.
func TestBuiltEventsConform(t *testing.T) {
	v := newValidator(t)
	uids := classUIDs(v)
	rapid.Check(t, func(t *rapid.T) {
		class, o := drawEvent(t, v, uids)
		if got := v.Validate(encode(t, o)); len(got) != 0 {
			t.Fatalf("%v\n%s", got, encode(t, o))
		}
		name := rapid.SampledFrom(o.names()).Draw(t, "removed")
		if name == "metadata" || name == "class_uid" {
			return // they decide how the rest is read
		}
		delete(o, name)
		var want []string
		if class.entries[class.index[name]].Requirement == Required {
			want = append(want, "required "+name)
		}
		if len(class.atLeastOne) > 0 && !slices.ContainsFunc(class.atLeastOne, func(n string) bool { _, ok := o[n]; return ok }) {
			want = append(want, "constraint ")
		}
		var got []string
		for _, p := range v.Validate(encode(t, o)) {
			got = append(got, p.Kind.String()+" "+p.Path)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("without %s: got %q, want %q", name, got, want)
		}
	})
}

// The order of the keys in the event changes nothing.
func TestProblemsDoNotDependOnKeyOrder(t *testing.T) {
	v := newValidator(t)
	uids := classUIDs(v)
	rapid.Check(t, func(t *rapid.T) {
		_, o := drawEvent(t, v, uids)
		for range rapid.IntRange(0, 4).Draw(t, "damages") {
			name := rapid.SampledFrom(o.names()).Draw(t, "damaged")
			o[name] = rapid.SampledFrom([]value{nil, "x", -1, true, []value{}, object{"y": 1}}).Draw(t, "value")
		}
		names := o.names()
		var forward, backward bytes.Buffer
		write := func(w *bytes.Buffer) {
			w.WriteByte('{')
			for i, name := range names {
				if i > 0 {
					w.WriteByte(',')
				}
				fmt.Fprintf(w, "%q:%s", name, encode(t, o[name]))
			}
			w.WriteByte('}')
		}
		write(&forward)
		slices.Reverse(names)
		write(&backward)
		if a, b := v.Validate(forward.Bytes()), v.Validate(backward.Bytes()); !slices.Equal(a, b) {
			t.Fatalf("forward %v\nbackward %v", a, b)
		}
	})
}

// FuzzValidate: no input panics or hangs, the answer is repeatable, ordered and
// bounded, and what it calls broken JSON is what encoding/json calls broken.
func FuzzValidate(f *testing.F) {
	v := newValidator(f)
	for _, name := range baseEvents() {
		f.Add(readFile(f, name+".json"))
	}
	for line := range strings.Lines(string(readFile(f, "mutations.ndjson"))) {
		f.Add([]byte(line))
	}
	f.Add([]byte(`{"class_uid":2004,"metadata":{"profiles":["host",1,null]},"unmapped":` + nest(100) + `}`))
	f.Add([]byte(`{"class_uid":2005,"class_uid":2004,"time":1e400,"\u0000":"\ud800"}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		got := v.Validate(event)
		if !slices.Equal(got, v.Validate(event)) {
			t.Fatal("two answers for one event")
		}
		if len(got) > MaxProblems+1 {
			t.Fatalf("%d problems", len(got))
		}
		broken, deep := false, false
		for _, p := range got {
			// A path is at most MaxDepth quoted names long.
			if len(p.Path) > MaxDepth*8*maxShown {
				t.Fatalf("path of %d bytes", len(p.Path))
			}
			broken = broken || p.Kind == KindSyntax
			deep = deep || p.Kind == KindDepth
		}
		if json.Valid(event) && broken && bytes.HasPrefix(event, []byte("{")) && utf8.Valid(event) {
			t.Fatalf("valid JSON object called broken: %v", got)
		}
		if !json.Valid(event) && !broken && !deep {
			t.Fatalf("invalid JSON is not called broken: %v", got)
		}
	})
}
