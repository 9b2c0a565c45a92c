package kafka

import (
	"bytes"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestManifestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 50).Draw(t, "chunks")
		m := &manifest{
			Epoch: rapid.Uint64().Draw(t, "epoch"), Offset: rapid.Int64Min(0).Draw(t, "offset"),
			StateVersion: rapid.Uint32().Draw(t, "version"), ConfigHash: rapid.Uint64().Draw(t, "config"),
			Bytes: rapid.Int64Min(0).Draw(t, "bytes"), Total: rapid.Uint64().Draw(t, "total"), Taken: rapid.Int64().Draw(t, "taken"),
		}
		for range n {
			m.Sizes = append(m.Sizes, rapid.Uint32Range(0, 2*maxChunk).Draw(t, "size"))
			m.Hashes = append(m.Hashes, rapid.Uint64().Draw(t, "hash"))
		}
		got, err := decodeManifest(m.encode())
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, m) {
			t.Fatalf("%+v became %+v", m, got)
		}
	})
}

func FuzzManifest(f *testing.F) {
	f.Add((&manifest{Epoch: 3, Offset: 9, StateVersion: 1, ConfigHash: 2, Bytes: 5, Total: 7, Taken: 8, Sizes: []uint32{1, 2}, Hashes: []uint64{3, 4}}).encode())
	f.Add([]byte{0x08, 0x02})
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeManifest(b)
		if err != nil {
			return
		}
		again, err := decodeManifest(m.encode())
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%+v became %+v, %v", m, again, err)
		}
		if !bytes.Equal(again.encode(), m.encode()) {
			t.Fatal("the encoding is not stable")
		}
	})
}
