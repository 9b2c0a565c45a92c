package kafka

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/interdict/interdict/pipeline"
	"github.com/zeebo/xxh3"
)

// intent is the announcement of a range in the commit metadata, made before it is
// inserted: whoever gets the partition next inserts exactly these records under
// the same token, whether or not the first insert went through. The committed
// offset is lo.
type intent struct {
	hi  int64  // last offset
	n   int    // records
	sum uint64 // of the records
	try int    // how often it was announced
}

// sinkNote is the commit metadata of a position without an intent.
func sinkNote(id string) string { return notePrefix + id }

// note is the commit metadata of an intent: some 150 bytes, of the 4 KiB that a
// broker allows.
func (in intent) note(id string) string {
	return fmt.Sprintf("%s%s intent hi=%d n=%d sum=%016x try=%d", notePrefix, id, in.hi, in.n, in.sum, in.try)
}

// parseNote reads commit metadata. Metadata of others, as tools leave it, holds
// neither id nor intent; metadata of ours that does not parse is an error, because
// an intent must not be overlooked.
func parseNote(s string) (id string, in *intent, err error) {
	rest, ok := strings.CutPrefix(s, notePrefix)
	if !ok {
		return "", nil, nil
	}
	id, rest, ok = strings.Cut(rest, " ")
	if !ok {
		return id, nil, nil
	}
	in = new(intent)
	const form = "intent hi=%d n=%d sum=%016x try=%d"
	if _, err := fmt.Sscanf(rest, form, &in.hi, &in.n, &in.sum, &in.try); err != nil {
		return id, nil, fmt.Errorf("commit metadata %q: %w", s, err)
	}
	if rest != fmt.Sprintf(form, in.hi, in.n, in.sum, in.try) || in.n < 1 || in.hi < 0 || in.try < 0 {
		return id, nil, fmt.Errorf("commit metadata %q is not of the form %q", s, form)
	}
	return id, in, nil
}

// sumRecords hashes what makes the records what they are: offset, key, value,
// headers. Time is left out: a broker may stamp it.
func sumRecords(recs []pipeline.Record) uint64 {
	h := xxh3.New()
	var b [8]byte
	num := func(n int64) {
		binary.LittleEndian.PutUint64(b[:], uint64(n))
		h.Write(b[:])
	}
	str := func(p []byte) {
		if p == nil {
			num(-1)
			return
		}
		num(int64(len(p)))
		h.Write(p)
	}
	for i := range recs {
		r := &recs[i]
		num(r.Offset)
		str(r.Key)
		str(r.Value)
		num(int64(len(r.Headers)))
		for _, x := range r.Headers {
			num(int64(len(x.Key)))
			h.WriteString(x.Key)
			str(x.Value)
		}
	}
	return h.Sum64()
}
