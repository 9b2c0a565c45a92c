package persist

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"github.com/interdict/interdict/schema"
)

// tombstoneVersion is above every version: what was deleted stays so. Objects are
// deleted to erase a tenant, not to make room for others of the same id.
const tombstoneVersion = math.MaxUint64

// objectOf splits the key of a compacted topic: tenant, a zero byte, the object.
func objectOf(key []byte) (tenant string, object []byte, err error) {
	i := bytes.IndexByte(key, 0)
	if i <= 0 {
		return "", nil, fmt.Errorf("tombstone key has no tenant")
	}
	return string(key[:i]), key[i+1:], nil
}

// idOf reads the 16 bytes that follow the tenant in the key of a compacted
// topic: all that a tombstone tells.
func idOf(key []byte) (tenant string, id schema.ID, err error) {
	tenant, object, err := objectOf(key)
	if err == nil && len(object) != len(id) {
		err = fmt.Errorf("tombstone key: want 16 bytes after the tenant, not %d", len(object))
	}
	copy(id[:], object)
	return tenant, id, err
}

// refOf reads the form that schema.EntityRef.String writes.
func refOf(object []byte) (schema.EntityRef, error) {
	name, key, ok := strings.Cut(string(object), ":")
	t, known := schema.ParseEntityType(name)
	if !ok || !known {
		return schema.EntityRef{}, fmt.Errorf("tombstone key: want type:key after the tenant, not %q", object)
	}
	return schema.EntityRef{Type: t, Key: key}, nil
}
