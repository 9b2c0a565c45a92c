package schema_test

import (
	"bytes"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/interdict/interdict/schema"
)

// contract compiles interdict.proto.
func contract(t testing.TB) protoreflect.MessageDescriptors {
	t.Helper()
	c := protocompile.Compiler{Resolver: &protocompile.SourceResolver{}}
	files, err := c.Compile(t.Context(), "interdict.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0].Messages()
}

// throughProtobuf reads b with protobuf-go as message name and writes it again.
func throughProtobuf(t rapid.TB, d protoreflect.MessageDescriptor, b []byte) *dynamicpb.Message {
	t.Helper()
	m := dynamicpb.NewMessage(d)
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatalf("%s: protobuf-go refuses our bytes: %v", d.Name(), err)
	}
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, b) {
		t.Fatalf("%s: not the canonical bytes\nours       %x\nprotobuf-go %x", d.Name(), b, again)
	}
	return m
}

func decoded(t rapid.TB, n noun, b []byte) message {
	t.Helper()
	m := n.empty()
	if err := m.DecodeWire(b); err != nil {
		t.Fatalf("%s: %v", n.name, err)
	}
	return m
}

func TestWireIsProtobuf(t *testing.T) {
	descs := contract(t)
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			d := descs.ByName(protoreflect.Name(n.name))
			if d == nil {
				t.Fatal("not in interdict.proto")
			}
			b := n.sample.AppendWire(nil)
			m := throughProtobuf(t, d, b)
			if u := m.GetUnknown(); len(u) > 0 {
				t.Errorf("written but not in interdict.proto: %x", u)
			}
			for i := range d.Fields().Len() {
				if f := d.Fields().Get(i); !m.Has(f) {
					t.Errorf("in interdict.proto but not written: %s", f.Name())
				}
			}
			if got := decoded(t, n, b); !reflect.DeepEqual(got, n.sample) {
				t.Errorf("got  %+v\nwant %+v", got, n.sample)
			}
			if b := n.empty().AppendWire(nil); len(b) > 0 {
				t.Errorf("the zero value takes %d bytes", len(b))
			}
		})
	}
}

func TestWireRoundTrip(t *testing.T) {
	descs := contract(t)
	for _, n := range nouns() {
		t.Run(n.name, rapid.MakeCheck(func(t *rapid.T) {
			m := drawMessage(t, n)
			prefix := []byte("before")
			b := m.AppendWire(prefix)
			if !bytes.HasPrefix(b, prefix) {
				t.Fatal("wrote over what stood in dst")
			}
			b = b[len(prefix):]
			throughProtobuf(t, descs.ByName(protoreflect.Name(n.name)), b)
			got := decoded(t, n, b)
			if !reflect.DeepEqual(got, m) {
				t.Fatalf("got  %+v\nwant %+v", got, m)
			}
			if !bytes.Equal(got.AppendWire(nil), b) {
				t.Fatal("equal values, different bytes")
			}
		}))
	}
}

func TestEntry(t *testing.T) {
	d := contract(t).ByName("LogEntry")
	alert := sampleAlert()
	short := &schema.Alert{Tenant: "a"}
	long := &schema.Alert{Raw: bytes.Repeat([]byte("x"), 20_000)} // a length of three bytes
	mark := nouns()[1].sample.(*schema.Watermark)
	control := nouns()[2].sample.(*schema.Control)
	retro := &schema.RetroMatch{Tenant: "acme", Match: sampleAlert().Matches[0]}
	for _, tt := range []struct {
		name  string
		kind  schema.EntryKind
		bytes []byte
		body  []byte
	}{
		{"alert", schema.EntryAlert, schema.AppendAlertEntry(nil, alert), alert.AppendWire(nil)},
		{"short alert", schema.EntryAlert, schema.AppendAlertEntry(nil, short), short.AppendWire(nil)},
		{"long alert", schema.EntryAlert, schema.AppendAlertEntry(nil, long), long.AppendWire(nil)},
		{"empty alert", schema.EntryAlert, schema.AppendAlertEntry(nil, &schema.Alert{}), nil},
		{"watermark", schema.EntryWatermark, schema.AppendWatermarkEntry(nil, mark), mark.AppendWire(nil)},
		{"control", schema.EntryControl, schema.AppendControlEntry(nil, control), control.AppendWire(nil)},
		{"retro", schema.EntryRetro, schema.AppendRetroEntry(nil, retro), retro.AppendWire(nil)},
		{"newer kind", schema.EntryUnknown, protowire.AppendString(protowire.AppendTag(nil, 9, protowire.BytesType), "?"), nil},
		{"nothing", schema.EntryUnknown, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			throughProtobuf(t, d, tt.bytes)
			kind, body, err := schema.DecodeEntry(tt.bytes)
			if err != nil || kind != tt.kind || !bytes.Equal(body, tt.body) {
				t.Errorf("got %v %x, %v, want %v %x", kind, body, err, tt.kind, tt.body)
			}
		})
	}
	if _, _, err := schema.DecodeEntry([]byte{0x0a, 5, 1}); err == nil || !strings.Contains(err.Error(), "entry.alert") {
		t.Errorf("truncated entry: %v", err)
	}
}

// TestErrorsNameTheField gives each field of each message a wire type that no
// field has. It also holds the codec's field names to those of the contract.
func TestErrorsNameTheField(t *testing.T) {
	descs := contract(t)
	for _, n := range nouns() {
		d := descs.ByName(protoreflect.Name(n.name))
		var check func(d protoreflect.MessageDescriptor, path string, wrap func([]byte) []byte)
		check = func(d protoreflect.MessageDescriptor, path string, wrap func([]byte) []byte) {
			for i := range d.Fields().Len() {
				f := d.Fields().Get(i)
				field := path + "." + string(f.Name())
				b := protowire.AppendFixed32(protowire.AppendTag(nil, f.Number(), protowire.Fixed32Type), 1)
				err := n.empty().DecodeWire(wrap(b))
				if want := "schema: decode " + field + ": wrong wire type"; err == nil || err.Error() != want {
					t.Errorf("got %v, want %s", err, want)
				}
				if f.Message() != nil {
					check(f.Message(), field, func(b []byte) []byte {
						return wrap(protowire.AppendBytes(protowire.AppendTag(nil, f.Number(), protowire.BytesType), b))
					})
				}
			}
		}
		name := strings.ToLower(regexp.MustCompile(`\B[A-Z]`).ReplaceAllString(n.name, "_$0"))
		check(d, name, func(b []byte) []byte { return b })
	}
}

func TestDecodeErrors(t *testing.T) {
	varint := func(num protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), v)
	}
	text := func(num protowire.Number, v string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), v)
	}
	for _, tt := range []struct {
		name string
		into message
		b    []byte
		want string // part of the error; empty: none
	}{
		{"id too short", &schema.Alert{}, text(1, "short"), "alert.id: want 16 bytes"},
		{"id empty", &schema.Alert{}, text(1, ""), "alert.id: want 16 bytes"},
		{"id in a list", &schema.Decision{}, text(11, "x"), "decision.evidence: want 16 bytes"},
		{"lying length", &schema.Alert{}, []byte{0x12, 0xff, 0xff, 0xff, 0xff, 0x0f, 'a'}, "alert.tenant: unexpected EOF"},
		{"lying nested length", &schema.Alert{}, []byte{0x6a, 0x0a, 0x22, 0x40, 'a'}, "alert.entities: unexpected EOF"},
		{"nested field leaves its message", &schema.Alert{}, append([]byte{0x6a, 3, 0x22, 0x04, 'a'}, "bcdef"...), "alert.entities.key: unexpected EOF"},
		{"endless varint", &schema.Alert{}, bytes.Repeat([]byte{0xff}, 20), "alert.tag"},
		{"field zero", &schema.Alert{}, []byte{0x00, 0x00}, "invalid field number"},
		{"cut in a tag", &schema.Alert{}, []byte{0x82}, "alert.tag: unexpected EOF"},
		{"stray group end", &schema.Alert{}, []byte{0x0c}, "alert.id: wrong wire type"},
		{"cut in an unknown field", &schema.Alert{}, text(99, "abcdef")[:5], "alert.unknown field: unexpected EOF"},
		{"severity too large", &schema.Alert{}, varint(10, 256), "alert.severity: number out of range"},
		{"severity unheard of", &schema.Alert{}, varint(10, 255), ""},
		{"partition too large", &schema.Watermark{}, varint(4, 1<<31), "watermark.partition: number out of range"},
		{"partition negative", &schema.Watermark{}, varint(4, 1<<64-1), ""},
		{"level too low", &schema.Incident{}, varint(18, 257), "incident.level: number out of range"},
		{"weight too large", &schema.Member{}, varint(5, 1<<16), "member.weight: number out of range"},
		{"as many entities as may be", &schema.Alert{}, bytes.Repeat([]byte{0x6a, 0}, schema.MaxElements), ""},
		{"one more", &schema.Alert{}, bytes.Repeat([]byte{0x6a, 0}, schema.MaxElements+1), "alert.entities.element: more than 4096"},
		{"tags", &schema.Incident{}, bytes.Repeat(text(12, ""), schema.MaxElements), ""},
		{"one tag more", &schema.Incident{}, bytes.Repeat(text(12, ""), schema.MaxElements+1), "incident.tags: more than 4096"},
		{"one id more", &schema.Lease{}, bytes.Repeat(text(11, "0123456789abcdef"), schema.MaxElements+1), "lease.evidence: more than 4096"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.into.DecodeWire(tt.b)
			if tt.want == "" && err == nil {
				return
			}
			if err == nil || tt.want == "" || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestTruncated cuts every sample at every byte: an error or a shorter value,
// nothing else.
func TestTruncated(t *testing.T) {
	for _, n := range nouns() {
		b := n.sample.AppendWire(nil)
		for i := range b {
			m := n.empty()
			if m.DecodeWire(b[:i:i]) == nil && len(m.AppendWire(nil)) != i {
				t.Fatalf("%s cut to %d bytes is read as something else: %+v", n.name, i, m)
			}
		}
	}
}

func TestTextIsAlwaysUTF8(t *testing.T) {
	a := schema.Alert{Title: "a\xffb", Entities: []schema.Entity{{Key: "\xc3\x28"}}}
	b := a.AppendWire(nil)
	throughProtobuf(t, contract(t).ByName("Alert"), b)
	var got schema.Alert
	if err := got.DecodeWire(b); err != nil || got.Title != "a\uFFFDb" || got.Entities[0].Key != "\uFFFD(" {
		t.Errorf("got %q %q, %v", got.Title, got.Entities[0].Key, err)
	}
	if a.Title != "a\xffb" {
		t.Error("encoding changed the alert")
	}
}
