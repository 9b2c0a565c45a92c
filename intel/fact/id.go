package fact

import (
	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// IndicatorID is the id of an indicator that its feed gives none: a STIX id that
// derives from the parts, so that what is read again is the same. In the form of a
// UUID, which the index stores in 16 bytes.
func IndicatorID(parts ...string) string { return "indicator--" + DeriveUUID("indicator", parts...) }

// DeriveUUID gives a UUID that follows from its parts.
func DeriveUUID(kind string, parts ...string) string {
	u := uuid.UUID(schema.DeriveID(kind, parts...))
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80 // version 5, as far as a hash of one's own goes
	return u.String()
}
