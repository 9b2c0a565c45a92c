package kafka

import (
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// manifest describes one snapshot of one lane. It is written in a transaction,
// after all its chunks are acknowledged: a snapshot without one does not exist.
//
// Wire form: a protobuf message, fields numbered as below, written in that order.
// Decoders skip fields they do not know and refuse versions they do not know.
//
//	1 uint32  version = 1
//	2 uint64  epoch          counts the snapshots of the lane
//	3 int64   offset         the state is that before this input offset
//	4 uint32  state_version  of the lane
//	5 fixed64 config_hash    of the lane
//	6 int64   bytes          of the state before compression
//	7 fixed64 total          xxh3 of the state before compression
//	8 int64   taken          milliseconds since the epoch
//	9 packed uint32  sizes   of the chunks as on the topic
//	10 packed fixed64 hashes xxh3 of the chunks as on the topic
//
// Keys on the state topic, in the partition with the lane's number:
//
//	HOP/TOPIC/PARTITION/manifest/SLOT
//	HOP/TOPIC/PARTITION/SLOT/CHUNK
//
// A snapshot lives in slot epoch mod 2, so taking one never touches the one before.
type manifest struct {
	Epoch        uint64
	Offset       int64
	StateVersion uint32
	ConfigHash   uint64
	Bytes        int64
	Total        uint64
	Taken        int64
	Sizes        []uint32
	Hashes       []uint64
}

const manifestVersion = 1

// slot is the half of the lane's keys the snapshot lives in.
func (m *manifest) slot() int { return int(m.Epoch % 2) }

func (m *manifest) encode() []byte {
	num := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
	}
	fixed := func(b []byte, n protowire.Number, v uint64) []byte {
		return protowire.AppendFixed64(protowire.AppendTag(b, n, protowire.Fixed64Type), v)
	}
	b := num(nil, 1, manifestVersion)
	b = num(b, 2, m.Epoch)
	b = num(b, 3, uint64(m.Offset))
	b = num(b, 4, uint64(m.StateVersion))
	b = fixed(b, 5, m.ConfigHash)
	b = num(b, 6, uint64(m.Bytes))
	b = fixed(b, 7, m.Total)
	b = num(b, 8, uint64(m.Taken))
	var sizes, hashes []byte
	for i := range m.Sizes {
		sizes = protowire.AppendVarint(sizes, uint64(m.Sizes[i]))
		hashes = protowire.AppendFixed64(hashes, m.Hashes[i])
	}
	b = protowire.AppendBytes(protowire.AppendTag(b, 9, protowire.BytesType), sizes)
	return protowire.AppendBytes(protowire.AppendTag(b, 10, protowire.BytesType), hashes)
}

// decodeManifest reads a manifest. The slices do not alias b.
func decodeManifest(b []byte) (*manifest, error) {
	m := &manifest{}
	version := uint64(0)
	for len(b) > 0 {
		n, t, k := protowire.ConsumeTag(b)
		if k < 0 {
			return nil, fmt.Errorf("manifest: %w", protowire.ParseError(k))
		}
		b = b[k:]
		var v uint64
		var data []byte
		switch t {
		case protowire.VarintType:
			v, k = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v, k = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			data, k = protowire.ConsumeBytes(b)
		default:
			k = protowire.ConsumeFieldValue(n, t, b)
		}
		if k < 0 {
			return nil, fmt.Errorf("manifest: field %d: %w", n, protowire.ParseError(k))
		}
		b = b[k:]
		if err := m.set(n, t, v, data, &version); err != nil {
			return nil, fmt.Errorf("manifest: %w", err)
		}
	}
	switch {
	case version != manifestVersion:
		return nil, fmt.Errorf("manifest: version %d is not known", version)
	case m.Offset < 0 || m.Bytes < 0:
		return nil, errors.New("manifest: negative offset or size")
	case len(m.Sizes) != len(m.Hashes):
		return nil, fmt.Errorf("manifest: %d sizes, %d hashes", len(m.Sizes), len(m.Hashes))
	}
	return m, nil
}

func (m *manifest) set(n protowire.Number, t protowire.Type, v uint64, data []byte, version *uint64) error {
	want := protowire.VarintType
	switch n {
	case 5, 7:
		want = protowire.Fixed64Type
	case 9, 10:
		want = protowire.BytesType
	}
	if n > 10 {
		return nil
	}
	if t != want {
		return fmt.Errorf("field %d has wire type %d", n, t)
	}
	switch n {
	case 1:
		*version = v
	case 2:
		m.Epoch = v
	case 3:
		m.Offset = int64(v)
	case 4:
		m.StateVersion = uint32(v)
	case 5:
		m.ConfigHash = v
	case 6:
		m.Bytes = int64(v)
	case 7:
		m.Total = v
	case 8:
		m.Taken = int64(v)
	case 9:
		for len(data) > 0 {
			size, k := protowire.ConsumeVarint(data)
			if k < 0 || size > maxChunk*2 {
				return errors.New("malformed sizes")
			}
			m.Sizes = append(m.Sizes, uint32(size))
			data = data[k:]
		}
	case 10:
		if len(data)%8 != 0 {
			return errors.New("malformed hashes")
		}
		for len(data) > 0 {
			h, k := protowire.ConsumeFixed64(data)
			m.Hashes = append(m.Hashes, h)
			data = data[k:]
		}
	}
	return nil
}

// stateKeys names a lane's records on the state topic.
type stateKeys struct {
	hop string
	at  tp
}

func (k stateKeys) prefix() string {
	return k.hop + "/" + k.at.topic + "/" + strconv.Itoa(int(k.at.partition)) + "/"
}

func (k stateKeys) manifest(slot int) []byte {
	return []byte(k.prefix() + "manifest/" + strconv.Itoa(slot))
}

func (k stateKeys) chunk(slot, i int) []byte {
	return []byte(k.prefix() + strconv.Itoa(slot) + "/" + strconv.Itoa(i))
}

// end is a key whose records mean nothing: a restore writes one to know where the
// partition ends.
func (k stateKeys) end() []byte { return []byte(k.prefix() + "end") }
