package schema_test

import (
	"bytes"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// unknownFields are fields of a writer that is a version ahead, in every wire
// type, with numbers that no message uses.
func unknownFields() [][]byte {
	tag := func(n protowire.Number, t protowire.Type) []byte { return protowire.AppendTag(nil, n, t) }
	group := append(tag(204, protowire.StartGroupType), protowire.AppendVarint(tag(1, protowire.VarintType), 3)...)
	return [][]byte{
		protowire.AppendVarint(tag(200, protowire.VarintType), 1<<63),
		protowire.AppendFixed32(tag(201, protowire.Fixed32Type), 7),
		protowire.AppendFixed64(tag(202, protowire.Fixed64Type), 8),
		protowire.AppendString(tag(203, protowire.BytesType), "newer"),
		append(group, tag(204, protowire.EndGroupType)...),
	}
}

// TestOlderWriter reads an alert written before most fields existed.
func TestOlderWriter(t *testing.T) {
	id := schema.NewAlertID("acme", "ids-1", "1")
	b := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), id[:])
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "acme")
	b = protowire.AppendString(protowire.AppendTag(b, 13, protowire.BytesType), "\x22\x05web-1") // an entity with a key only
	got := *sampleAlert()
	if err := got.DecodeWire(b); err != nil {
		t.Fatal(err)
	}
	want := schema.Alert{ID: id, Tenant: "acme", Entities: []schema.Entity{{Key: "web-1"}},
		Techniques: []schema.Technique{}, Matches: []schema.Match{}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestNewerWriter strews unknown fields among the known ones, in any order of
// fields: every noun reads on, and an alert keeps them byte for byte.
func TestNewerWriter(t *testing.T) {
	for _, n := range nouns() {
		t.Run(n.name, rapid.MakeCheck(func(t *rapid.T) {
			known := splitFields(t, n.sample.AppendWire(nil))
			unknown := unknownFields()
			// Repeated fields keep their order among themselves: shuffle the places,
			// not the elements of one field.
			fields := shuffleKeepingRuns(t, known, unknown)
			b := bytes.Join(fields, nil)
			input := bytes.Clone(b)
			m := decoded(t, n, b)
			again := m.AppendWire(nil)
			if !bytes.Equal(b, input) {
				t.Fatal("decoding changed its input")
			}
			want := n.sample.AppendWire(nil)
			if n.name == "Alert" {
				for _, f := range fields {
					if num, _, _ := protowire.ConsumeTag(f); num >= 200 {
						want = append(want, f...)
					}
				}
			}
			if !bytes.Equal(again, want) {
				t.Fatalf("got  %x\nwant %x", again, want)
			}
			if !bytes.Equal(decoded(t, n, again).AppendWire(nil), again) {
				t.Fatal("not stable")
			}
		}))
	}
}

func splitFields(t rapid.TB, b []byte) (fields [][]byte) {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		fields = append(fields, b[:n])
		b = b[n:]
	}
	return fields
}

// shuffleKeepingRuns permutes fields; those of one number keep their order.
func shuffleKeepingRuns(t *rapid.T, known, unknown [][]byte) [][]byte {
	all := append(append([][]byte(nil), known...), unknown...)
	queues := map[protowire.Number][][]byte{}
	var numbers []protowire.Number
	for _, f := range all {
		num, _, _ := protowire.ConsumeTag(f)
		queues[num] = append(queues[num], f)
		numbers = append(numbers, num)
	}
	var out [][]byte
	for _, num := range rapid.Permutation(numbers).Draw(t, "order") {
		out = append(out, queues[num][0])
		queues[num] = queues[num][1:]
	}
	return out
}

// TestUnknownInNested: a newer field inside an entity is skipped; only those of
// the alert itself are kept.
func TestUnknownInNested(t *testing.T) {
	entity := append([]byte("\x22\x05web-1"), bytes.Join(unknownFields(), nil)...)
	b := protowire.AppendBytes(protowire.AppendTag(nil, 13, protowire.BytesType), entity)
	var a schema.Alert
	if err := a.DecodeWire(b); err != nil {
		t.Fatal(err)
	}
	if len(a.Entities) != 1 || a.Entities[0].Key != "web-1" || len(a.Unknown) > 0 {
		t.Errorf("got %+v", a)
	}
}

// TestReusedAlert: nothing of a former record shows in the next one, and unknown
// fields put together from pieces never write into the record they came from.
func TestReusedAlert(t *testing.T) {
	var reused schema.Alert
	rapid.Check(t, func(t *rapid.T) {
		n := nouns()[0]
		m := drawMessage(t, n).(*schema.Alert)
		b := m.AppendWire(nil)
		u := unknownFields()
		b = append(append(append([]byte(nil), u[0]...), b...), u[1]...)
		input := bytes.Clone(b)
		if err := reused.DecodeWire(b); err != nil {
			t.Fatal(err)
		}
		fresh := decoded(t, n, input).(*schema.Alert)
		if !bytes.Equal(reused.AppendWire(nil), fresh.AppendWire(nil)) {
			t.Fatalf("got %+v\nwant %+v", reused, fresh)
		}
		if !bytes.Equal(b, input) {
			t.Fatal("decoding changed its input")
		}
	})
}
