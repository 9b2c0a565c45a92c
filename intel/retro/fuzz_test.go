package retro

import (
	"bytes"
	"testing"

	"github.com/interdict/interdict/schema"
)

// FuzzHour: whatever the file, no panic; what is read back from what was accepted is
// the same.
func FuzzHour(f *testing.F) {
	x := &filter{rate: 1e-3}
	for i := range 5000 {
		x.add(uint64(i) * 0x9E3779B97F4A7C15)
	}
	b, err := x.encode(7)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:100])
	f.Add([]byte(filterMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := decodeFilter(b, 7, 1e-3)
		if err != nil {
			return
		}
		again, err := got.encode(7)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("not the same: %v", err)
		}
	})
}

// FuzzJournal: whatever the bytes, only whole blocks are read, and they read the same
// again.
func FuzzJournal(f *testing.F) {
	f.Add(appendBlock(appendBlock(nil, []note{{1, 2}, {-3, 4}}), []note{{5, 6}}))
	f.Add([]byte{0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		var notes []note
		whole := readBlocks(b, func(n note) { notes = append(notes, n) })
		if whole > int64(len(b)) || int64(len(notes))*noteSize > whole {
			t.Fatalf("%d notes of %d bytes", len(notes), whole)
		}
		n := 0
		if again := readBlocks(b[:whole], func(note) { n++ }); again != whole || n != len(notes) {
			t.Fatalf("read again: %d bytes, %d notes", again, n)
		}
	})
}

// FuzzKeys: no entity panics, and all have few keys.
func FuzzKeys(f *testing.F) {
	for _, e := range entityPool() {
		f.Add(byte(e.Type), e.Key, e.Port)
	}
	f.Add(byte(schema.EntityURL), "//", uint16(0))
	f.Add(byte(schema.EntityURL), "://[", uint16(1))
	f.Fuzz(func(t *testing.T, typ byte, text string, port uint16) {
		e := schema.Entity{Type: schema.EntityType(typ), Key: text, Port: port}
		if n := len(keys(nil, &e)); n > len(text)+deepest+16 {
			t.Fatalf("%d keys", n)
		}
		i := schema.Indicator{Type: schema.ObservableType(typ), Value: text}
		question(&i)
		for _, a := range asks(nil, &i) {
			q := Query{Field: a.field, Values: []string{a.value}}
			q.Answers(&e)
		}
	})
}
