package library

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// A key is type, value and id of an indicator as bytes that sort by type, then
// value, then id: one byte, the value, a zero, the id. Values and ids have no zero
// byte. An id of the usual form is a zero and the 16 bytes of its UUID; one with 32
// hex digits in its place is two zeros and these bytes.

const usualID = "indicator--"

func appendKey(dst []byte, t schema.ObservableType, value, id string) []byte {
	dst = append(appendPlace(dst, t, value), 0)
	if tail, ok := strings.CutPrefix(id, usualID); ok && len(tail) == 36 {
		if u, err := uuid.Parse(tail); err == nil && u.String() == tail {
			return append(append(dst, 0), u[:]...)
		}
	} else if ok && len(tail) == 32 {
		var raw schema.ID
		if raw.UnmarshalText([]byte(tail)) == nil && raw.String() == tail {
			return append(append(dst, 0, 0), raw[:]...)
		}
	}
	return append(dst, id...)
}

// appendPlace appends the part of a key that all ids of a value share.
func appendPlace(dst []byte, t schema.ObservableType, value string) []byte {
	return append(append(dst, byte(t)), value...)
}

// splitKey takes a key apart.
func splitKey(key []byte) (t schema.ObservableType, value, id string, ok bool) {
	if len(key) < 2 || key[0] >= byte(schema.ObservableTypes) {
		return 0, "", "", false
	}
	at := bytes.IndexByte(key[1:], 0) + 1
	if at < 1 {
		return 0, "", "", false
	}
	tail := key[at+1:]
	if len(tail) == 0 || tail[0] != 0 {
		if bytes.IndexByte(tail, 0) >= 0 {
			return 0, "", "", false
		}
		all := string(key[1:])
		return schema.ObservableType(key[0]), all[:at-1], all[at:], true
	}
	if len(tail) != 17 && (len(tail) != 18 || tail[1] != 0) {
		return 0, "", "", false
	}
	text := make([]byte, 0, at-1+len(usualID)+36)
	text = append(append(text, key[1:at]...), usualID...)
	if len(tail) == 18 {
		text = hex.AppendEncode(text, tail[2:])
	} else {
		for n, part := range [...][]byte{tail[1:5], tail[5:7], tail[7:9], tail[9:11], tail[11:17]} {
			if n > 0 {
				text = append(text, '-')
			}
			text = hex.AppendEncode(text, part)
		}
	}
	all := string(text)
	return schema.ObservableType(key[0]), all[:at-1], all[at-1:], true
}

// samePlace reports whether the key is of the place that appendPlace made.
func samePlace(key, place []byte) bool {
	return len(key) > len(place) && key[len(place)] == 0 && bytes.HasPrefix(key, place)
}

// digest names an id in memory. SHA-256, because ids are chosen by others.
type digest [16]byte

func digestOf(id string) digest {
	var buf [128]byte
	sum := sha256.Sum256(append(buf[:0], id...))
	return digest(sum[:16])
}

// derivedID names an indicator that its feed gives no id.
func derivedID(feed string, t schema.ObservableType, value string) string {
	return fact.IndicatorID(feed, t.String(), value)
}
