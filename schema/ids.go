package schema

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"
)

// ID is 16 bytes that name an object for ever. Ids are derived, never drawn:
// the same input gives the same id on every worker and in every replay.
type ID [16]byte

// AlertID names an alert across its revisions.
type AlertID ID

// IncidentID is a UUIDv5 of the tenant and the founding alert.
type IncidentID ID

// Separators keep ("ab","c") and ("a","bc") apart in derived ids.
func derive(kind string, parts ...string) (id ID) {
	h := sha256.New()
	var n [8]byte
	write := func(s string) {
		binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	write(kind)
	for _, p := range parts {
		write(p)
	}
	var sum [sha256.Size]byte
	copy(id[:], h.Sum(sum[:0]))
	return id
}

// DeriveID gives the id of an object of some kind from its parts. SHA-256,
// because the parts may be chosen by an attacker who wants two objects to share
// an id.
func DeriveID(kind string, parts ...string) ID { return derive(kind, parts...) }

// NewAlertID derives an alert's id from what the vendor calls it. vendorID is
// the vendor's own id or, where it gives none, the hex of ContentSum.
func NewAlertID(tenant, source, vendorID string) AlertID {
	var buf [320]byte
	b := buf[:0]
	for _, p := range [...]string{"alert", tenant, source, vendorID} {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(p)))
		b = append(b, p...)
	}
	sum := sha256.Sum256(b)
	return AlertID(sum[:16])
}

// How much of long content is hashed as it is, at its beginning and end.
const (
	contentHead = 192
	contentTail = 24
)

// ContentSum names content that has no vendor id; see AppendContentSum.
func ContentSum(content []byte) string { return string(AppendContentSum(nil, content)) }

// AppendContentSum appends 32 hex digits that name content: of the SHA-256 of the
// content or, where it is longer than 512 bytes, of its length, its XXH3-128, its
// first 192 and its last 24 bytes (four blocks of SHA-256). XXH3 is no cryptographic hash: who can choose
// content may find two that share it. They would still share the beginning, where
// sensors write the time, the flow and the parties, and the end; what is won is
// half a microsecond per alert.
func AppendContentSum(dst, content []byte) []byte {
	if len(content) <= 512 {
		sum := sha256.Sum256(content)
		return hex.AppendEncode(dst, sum[:16])
	}
	var buf [8 + 16 + contentHead + contentTail]byte
	whole := xxh3.Hash128(content)
	b := binary.LittleEndian.AppendUint64(buf[:0], uint64(len(content)))
	b = binary.LittleEndian.AppendUint64(b, whole.Hi)
	b = binary.LittleEndian.AppendUint64(b, whole.Lo)
	b = append(b, content[:contentHead]...)
	b = append(b, content[len(content)-contentTail:]...)
	sum := sha256.Sum256(b)
	return hex.AppendEncode(dst, sum[:16])
}

// incidentSpace is the UUIDv5 namespace of incident ids.
var incidentSpace = uuid.MustParse("6f1d5f0e-6d1f-5c0e-9a57-3b1c7f0b6a11")

// NewIncidentID derives an incident's id: UUIDv5 over tenant and founder.
func NewIncidentID(tenant string, founder AlertID) IncidentID {
	b := make([]byte, 0, len(tenant)+1+len(founder))
	b = append(b, tenant...)
	b = append(b, 0)
	b = append(b, founder[:]...)
	return IncidentID(uuid.NewSHA1(incidentSpace, b))
}

// Number is the short display form of an incident's id, such as "INC-7F3A9C21".
// It helps people; it is not unique.
func (id IncidentID) Number() string { return fmt.Sprintf("INC-%X", id[:4]) }

func (id ID) String() string         { return hex.EncodeToString(id[:]) }
func (id AlertID) String() string    { return hex.EncodeToString(id[:]) }
func (id IncidentID) String() string { return uuid.UUID(id).String() }

// IsZero reports whether the id is unset.
func (id ID) IsZero() bool         { return id == ID{} }
func (id AlertID) IsZero() bool    { return id == AlertID{} }
func (id IncidentID) IsZero() bool { return id == IncidentID{} }

// Compare orders ids by their bytes.
func (id AlertID) Compare(o AlertID) int { return bytes.Compare(id[:], o[:]) }

var errID = errors.New("want 32 hex digits")

// ParseAlertID reads the form that AlertID.String writes.
func ParseAlertID(s string) (id AlertID, err error) {
	if len(s) != 32 {
		return id, errID
	}
	_, err = hex.Decode(id[:], []byte(s))
	return id, err
}

// ParseIncidentID reads a UUID.
func ParseIncidentID(s string) (IncidentID, error) {
	u, err := uuid.Parse(s)
	return IncidentID(u), err
}
